/** What one place has seen since it began, by arm. `seq` rises with each that it makes; the later one includes the earlier. */
export interface Share<A> {
  readonly seq: number
  readonly arms: ReadonlyMap<string, A>
}

/** Shares of places that have gone, as one sum; it travels with the sidecars, so that it outlives the operator. */
export interface Base<A> {
  /** Rises with each change of it. */
  readonly version: number
  /** Whose shares are in it, each with the `seq` of the one that is; the oldest first. */
  readonly covers: readonly (readonly [place: string, seq: number])[]
  readonly arms: ReadonlyMap<string, A>
}

/** How what places have seen adds up, whatever the order. */
export interface Addition<A> {
  sum(parts: Iterable<ReadonlyMap<string, A>>): ReadonlyMap<string, A>
  /** How much is in an arm: of two sums that cannot both be right, the one with more stands. */
  count(arm: A): number
}

/** Names of the gone that are remembered; the oldest go first. */
const MOST_COVERED = 4096

/**
 * What a whole fleet knows: the last share of each place, by the place's name, and the base. A state-based CRDT (Shapiro, Preguiça, Baquero
 * and Zawirski, SSS 2011): each share is cumulative and the one with the highest `seq` stands for all before it, so that shares may come in
 * any order, twice, or not at all for a while, and the outcome is that of the last ones. Names in the base are closed: a share that still
 * comes under one is not counted again.
 */
export class Merged<A> {
  readonly #addition: Addition<A>
  readonly #shares = new Map<string, Share<A>>()
  #base: Base<A> = { version: 0, covers: [], arms: new Map() }
  #covered: ReadonlyMap<string, number> = new Map()

  constructor(addition: Addition<A>) {
    this.#addition = addition
  }

  get base(): Base<A> {
    return this.#base
  }

  /** How much is in the sum. */
  get count(): number {
    return [...this.#shares.values()].reduce((sum, { arms }) => sum + this.#count(arms), this.#count(this.#base.arms))
  }

  /** The last `seq` of a place that is in the sum; 0: none. */
  seqOf(place: string): number {
    return this.#shares.get(place)?.seq ?? 0
  }

  /** The `seq` of a place whose name is closed; undefined: it is open. */
  closed(place: string): number | undefined {
    return this.#covered.get(place)
  }

  /** Takes a share in; whether it was new. */
  put(place: string, share: Share<A>): boolean {
    if (this.#covered.has(place) || share.seq <= this.seqOf(place)) return false
    this.#shares.set(place, share)
    return true
  }

  /** A place has gone for good: its last share becomes part of the base. Whether it had one. */
  fold(place: string): boolean {
    const share = this.#shares.get(place)
    if (!share) return false
    this.#shares.delete(place)
    this.#settle({
      version: this.#base.version + 1,
      covers: [...this.#base.covers, [place, share.seq] as const].slice(-MOST_COVERED),
      arms: this.#addition.sum([this.#base.arms, share.arms]),
    })
    return true
  }

  /**
   * Takes in a base that was carried here; whether that changed anything. One that covers what the other does stands for both, two that have
   * nothing in common are added up. Where two have grown apart with some in common, the one with more in it stands alone: the rest is
   * lost, so that nothing is counted twice.
   */
  adopt(base: Base<A>): boolean {
    const own = this.#base
    const [covered, mine] = [base, own].map(({ covers }) => new Set(covers.map(([place]) => place)))
    if (!covered || !mine || covered.isSubsetOf(mine)) return false
    const apart = covered.isDisjointFrom(mine)
    if (!apart && !mine.isSubsetOf(covered) && this.#count(base.arms) <= this.#count(own.arms)) return false
    const version = Math.max(own.version, base.version) + 1
    if (!apart) this.#settle({ ...base, version })
    else
      this.#settle({
        version,
        covers: [...own.covers, ...base.covers].slice(-MOST_COVERED),
        arms: this.#addition.sum([own.arms, base.arms]),
      })
    for (const [place] of base.covers) this.#shares.delete(place)
    return true
  }

  /** All of it. */
  sum(): ReadonlyMap<string, A> {
    return this.#addition.sum([this.#base.arms, ...[...this.#shares].sort(byName).map(([, { arms }]) => arms)])
  }

  #settle(base: Base<A>): void {
    this.#base = base
    this.#covered = new Map(base.covers)
  }

  #count(arms: ReadonlyMap<string, A>): number {
    return [...arms.values()].reduce((sum, arm) => sum + this.#addition.count(arm), 0)
  }
}

// Sums of fractions differ in the last bit by their order.
const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1)
