import { isVerb } from '../api/rollout-annotation.ts'
import { VERBS } from '../core/rollout/state.ts'
import type { Verb } from '../core/rollout/state.ts'
import { Refused } from './authenticate.ts'
import { RolloutError } from './rollouts.ts'
import type { RolloutView, Rollouts } from './rollouts.ts'

/** Where the operator, and a local run on its admin port, tell of rollouts and take what is to be done to one. */
export const ROLLOUTS_PATH = '/v1/rollouts'

/** What of the engine people have in hand. */
export type RolloutsApi = Pick<Rollouts, 'act' | 'views' | 'onChange'>

/** A rollout's place. */
export interface RolloutName {
  readonly namespace: string
  /** Without its namespace. */
  readonly route: string
  readonly rule: string
}

const STATUS = { not_found: 404, not_now: 409, not_leading: 503, not_written: 503 } as const satisfies Record<
  RolloutError['code'],
  number
>

/** Reads what was posted, `{"action": VERB}`; throws `Refused`. */
export function actionOf(body: unknown): Verb {
  const { action } = Object(body) as { action?: unknown } // any value has members or none
  if (isVerb(action)) return action
  throw new Refused(400, `Send {"action": VERB}, where VERB is one of ${VERBS.join(', ')}.`)
}

/** The rollouts of a namespace, or all. */
export function rolloutsOf(
  engine: RolloutsApi,
  namespace: string | undefined,
): { readonly rollouts: readonly RolloutView[] } {
  const rollouts = engine.views().filter(({ route }) => namespace === undefined || route.startsWith(`${namespace}/`))
  return { rollouts }
}

/** One rollout as it is; throws `Refused` where there is none. */
export function rolloutAt(engine: RolloutsApi, at: RolloutName): { readonly rollout: RolloutView } {
  const route = `${at.namespace}/${at.route}`
  const views = engine.views().filter((it) => it.route === route)
  const rollout = views.find(({ rule }) => rule === at.rule)
  if (rollout) return { rollout }
  const there = views.length ? `It has rollouts in: ${views.map(({ rule }) => rule).join(', ')}.` : 'It has no rollout.'
  throw new Refused(404, `Route ${route} has no rollout in rule ${at.rule}. ${there}`)
}

/** Does it, for `by`, and resolves with the rollout as it is then; rejects with `Refused`: 404 where there is none, 409 where its phase forbids it, 503 where that is for a moment. */
export async function act(
  engine: RolloutsApi,
  at: RolloutName,
  verb: Verb,
  by: string,
): Promise<{ readonly rollout: RolloutView }> {
  const { route } = rolloutAt(engine, at).rollout
  try {
    await engine.act(route, at.rule, verb, by)
  } catch (error) {
    if (error instanceof RolloutError) throw new Refused(STATUS[error.code], error.message)
    throw error
  }
  return rolloutAt(engine, at)
}
