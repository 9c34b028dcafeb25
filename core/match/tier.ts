import { tierOf } from '../signals/caller.ts'
import type { Condition } from './match.ts'

/** The caller's tier, as the route reads it; any of them. */
export const tier: Condition = {
  compile({ tier }, caller) {
    return tier && ((asked) => tier.includes(tierOf((name) => asked.header(name), caller)))
  },
  misses({ tier = [] }, asked, caller) {
    const is = tierOf((name) => asked.header(name), caller)
    return `the tier is ${is === '' ? 'not given' : is}, not ${tier.join(' or ')}`
  },
}
