import { Bytes } from './bytes.ts'
import type { Asked as Asking, Json } from './dialects/dialect.ts'
import { Failure } from './errors.ts'
import type { RequestFields } from './json-fields.ts'
import type { Asked } from './match/match.ts'
import { readFields, readJson } from './read-body.ts'
import { Signals } from './signals/signals.ts'
import type { SignalSource } from './signals/signals.ts'
import { surfaceOf } from './surfaces/index.ts'
import { opaque } from './surfaces/opaque.ts'
import type { Found, Surface } from './surfaces/surface.ts'
import type { Rule } from './target.ts'

/** What somebody tells of a request that they would like to know about. */
export interface Told {
  /** Empty: what the path or the body says. */
  readonly model: string
  readonly path: string
  /** By name in lower case. */
  header(name: string): string | undefined
  /** Left out or empty: its content is not known, and rules that look at it do not match. */
  readonly body?: string | undefined
}

/** A request that nobody has sent, with all that rules look at. */
export class Question implements Asked, SignalSource {
  readonly model: string
  readonly path: string
  /** ms since the epoch. */
  readonly wall: number
  /** Whether the path is one of a surface. */
  readonly known: boolean
  readonly surface: Surface
  readonly found: Found
  readonly body: Bytes
  readonly fields: RequestFields | undefined
  /** Why it would be refused as it is. */
  readonly fault: Failure | undefined
  readonly signals: Signals | undefined
  /** The one that answers, once it was found. */
  rule: Rule | undefined = undefined
  private readonly told: Told
  private parsed: Json | undefined
  private canonical: unknown

  constructor(told: Told, wall: number) {
    this.told = told
    this.wall = wall
    const place = surfaceOf(told.path)
    this.known = place !== undefined
    this.surface = place?.surface ?? opaque
    this.found = place?.found ?? { path: told.path, method: 'POST' }
    this.path = this.found.path
    this.body = new Bytes([Buffer.from(told.body ?? '')])
    if (this.body.length > 0 && place)
      try {
        this.fields = readFields(this)
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        this.fault = error
      }
    this.signals = this.fields && new Signals(this)
    this.model = this.found.model ?? (told.model || (this.fields?.model ?? this.surface.defaultModel ?? ''))
  }

  header(name: string): string | undefined {
    return this.told.header(name)
  }

  /** The body as JSON. Throws `invalid_json`. */
  get json(): Json {
    this.parsed ??= readJson(this.body)
    return this.parsed
  }

  read<T>(caller: { read(body: Json, asked: Asking): T }): T {
    this.canonical ??= caller.read(this.json, { model: this.found.model, stream: this.found.stream })
    return this.canonical as T // a question has one surface, and that one caller's half
  }
}
