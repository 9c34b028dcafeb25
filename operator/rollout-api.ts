import { isVerb } from '../api/rollout-annotation.ts'
import type { RolloutStatus } from '../api/rollout.ts'
import { VERBS } from '../core/rollout/state.ts'
import type { Verb } from '../core/rollout/state.ts'
import { Refused } from './authenticate.ts'

/** Where the operator, and a local run on its admin port, tell of rollouts and take what is to be done to one. */
export const ROLLOUTS_PATH = '/v1/rollouts'

/** A rollout as people get to see it: as the status of its route has it, with the route, `namespace/name`, and without what is not for people. */
export type RolloutView = Omit<RolloutStatus, 'memory'> & { readonly route: string }

/** What of the engine people have in hand. */
export interface Engine {
  /** The rollouts as they are. */
  views(): readonly RolloutView[]
  /** `route` is `namespace/name`. Rejects with a reason, where the phase forbids it, in a sentence that says what to do. */
  act(route: string, rule: string, verb: Verb, by: string): Promise<void>
}

/** A rollout's place. */
export interface RolloutName {
  readonly namespace: string
  /** Without its namespace. */
  readonly route: string
  readonly rule: string
}

/** Reads what was posted, `{"action": VERB}`; throws `Refused`. */
export function actionOf(body: unknown): Verb {
  const { action } = Object(body) as { action?: unknown } // any value has members or none
  if (isVerb(action)) return action
  throw new Refused(400, `Send {"action": VERB}, where VERB is one of ${VERBS.join(', ')}.`)
}

/** The rollouts of a namespace, or all. */
export function rolloutsOf(
  engine: Engine,
  namespace: string | undefined,
): { readonly rollouts: readonly RolloutView[] } {
  const rollouts = engine.views().filter(({ route }) => namespace === undefined || route.startsWith(`${namespace}/`))
  return { rollouts }
}

/** Does it, for `by`, and resolves with the rollout as it is then; rejects with `Refused`: 404 where there is none, 409 where its phase forbids it. */
export async function act(
  engine: Engine,
  at: RolloutName,
  verb: Verb,
  by: string,
): Promise<{ readonly rollout: RolloutView }> {
  const route = `${at.namespace}/${at.route}`
  const found = () => engine.views().find((it) => it.route === route && it.rule === at.rule)
  const missing = () => {
    const rules = engine.views().flatMap((it) => (it.route === route ? [it.rule] : []))
    const there = rules.length ? `It has rollouts in: ${rules.join(', ')}.` : 'It has no rollout.'
    return new Refused(404, `Route ${route} has no rollout in rule ${at.rule}. ${there}`)
  }
  if (!found()) throw missing()
  try {
    await engine.act(route, at.rule, verb, by)
  } catch (error) {
    throw new Refused(409, error instanceof Error ? error.message : String(error))
  }
  const rollout = found()
  if (!rollout) throw missing()
  return { rollout }
}
