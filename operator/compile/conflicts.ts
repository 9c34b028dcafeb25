import { winners } from '../../core/claims.ts'
import type { Audience } from './audience.ts'
import type { RouteResult } from './route.ts'

/** A model that a route asks for and does not get on some pods. */
export interface Loss {
  readonly model: string
  /** The route that gets it. */
  readonly winner: string
  /** Pods on which it is so, and all that the route selects. */
  readonly pods: number
  readonly of: number
}

type Losses = ReadonlyMap<string, readonly { readonly model: string; readonly winner: string }[]>
type Audiences = (namespace: string) => ReadonlyMap<Audience, ReadonlySet<string>>

const NONE: Losses = new Map()

/**
 * Which routes ask for the same model on the same pod, and which of them gets it. That an exact name goes before `*` is no conflict: each gets
 * what it asks for. Decided once for each audience, since its pods get the same routes.
 */
export class Conflicts {
  readonly #routes: ReadonlyMap<string, RouteResult>
  readonly #audiences: Audiences
  /** By namespace and audience. */
  readonly #losses = new Map<string, WeakMap<Audience, Losses>>()
  /** By namespace: the routes that lose, or did at some time since it was decided anew. */
  readonly #losers = new Map<string, Set<string>>()

  constructor(routes: ReadonlyMap<string, RouteResult>, audiences: Audiences) {
    this.#routes = routes
    this.#audiences = audiences
  }

  /** What a route loses, and on how many running pods. */
  of(route: RouteResult): readonly Loss[] {
    const byModel = new Map<string, { model: string; winner: string; pods: number; of: number }>()
    let of = 0
    for (const [audience, pods] of this.#audiences(route.namespace)) {
      if (!audience.routes.has(route.name)) continue
      of += pods.size
      for (const { model, winner } of this.#in(audience).get(route.name) ?? []) {
        const loss = byModel.get(`${model} ${winner}`) ?? { model, winner, pods: 0, of: 0 }
        byModel.set(`${model} ${winner}`, loss)
        loss.pods += pods.size
      }
    }
    return [...byModel.values()].map((loss) => ({ ...loss, of }))
  }

  /** Notes who loses among pods that have come: until then nobody did, and the next `renew` has to speak of them. */
  joined(audience: Audience): void {
    const losers = this.#losers.get(audience.namespace) ?? new Set()
    this.#losers.set(audience.namespace, losers)
    for (const name of this.#in(audience).keys()) losers.add(name)
  }

  /** Decides a namespace anew, after claims in it changed; the routes that lose now or did before. */
  renew(namespace: string): ReadonlySet<string> {
    const before = this.#losers.get(namespace) ?? new Set()
    // Of audiences without pods too: pods may come back to them.
    this.#losses.delete(namespace)
    this.#losers.delete(namespace)
    for (const audience of this.#audiences(namespace).keys()) this.joined(audience)
    return before.union(this.#losers.get(namespace) ?? new Set())
  }

  #in(audience: Audience): Losses {
    const decided = this.#losses.get(audience.namespace) ?? new WeakMap<Audience, Losses>()
    this.#losses.set(audience.namespace, decided)
    const known = decided.get(audience)
    if (known) return known
    const made = decide([...audience.routes].flatMap((name) => this.#routes.get(name) ?? []))
    decided.set(audience, made)
    return made
  }
}

/** Whether two versions of a route ask for the same, with the same right. */
export function sameClaims(a: RouteResult, b: RouteResult): boolean {
  return (
    a.body.created === b.body.created &&
    a.body.models.join('\n') === b.body.models.join('\n') &&
    JSON.stringify(a.selector) === JSON.stringify(b.selector)
  )
}

function decide(routes: readonly RouteResult[]): Losses {
  const { lost } = winners(routes.map(({ body }) => body))
  if (lost.length === 0) return NONE
  const losses = new Map<string, { model: string; winner: string }[]>()
  for (const { loser, model, winner } of lost)
    losses.set(loser.name, [...(losses.get(loser.name) ?? []), { model, winner: winner.name }])
  return losses
}
