import type { ErrorCode } from './errors.ts'
import type { Endpoint, Target } from './target.ts'

/** Why a target is not to be asked at this moment, undefined where it is. `now` in ms, of `Deps.now()`. */
export function obstacle({ endpoint, model }: Target, now: number): ErrorCode | undefined {
  if (model.state.coolUntil > now) return 'cooling'
  if (!hasHealthy(endpoint)) return 'unhealthy'
  return model.state.breaker.share() === 0 ? 'circuit_open' : undefined
}

/** How much of its weight a target may use at this moment, 0…1. The clock is looked at only where something depends on it. */
export function available({ endpoint, model }: Pick<Target, 'endpoint' | 'model'>, now: () => number): number {
  const { state } = model
  if (state.coolUntil > 0 && state.coolUntil > now()) return 0
  return hasHealthy(endpoint) ? state.breaker.share() * plenty({ endpoint, model }) : 0
}

/** The same by what is left of its rate limits alone: of the model, and of the account that it is asked by. */
export function plenty({ endpoint, model }: Pick<Target, 'endpoint' | 'model'>): number {
  return Math.min(model.state.limits.share(), endpoint.limits.share())
}

function hasHealthy({ addresses }: Endpoint): boolean {
  for (const address of addresses) if (address.healthy) return true
  return false
}
