import { compileMatches } from '../match/index.ts'
import type { Asked, Test } from '../match/match.ts'
import type { Caller } from '../signals/caller.ts'
import type { Match } from '../target.ts'
import type { Out } from './out.ts'

/** Some of the targets of a rule: one model of an endpoint, or all of them. */
export interface Some {
  /** `namespace/name`. */
  readonly endpoint: string
  readonly model?: string | undefined
}

/** What changes for the requests that match: all that apply are applied, in the order of the list. */
export interface Adjustment {
  readonly when: Match
  /** Added to what is expected of their quality. */
  readonly boost?: readonly (Some & { readonly by: number })[] | undefined
  readonly lambda?: number | undefined
  /** The least quality, 0…1. */
  readonly floor?: number | undefined
  readonly minRank?: number | undefined
  readonly maxRank?: number | undefined
  readonly allow?: readonly Some[] | undefined
  readonly deny?: readonly Some[] | undefined
  readonly pin?: Some | undefined
}

/** The sum of the adjustments that apply to a request. */
export interface Adjusted {
  readonly lambda: number | undefined
  readonly floor: number | undefined
  readonly minRank: number | undefined
  readonly maxRank: number | undefined
  readonly boost: readonly (Some & { readonly by: number })[]
  /** Undefined: all. */
  readonly allow: readonly Some[] | undefined
  readonly deny: readonly Some[]
  readonly pin: Some | undefined
  /** Their places in the list. */
  readonly applied: readonly number[]
}

export interface Named {
  readonly rank: number
  readonly endpoint: { readonly name: string }
  readonly model: { readonly name: string }
}

/**
 * What applies to a request; undefined: nothing does. Bounds add up to the narrowest: the highest `minRank`, the lowest `maxRank`, the
 * highest `floor`, what all `allow` have in common; of `lambda` and `pin` the last counts.
 */
export function adjuster(adjustments: readonly Adjustment[], caller?: Caller): (asked: Asked) => Adjusted | undefined {
  const tests: readonly Test[] = adjustments.map(({ when }) => compileMatches([when], caller))
  return (asked) => {
    const applied = tests.flatMap((test, index) => (test(asked) ? [index] : []))
    if (applied.length === 0) return undefined
    const those = applied.flatMap((index) => adjustments[index] ?? [])
    const allow = those.flatMap(({ allow }) => (allow ? [allow] : []))
    return {
      lambda: those.findLast(({ lambda }) => lambda !== undefined)?.lambda,
      floor: extreme(
        Math.max,
        those.map(({ floor }) => floor),
      ),
      minRank: extreme(
        Math.max,
        those.map(({ minRank }) => minRank),
      ),
      maxRank: extreme(
        Math.min,
        those.map(({ maxRank }) => maxRank),
      ),
      boost: those.flatMap(({ boost = [] }) => boost),
      allow:
        allow.length === 0
          ? undefined
          : allow.reduce((one, other) => one.filter((it) => other.some((b) => same(it, b)))),
      deny: those.flatMap(({ deny = [] }) => deny),
      pin: those.findLast(({ pin }) => pin !== undefined)?.pin,
      applied,
    }
  }
}

/** Whether a target is among some. */
export const among = (some: Some, { endpoint, model }: Named): boolean =>
  some.endpoint === endpoint.name && (some.model === undefined || some.model === model.name)

/** Why a target is not to be asked. */
export function excluded({ minRank, maxRank, allow, deny }: Adjusted, target: Named): Out | undefined {
  if (deny.some((some) => among(some, target))) return { code: 'denied', detail: 'is denied by an adjustment' }
  if (allow && !allow.some((some) => among(some, target)))
    return { code: 'not_allowed', detail: 'is not among those that an adjustment allows' }
  if (minRank !== undefined && target.rank < minRank)
    return { code: 'rank', detail: `has rank ${target.rank}, and an adjustment asks for ${minRank} or more` }
  if (maxRank !== undefined && target.rank > maxRank)
    return { code: 'rank', detail: `has rank ${target.rank}, and an adjustment asks for ${maxRank} or less` }
  return undefined
}

/** What is added to a target's quality. */
export const boostOf = ({ boost }: Adjusted, target: Named): number =>
  boost.reduce((sum, some) => (among(some, target) ? sum + some.by : sum), 0)

function extreme(of: (...values: number[]) => number, values: readonly (number | undefined)[]): number | undefined {
  const given = values.filter((value) => value !== undefined)
  return given.length === 0 ? undefined : of(...given)
}

const same = (a: Some, b: Some): boolean => a.endpoint === b.endpoint && a.model === b.model
