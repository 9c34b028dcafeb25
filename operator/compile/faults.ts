import type { CompiledRoute, CompiledRule } from '../../api/compiled.ts'
import { REASONS } from '../../api/conditions.ts'
import type { FaultSpec } from '../../api/faults.ts'
import type { ModelRoute } from '../../api/model-route.ts'
import { LONGEST } from '../../core/faults/fault.ts'
import { milliseconds } from '../../core/schema.ts'
import type { Fault } from './addresses.ts'
import { compileHeaders } from './match.ts'

/** Faults as they go down. `namespace` is the route's own. */
export function compileFaults(faults: readonly FaultSpec[], namespace: string): CompiledRule['faults'] {
  return faults.map(({ delay, targets, headers, until, ...rest }) => ({
    ...rest,
    ...(delay === undefined ? {} : { delay: milliseconds(delay) }),
    ...(targets
      ? {
          targets: targets.map(({ name, namespace: own = namespace, model }) => ({
            endpoint: `${own}/${name}`,
            ...(model === undefined ? {} : { model }),
          })),
        }
      : {}),
    headers: compileHeaders(headers),
    until: Date.parse(until),
  }))
}

/** What becomes of a rule's faults where the operator allows none. */
export const NOT_ALLOWED: Fault = {
  reason: REASONS.faultsNotAllowed,
  message: 'This operator allows no fault injection (faults.allow: false).',
}

/** Faults of a route that no call meets: of what is no target of their rule, or is passed through by path. */
export function idle(
  { rules }: CompiledRoute,
  opaque: (endpoint: string) => boolean,
): readonly { readonly path: string; readonly message: string }[] {
  return rules.flatMap(({ matches, targets, faults = [] }, i) => {
    const path = `spec.rules[${i}].faults`
    const through =
      matches.length > 0 && matches.every((match) => match.path) && targets.some((it) => opaque(it.endpoint))
    const strangers = faults.flatMap(({ targets: named = [] }, j) =>
      named.flatMap(({ endpoint, model }, k) =>
        targets.some((it) => it.endpoint === endpoint && (model === undefined || it.model === model))
          ? []
          : [{ path: `${path}[${j}].targets[${k}]`, message: 'It is no target of the rule: nothing is injected.' }],
      ),
    )
    const unseen = { path, message: 'Nothing is injected into what is passed through by its path.' }
    return faults.length > 0 && through ? [...strangers, unseen] : strangers
  })
}

/** An end of a fault, by its field, and what is the matter with it. */
interface Untimely {
  readonly path: string
  readonly message: string
}

/** What is the matter with the ends of a route's faults at a time, ms since the epoch: too far ahead, or past. */
export function untimely(
  { spec }: ModelRoute,
  wall: number,
): { readonly refused: readonly Untimely[]; readonly warnings: readonly Untimely[] } {
  const ends = spec.rules.flatMap(({ faults = [] }, i) =>
    faults.map(({ until }, j) => ({ path: `spec.rules[${i}].faults[${j}].until`, left: Date.parse(until) - wall })),
  )
  const those = (wrong: (left: number) => boolean, message: string): readonly Untimely[] =>
    ends.filter(({ left }) => wrong(left)).map(({ path }) => ({ path, message }))
  return {
    refused: those((left) => left > LONGEST, 'It must be at most 24 hours ahead.'),
    // A manifest that is applied again and again must not break when its time has passed.
    warnings: those((left) => left <= 0, 'It has passed: nothing is injected.'),
  }
}
