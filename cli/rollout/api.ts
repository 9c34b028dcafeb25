import type { Verb } from '../../core/rollout/state.ts'
import { ROLLOUTS_PATH } from '../../operator/rollout-api.ts'
import type { RolloutView } from '../../operator/rollouts.ts'
import type { Cluster } from '../cluster.ts'
import { Refusal, answered } from './ask.ts'
import type { Ask } from './ask.ts'
import type { Target } from './options.ts'

/** The rollouts of a namespace, or all that one may see; rejects with `Failure`. */
export async function rolloutsAt(ask: Ask, namespace: string | undefined): Promise<readonly RolloutView[]> {
  const query = namespace === undefined ? '' : `?namespace=${encodeURIComponent(namespace)}`
  try {
    const { rollouts } = (await answered(ask(`${ROLLOUTS_PATH}${query}`))) as { rollouts: readonly RolloutView[] } // what is there, answered with 200
    return rollouts
  } catch (error) {
    if (error instanceof Refusal && error.status === 403 && namespace === undefined)
      throw new Refusal(403, `${error.message} Name one by -n.`)
    throw error
  }
}

/** Does it, and resolves with the rollout as it is then; rejects with `Failure`. */
export async function actOn(
  ask: Ask,
  { route, rule }: Pick<RolloutView, 'route' | 'rule'>,
  action: Verb,
): Promise<RolloutView> {
  const path = [...route.split('/'), rule].map(encodeURIComponent).join('/')
  const { rollout } = (await answered(ask(`${ROLLOUTS_PATH}/${path}`, { action }))) as { rollout: RolloutView } // what is there, answered with 200
  return rollout
}

/** The rollouts as the operator has them; of a cluster whose operator cannot be asked, as the routes have them, with a note why. */
export async function seenAt({ ask, wanted: { namespace }, cluster }: Target): Promise<readonly RolloutView[]> {
  try {
    return await rolloutsAt(ask, namespace)
  } catch (error) {
    if (!cluster || error instanceof Refusal) throw error
    const { words } = await import('../cluster.ts')
    process.stderr.write(`note: the operator was not asked, but the routes themselves: ${words(error)}.\n`)
    return written(cluster)
  }
}

/** What the leader has written down in the status of the routes. */
async function written(cluster: Cluster): Promise<readonly RolloutView[]> {
  const { routes } = await cluster.resources()
  return routes.flatMap(({ name, status: { rollouts = [] } }) =>
    rollouts.map(({ memory: _memory, ...it }) => ({ ...it, route: name })),
  )
}
