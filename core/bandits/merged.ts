import { sumOf } from './share.ts'
import type { Dated, Share } from './share.ts'

/** Shares of places that have gone, as one sum; it travels with the sidecars, so that it outlives the operator. */
export interface Base {
  /** Rises with each share that is folded in. */
  readonly version: number
  /** Whose shares are in it. */
  readonly covers: readonly string[]
  readonly arms: ReadonlyMap<string, Dated>
}

const NO_BASE: Base = { version: 0, covers: [], arms: new Map() }
/** Names of the gone that are remembered; the oldest go first. */
const MOST_COVERED = 4096

/**
 * What a whole fleet knows: the last share of each place, by the place's name, and the base. A state-based CRDT (Shapiro, Preguiça, Baquero
 * and Zawirski, SSS 2011): each share is cumulative and the one with the highest `seq` stands for all before it, so that shares may come in
 * any order, twice, or not at all for a while, and the outcome is that of the last ones. Names in the base are closed: a share that still
 * comes under one is not counted again.
 */
export class Merged {
  readonly gamma: number
  readonly #shares = new Map<string, Share>()
  #base: Base = NO_BASE
  #covered: ReadonlySet<string> = new Set()

  constructor(gamma: number) {
    this.gamma = gamma
  }

  get base(): Base {
    return this.#base
  }

  /** The last `seq` of a place that is in the sum; 0: none. */
  seqOf(place: string): number {
    return this.#shares.get(place)?.seq ?? 0
  }

  closed(place: string): boolean {
    return this.#covered.has(place)
  }

  /** Takes a share in; whether it was new. */
  put(place: string, share: Share): boolean {
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
      covers: [...this.#base.covers, place].slice(-MOST_COVERED),
      arms: sumOf([this.#base.arms, share.arms], this.gamma),
    })
    return true
  }

  /**
   * Takes a base that was carried here, where it is further on than the own one; whether it was. Bases come from one leader after the other,
   * each from the one before; should two have grown apart, the further one stands alone, so that nothing is counted twice.
   */
  adopt(base: Base): boolean {
    if (base.version <= this.#base.version) return false
    this.#settle(base)
    for (const place of base.covers) this.#shares.delete(place)
    return true
  }

  /** All of it. */
  sum(): ReadonlyMap<string, Dated> {
    return sumOf([this.#base.arms, ...[...this.#shares].sort(byName).map(([, { arms }]) => arms)], this.gamma)
  }

  #settle(base: Base): void {
    this.#base = base
    this.#covered = new Set(base.covers)
  }
}

// Sums of fractions differ in the last bit by their order.
const byName = ([a]: readonly [string, Share], [b]: readonly [string, Share]) => (a < b ? -1 : 1)
