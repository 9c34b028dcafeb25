import { DENSE } from './dense.ts'
import type { Features, Standard } from './features.ts'
import { standardised, standardOf } from './features.ts'
import type { Rows } from './head.ts'
import { BUCKETS } from './ngrams.ts'

/** How much a standard deviation of a dense feature weighs beside a text's n-grams, which have length 1 together. */
const DENSE_SCALE = 0.3

/** The features of many texts, as heads learn from them: columns below `buckets` are n-grams, then come the dense features. */
export interface Table {
  /** A power of two: how many buckets heads have. With fewer than the reader has, several of its buckets share one. */
  readonly buckets: number
  readonly rows: Rows
  /** Where the words of each row begin, for whoever compares rows by words. */
  readonly words: Uint32Array
  readonly standard: Standard
  /** What each column was multiplied by: a weight learnt here times this is one for features as they are read. */
  readonly scale: Float32Array
}

/**
 * Reads texts into a table. A bucket's column is scaled by its inverse document frequency, ln(1 + n ∕ (1 + df)) ∕ 4: rare n-grams may take larger
 * weights (a prior, not a feature: it is folded into the weights, and what serves never sees it).
 */
export function tableOf(texts: readonly string[], read: (text: string) => Features, buckets: number = BUCKETS): Table {
  const count = texts.length
  const shift = Math.log2(BUCKETS / buckets)
  const offsets = new Uint32Array(count + 1)
  const words = new Uint32Array(count)
  const kept: { readonly index: Uint32Array; readonly value: Float32Array }[] = []
  const dense: Float64Array[] = []
  const frequency = new Uint32Array(buckets)
  for (const [row, text] of texts.entries()) {
    const features = read(text)
    const { size, index, value, words: boundary } = features.ngrams
    const own = index.slice(0, size).map((bucket) => bucket >>> shift)
    kept.push({ index: own, value: value.slice(0, size) })
    dense.push(features.dense.slice())
    for (const bucket of own) frequency[bucket] = (frequency[bucket] ?? 0) + 1
    words[row] = (offsets[row] ?? 0) + boundary
    offsets[row + 1] = (offsets[row] ?? 0) + size + DENSE.length
  }
  const standard = standardOf(dense)
  const scale = new Float32Array(buckets + DENSE.length).fill(DENSE_SCALE)
  for (let bucket = 0; bucket < buckets; bucket++)
    scale[bucket] = Math.log(1 + count / (1 + (frequency[bucket] ?? 0))) / 4
  const index = new Uint32Array(offsets[count] ?? 0)
  const value = new Float32Array(index.length)
  for (const [row, part] of kept.entries()) {
    const from = offsets[row] ?? 0
    index.set(part.index, from)
    for (let at = 0; at < part.index.length; at++)
      value[from + at] = (part.value[at] ?? 0) * (scale[part.index[at] ?? 0] ?? 0)
    for (let at = 0; at < DENSE.length; at++) {
      index[from + part.index.length + at] = buckets + at
      value[from + part.index.length + at] = standardised(standard, at, dense[row]?.[at] ?? 0) * DENSE_SCALE
    }
  }
  return { buckets, rows: { offsets, index, value }, words, standard, scale }
}
