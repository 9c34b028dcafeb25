import type { Table } from './examples.ts'
import type { Random } from './random.ts'
import { shuffled } from './random.ts'

/** The rows most like each row of a table: `count` per row, the nearest first; `row` is 2^32 − 1 where there are fewer. */
export interface Neighbours {
  readonly count: number
  readonly row: Uint32Array
  /** Cosine similarity, in [0, 1]. */
  readonly similarity: Float32Array
}

const NONE = 2 ** 32 - 1
/** Rows compared with: a sample of larger sets, so that time grows with the rows and not with their square. */
const RESERVOIR = 20_000
/** N-grams of more than this share of rows tell no rows apart. */
const COMMON = 0.1
/** Rows less alike than this are strangers. */
const STRANGE = 0.02

/** Finds the nearest rows by the cosine of their TF-IDF words 1–2 (hashed), exactly, through an inverted index. */
export function neighboursOf(table: Table, count: number, random: Random): Neighbours {
  const { buckets } = table
  const { offsets, index, value } = table.rows
  const rows = offsets.length - 1
  const reservoir = shuffled(rows, random).slice(0, RESERVOIR)
  const each = (row: number, entry: (bucket: number, value: number) => void): void => {
    const end = offsets[row + 1] ?? 0
    for (let at = table.words[row] ?? 0; at < end; at++) {
      const bucket = index[at] ?? 0
      if (bucket < buckets && (frequency[bucket] ?? 0) <= COMMON * reservoir.length) entry(bucket, value[at] ?? 0)
    }
  }
  const frequency = new Uint32Array(buckets)
  for (const row of reservoir)
    for (let at = table.words[row] ?? 0; at < (offsets[row + 1] ?? 0); at++) {
      const bucket = index[at] ?? 0
      if (bucket < buckets) frequency[bucket] = (frequency[bucket] ?? 0) + 1
    }
  const starts = new Uint32Array(buckets + 1)
  for (let bucket = 0; bucket < buckets; bucket++)
    starts[bucket + 1] =
      (starts[bucket] ?? 0) + ((frequency[bucket] ?? 0) <= COMMON * reservoir.length ? (frequency[bucket] ?? 0) : 0)
  const filled = starts.slice(0, buckets)
  const posted = new Uint32Array(starts[buckets] ?? 0)
  const weight = new Float32Array(posted.length)
  const length = new Float64Array(rows)
  for (let row = 0; row < rows; row++) each(row, (_, x) => (length[row] = (length[row] ?? 0) + x * x))
  for (const row of reservoir)
    each(row, (bucket, x) => {
      const at = filled[bucket] ?? 0
      filled[bucket] = at + 1
      posted[at] = row
      weight[at] = x / Math.sqrt(length[row] ?? 1)
    })
  const found: Neighbours = {
    count,
    row: new Uint32Array(rows * count).fill(NONE),
    similarity: new Float32Array(rows * count),
  }
  const similarity = new Float64Array(rows)
  const touched: number[] = []
  for (let row = 0; row < rows; row++) {
    touched.length = 0
    each(row, (bucket, x) => {
      const end = starts[bucket + 1] ?? 0
      for (let at = starts[bucket] ?? 0; at < end; at++) {
        const other = posted[at] ?? 0
        if (similarity[other] === 0) touched.push(other)
        similarity[other] = (similarity[other] ?? 0) + x * (weight[at] ?? 0)
      }
    })
    const floor = STRANGE * Math.sqrt(length[row] ?? 1)
    const near = touched.filter((other) => other !== row && (similarity[other] ?? 0) > floor)
    near.sort((a, b) => (similarity[b] ?? 0) - (similarity[a] ?? 0) || a - b)
    for (const [at, other] of near.slice(0, count).entries()) {
      found.row[row * count + at] = other
      found.similarity[row * count + at] = (similarity[other] ?? 0) / Math.sqrt(length[row] ?? 1)
    }
    for (const other of touched) similarity[other] = 0
  }
  return found
}

/** A neighbour as near as this weighs as much as the mean of all rows. */
const PRIOR = 0.3

/**
 * The mean target of the rows like each row, weighted by similarity and drawn to the mean of all: what k nearest neighbours would say. Rows where
 * `use` is 0, a row itself, and rows without a target (NaN) tell nothing.
 */
export function neighbourMeans(
  { count, row, similarity }: Neighbours,
  targets: Float64Array,
  use: Uint8Array,
): Float64Array {
  let [sum, rows] = [0, 0]
  for (let at = 0; at < targets.length; at++)
    if (use[at] && !Number.isNaN(targets[at])) {
      sum += targets[at] ?? 0
      rows++
    }
  const mean = rows > 0 ? sum / rows : 0.5
  return targets.map((_, at) => {
    let [top, weights] = [PRIOR * mean, PRIOR]
    for (let entry = at * count; entry < (at + 1) * count; entry++) {
      const other = row[entry] ?? NONE
      if (other === NONE) break
      const target = targets[other] ?? Number.NaN
      if (!use[other] || Number.isNaN(target)) continue
      const weight = similarity[entry] ?? 0
      top += weight * target
      weights += weight
    }
    return top / weights
  })
}
