import type { Bytes } from '../bytes.ts'
import type { Asked, Json } from '../dialects/dialect.ts'
import { digest } from '../digest.ts'
import { estimatePrompt, estimateTokens } from '../estimate.ts'
import type { RequestFields } from '../json-fields.ts'
import { textOf } from '../learning/text.ts'
import type { TextRule, Turn } from '../learning/text.ts'
import type { Found, Surface } from '../surfaces/surface.ts'
import { ANY_CALLER, tierOf } from './caller.ts'
import type { Caller } from './caller.ts'
import { hasCode } from './code.ts'
import { LookedAt } from './looked-at.ts'
import type { Content } from './content.ts'
import { isReadable, readContent } from './read-content.ts'
import { scriptOf } from './script.ts'
import type { Script } from './script.ts'
import { taskOf } from './task.ts'

/** What a request gives a model to work on, or wants of it. */
export const INPUT_KINDS = ['Text', 'Image', 'Audio', 'File', 'Code', 'Embeddings'] as const
export type InputKind = (typeof INPUT_KINDS)[number]

/** What no part that is a picture does without, in any dialect. */
const PICTURE = Buffer.from('image')

/** The request that signals are of: an exchange, or a question about one. */
export interface SignalSource {
  readonly surface: Surface
  readonly found: Found
  readonly body: Bytes
  /** Undefined until the body has been looked at. */
  readonly fields: RequestFields | undefined
  /** Once a rule was found. */
  readonly rule: { readonly caller?: Caller | undefined } | undefined
  /** The body as JSON. Throws `invalid_json`. */
  readonly json: Json
  header(name: string): string | undefined
  read<T>(caller: { read(body: Json, asked: Asked): T }): T
}

/**
 * What is known of a request. Each is computed when it is first asked for, and once: a route without a rule or a strategy that uses one
 * pays nothing. All throw `invalid_json` where the body cannot be parsed; a request that its own dialect would refuse has signals
 * nevertheless, so that it is refused where it always is.
 */
export class Signals {
  private readonly source: SignalSource
  private readContent: Content | undefined
  private readTokens: number | undefined
  private readInputs: ReadonlySet<InputKind> | undefined
  private readScript: Script | undefined
  private readHash: string | undefined
  private readTask: { readonly caller: Caller; readonly task: string } | undefined
  // By rule; made for every request that is looked into, and so no maps.
  private readonly texts: Partial<Record<TextRule, string>> = {}
  private readonly looked: Partial<Record<TextRule, LookedAt>> = {}

  constructor(source: SignalSource) {
    this.source = source
  }

  /** Whether it has a content that means something here; what is passed through, and tensors, have none. */
  get readable(): boolean {
    return isReadable(this.source)
  }

  /** The turns that have a text, oldest first. */
  get turns(): readonly Turn[] {
    return this.content.turns
  }

  /** How often the user has spoken. */
  get userTurns(): number {
    return this.content.turns.reduce((count, { role }) => (role === 'user' ? count + 1 : count), 0)
  }

  /** The text of the last user turn, whole. */
  get text(): string {
    return this.textBy('LastUser')
  }

  /** The text that a rule names, whole: long ones are cut by those who look into them. */
  textBy(rule: TextRule): string {
    return (this.texts[rule] ??= textOf(this.content.turns, rule))
  }

  /** The same, as far as words and patterns look into it. */
  lookedAt(rule: TextRule): LookedAt {
    return (this.looked[rule] ??= new LookedAt(this.textBy(rule)))
  }

  /** Estimated tokens of the prompt: texts, tools, and what images and files come to. */
  get tokens(): number {
    this.readTokens ??= this.estimate()
    return this.readTokens
  }

  /**
   * Whether they lie within bounds, both included. A prompt has no more tokens than its body has bytes, pictures aside, so that for most requests the size
   * is enough to tell.
   */
  tokensWithin(min: number, max: number): boolean {
    const { body, fields } = this.source
    if (this.readTokens === undefined && !fields?.form && (body.length < min || (min === 0 && body.length <= max)))
      if (body.find(PICTURE, 0) < 0) return min === 0
    return this.tokens >= min && this.tokens <= max
  }

  /** What the caller lets the answer come to, tokens; undefined where it does not say. */
  get maxTokens(): number | undefined {
    return this.content.maxTokens
  }

  get inputs(): ReadonlySet<InputKind> {
    if (this.readInputs) return this.readInputs
    const inputs = new Set<InputKind>(this.content.media)
    if (this.source.surface.operation === 'embeddings') inputs.add('Embeddings')
    else if (hasCode(this.text)) inputs.add('Code')
    this.readInputs = inputs
    return inputs
  }

  /** How many tools the model may call. */
  get tools(): number {
    return this.content.tools
  }

  /** The answer is to follow a JSON schema. */
  get jsonSchema(): boolean {
    return this.content.jsonSchema
  }

  /** 32 hex digits for the system prompt, equal for equal ones; empty where there is none. */
  get systemHash(): string {
    const system = this.content.turns.filter(({ role }) => role === 'system').map(({ text }) => text)
    this.readHash ??= system.length === 0 ? '' : digest(system)
    return this.readHash
  }

  /** The script that most letters of the last user turn are of. */
  get script(): Script {
    this.readScript ??= scriptOf(this.text)
    return this.readScript
  }

  /** What the request is for, as the route that was found has it: its header, else its own tasks, else a guess. */
  get task(): string {
    return this.taskBy(this.source.rule?.caller ?? ANY_CALLER)
  }

  /** The same for a route that may be found. */
  taskBy(caller: Caller): string {
    if (this.readTask?.caller !== caller)
      this.readTask = {
        caller,
        task: taskOf(
          (name) => this.source.header(name),
          () => this.lookedAt('LastUser').text,
          caller,
        ),
      }
    return this.readTask.task
  }

  /** The caller's tier, as the route that was found reads it; empty where it reads none. */
  get tier(): string {
    return tierOf((name) => this.source.header(name), this.source.rule?.caller ?? ANY_CALLER)
  }

  private estimate(): number {
    if (!this.readable) return 0
    // Of a form only the text is counted: pictures and recordings are files of other prices.
    return this.source.fields?.form ? estimateTokens(this.text) : estimatePrompt(this.source.json)
  }

  private get content(): Content {
    this.readContent ??= readContent(this.source)
    return this.readContent
  }
}
