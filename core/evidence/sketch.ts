/** Of what a quantile is said to be, at most, from 0.1 ms to an hour. */
export const ACCURACY = 0.01
/** The least value that is told from smaller ones, and the greatest that is told from larger ones. */
const LEAST = 0.1
const MOST = 3_600_000

const GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
const LOG_GAMMA = Math.log(GAMMA)
/** The last bucket: there are no more than this and one. */
export const LAST = Math.ceil(Math.log(MOST / LEAST) / LOG_GAMMA)

/** A sketch that is only read. */
export type Sketched = Omit<Sketch, 'add' | 'take'>

/**
 * A distribution of durations, ms, as counts in buckets whose bounds grow by a factor: what a quantile is said to be is off by no more than
 * `ACCURACY` of it (DDSketch: Masson, Rim and Lee, VLDB 2019). The bounds are the same everywhere, so that the sum of sketches is the sketch
 * of all their values, exactly, in any order. Values under 0.1 ms and over an hour count as these; what is no number as the least. Only
 * buckets with something in them are kept, 871 at most.
 */
export class Sketch {
  readonly #counts: Map<number, number>
  #count = 0

  /** `counts`: by bucket, none of them twice. */
  constructor(counts: Iterable<readonly [bucket: number, count: number]> = []) {
    this.#counts = new Map(counts)
    for (const count of this.#counts.values()) this.#count += count
  }

  /** Values in it. */
  get count(): number {
    return this.#count
  }

  /** Of the values, off by no more than `ACCURACY` of it. */
  get sum(): number {
    let sum = 0
    for (const [bucket, count] of this.#counts) sum += count * valueOf(bucket)
    return sum
  }

  /** Counts one value, or several of the same; ms. */
  add(value: number, times = 1): void {
    this.#put(bucketOf(value), times)
  }

  /** Counts all values of another; or, where `times` is -1, takes back values that it has. */
  take(other: Sketched, times: 1 | -1 = 1): void {
    for (const [bucket, count] of other.entries()) this.#put(bucket, times * count)
  }

  /** The sketch of the values of both. */
  plus(other: Sketched): Sketch {
    const sum = new Sketch(this.#counts)
    sum.take(other)
    return sum
  }

  /** The value that a share `q` of all, 0…1, is not above; NaN where there are none. */
  quantile(q: number): number {
    const rank = q * (this.#count - 1)
    let below = 0
    for (const [bucket, count] of this.buckets()) {
      below += count
      if (below > rank) return valueOf(bucket)
    }
    return Number.NaN
  }

  /**
   * How many values are above `x`, to the bound of its bucket: those within 2 % above it may not count. For the same `x`, it is the same
   * bound in every sketch, so that shares above it compare.
   */
  above(x: number): number {
    const limit = bucketOf(x)
    let sum = 0
    for (const [bucket, count] of this.#counts) if (bucket > limit) sum += count
    return sum
  }

  /** Counts by bucket, in any order. */
  entries(): Iterable<readonly [bucket: number, count: number]> {
    return this.#counts
  }

  /** Counts by bucket, ascending. */
  buckets(): readonly (readonly [bucket: number, count: number])[] {
    return [...this.#counts].sort(([a], [b]) => a - b)
  }

  #put(bucket: number, times: number): void {
    const count = (this.#counts.get(bucket) ?? 0) + times
    if (count === 0) this.#counts.delete(bucket)
    else this.#counts.set(bucket, count)
    this.#count += times
  }
}

const bucketOf = (value: number): number =>
  value > LEAST ? Math.min(LAST, Math.ceil(Math.log(value / LEAST) / LOG_GAMMA)) : 0

/** The point of a bucket that none of its values is further from than `ACCURACY` of itself. */
export const valueOf = (bucket: number): number => (bucket === 0 ? LEAST : (LEAST * 2 * GAMMA ** bucket) / (GAMMA + 1))
