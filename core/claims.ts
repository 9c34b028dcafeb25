/** A route's claim on what callers put in `model`, on a pod that it selects. */
export interface Claim {
  /** `namespace/name`. */
  readonly name: string
  /** What it asks for; `*` is any model. */
  readonly models: readonly string[]
  /** It selects pods by label, and is not merely for all of the namespace. */
  readonly selective: boolean
  /** Milliseconds since the epoch. */
  readonly created: number
}

/**
 * Who gets each model among the claims that meet on one pod: a selective claim before a namespace-wide one, then the older, then the first
 * by name. Exact names go before `*`: look up the model, then `*`.
 */
export function winners<T extends Claim>(claims: readonly T[]): ReadonlyMap<string, T> {
  const won = new Map<string, T>()
  for (const claim of claims)
    for (const model of claim.models) {
      const other = won.get(model)
      if (!other || before(claim, other)) won.set(model, claim)
    }
  return won
}

function before(a: Claim, b: Claim): boolean {
  if (a.selective !== b.selective) return a.selective
  if (a.created !== b.created) return a.created < b.created
  return a.name < b.name
}
