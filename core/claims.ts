/** A route as far as it claims the models that callers ask for. */
export interface Claimant {
  /** `namespace/name`. */
  readonly name: string
  /** Since when it exists, ms since the epoch. */
  readonly created: number
  /** Whether it selects pods by label. */
  readonly selective: boolean
  /** What callers put in `model`; `*` is any. */
  readonly models: readonly string[]
}

/** Of two routes on one pod, the stronger first: one that selects pods, then the older, then by name. */
export function precedence(a: Claimant, b: Claimant): number {
  if (a.selective !== b.selective) return a.selective ? -1 : 1
  return a.created - b.created || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
}

/** Who answers on one pod, and who would have but for a stronger claim. */
export interface Claims<T> {
  /** By exact model. */
  readonly exact: ReadonlyMap<string, T>
  /** Answers what no exact claim does. */
  readonly any: T | undefined
  readonly lost: readonly { readonly loser: T; readonly model: string; readonly winner: T }[]
}

/**
 * Settles the claims of all routes of one pod. An exact model beats `*`, which is no conflict: `*` answers the rest. Equal claims are
 * settled by `precedence`, each model by itself. The order in which the routes are given does not matter.
 */
export function winners<T extends Claimant>(routes: Iterable<T>): Claims<T> {
  const owners = new Map<string, T>()
  const lost: { loser: T; model: string; winner: T }[] = []
  for (const route of [...routes].sort(precedence))
    for (const model of new Set(route.models)) {
      const winner = owners.get(model)
      if (winner) lost.push({ loser: route, model, winner })
      else owners.set(model, route)
    }
  const any = owners.get('*')
  owners.delete('*')
  return { exact: owners, any, lost }
}

/** The route that answers a caller's model. */
export function claimed<T>(claims: Claims<T>, model: string): T | undefined {
  return claims.exact.get(model) ?? claims.any
}
