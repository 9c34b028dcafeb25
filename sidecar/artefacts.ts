import type { CompiledConfig, ResourceKey } from '../api/compiled.ts'
import type { Report } from '../api/protocol.ts'
import type { Guard, Standing } from '../core/learning/guard.ts'
import type { Guards } from '../core/learning/guards.ts'
import { ArtefactError } from '../core/learning/artefact-error.ts'
import { strategy } from '../core/strategies/index.ts'
import type { Loaded } from '../core/strategies/strategy.ts'

/** A promise as it stands: for people, metrics and the operator. */
export interface PromiseView extends Omit<Standing, 'threshold' | 'alarm'> {
  /** Null: nothing stays cheap any more. */
  readonly threshold: number | null
  readonly alarm: Standing['alarm'] | null
}

/** What a route decides by, and how it stands. */
export interface ArtefactView {
  /** `namespace/name` of its ConfigMap. */
  readonly name: string
  /** SHA-256; undefined where it does not load. */
  readonly hash?: string
  /** Unusable: it does not load, and the strongest target answers; alarmed: audits have taken a promise back; expired: a certificate has ended. */
  readonly state: 'loaded' | 'alarmed' | 'expired' | 'unusable'
  /** Why it is unusable. */
  readonly fault?: string
  readonly models?: readonly string[]
  /** When it was made, and of how many rows of which data (SHA-256). */
  readonly made?: { readonly date: string; readonly rows: number; readonly data: string; readonly version: string }
  /** When its first certificate ends, YYYY-MM-DD; absent where it promises nothing. */
  readonly expires?: string
  /** Population stability index of the prompts; absent where it promises nothing. */
  readonly psi?: number
  readonly promises: readonly PromiseView[]
  /** `namespace/name rule` of the rules that decide by it. */
  readonly rules: readonly string[]
}

/** The artefacts that the rules of a configuration decide by. `loaded`: what each became; `wall` in ms since 1970. */
export function artefactsOf(
  config: CompiledConfig,
  loaded: (key: ResourceKey) => Loaded | undefined,
  guards: Guards,
  wall: number,
): readonly ArtefactView[] {
  const rules = new Map<ResourceKey, string[]>()
  for (const { body } of config.values())
    for (const { name, strategy: by } of 'rules' in body ? body.rules : []) {
      const own = strategy(by.type).artefact?.(by.settings ?? {})
      if (own === undefined || !('rules' in body)) continue
      const key: ResourceKey = `artefact/${body.name.slice(0, body.name.indexOf('/'))}/${own}`
      rules.set(key, [...(rules.get(key) ?? []), `${body.name} ${name}`])
    }
  return [...rules].map(([key, named]) => viewOf(key, named, loaded(key), guards, wall))
}

/** What audits have found of the promises, for the operator. */
export function promisesOf(artefacts: readonly ArtefactView[]): NonNullable<Report['promises']> {
  return artefacts.flatMap(({ promises, rules }) =>
    promises
      .filter(({ audits }) => audits > 0)
      .flatMap(({ segment, audits, alarm }) =>
        rules.map((named) => {
          const [route = '', rule = ''] = named.split(' ')
          return { route, rule, segment, audits, ...(alarm ? { alarm } : {}) }
        }),
      ),
  )
}

function viewOf(
  key: ResourceKey,
  rules: readonly string[],
  loaded: Loaded | undefined,
  guards: Guards,
  wall: number,
): ArtefactView {
  const name = key.slice('artefact/'.length)
  const unusable = (fault: string): ArtefactView => ({ name, state: 'unusable', fault, promises: [], rules })
  if (!loaded || 'fault' in loaded) return unusable(loaded?.fault ?? 'the artefact is not there')
  const { artefact } = loaded
  let guard: Guard | undefined
  try {
    guard = guards.of(artefact)
  } catch (error) {
    if (error instanceof ArtefactError) return unusable(error.message)
    throw error
  }
  const standings = guard?.standings() ?? []
  const expires = standings.map((it) => it.expires).toSorted()[0]
  const { hash, models, provenance } = artefact
  const { date, rows, data, version } = provenance
  return {
    name,
    hash,
    state: standings.some(({ alarm }) => alarm)
      ? 'alarmed'
      : expires !== undefined && wall >= Date.parse(expires)
        ? 'expired'
        : 'loaded',
    models,
    made: { date, rows, data, version },
    ...(expires === undefined ? {} : { expires }),
    ...(guard ? { psi: guard.psi } : {}),
    promises: standings.map(({ threshold, alarm, ...rest }) => ({
      ...rest,
      threshold: Number.isFinite(threshold) ? threshold : null,
      alarm: alarm ?? null,
    })),
    rules,
  }
}
