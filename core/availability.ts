import type { ErrorCode } from './errors.ts'
import type { Target } from './target.ts'

/** Why a target is not to be asked at this moment, undefined where it is. `now` in ms, of `Deps.now()`. */
export function obstacle({ endpoint, model }: Target, now: number): ErrorCode | undefined {
  if (model.state.coolUntil > now) return 'cooling'
  if (!endpoint.addresses.some((address) => address.healthy)) return 'unhealthy'
  return model.state.breaker.share() === 0 ? 'circuit_open' : undefined
}

/** How much of its weight a target may use at this moment, 0…1. */
export function available({ endpoint, model }: Pick<Target, 'endpoint' | 'model'>, now: number): number {
  const { state } = model
  if (state.coolUntil > now) return 0
  for (const address of endpoint.addresses) if (address.healthy) return state.breaker.share()
  return 0
}
