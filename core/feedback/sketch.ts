import { MOST_UNITS, normalised } from '../learning/text.ts'
import { ngramReader } from '../learning/ngrams.ts'

/** Bins of a sketch. */
const BINS = 128
const EMPTY = 0xffffffff

/** What is left of the n-grams of a text: for each bin the least of the hashes that fall into it. */
export type Sketch = Uint32Array

let read: ReturnType<typeof ngramReader> | undefined

/** The sketch of a text, by one-permutation MinHash (Li, Owen and Zhang, NeurIPS 2012). */
export function sketchOf(text: string): Sketch {
  read ??= ngramReader(MOST_UNITS)
  const { size, index } = read(normalised(text))
  const sketch = new Uint32Array(BINS).fill(EMPTY)
  for (let at = 0; at < size; at++) {
    const hash = spread(index[at] ?? 0)
    const bin = hash & (BINS - 1)
    const rest = hash >>> 7
    if (rest < (sketch[bin] ?? EMPTY)) sketch[bin] = rest
  }
  return sketch
}

/** About what part of the n-grams of two texts are the same: the Jaccard index, 0…1. */
export function nearness(a: Sketch, b: Sketch): number {
  let [same, either] = [0, 0]
  for (let bin = 0; bin < BINS; bin++) {
    if (a[bin] === EMPTY && b[bin] === EMPTY) continue
    either++
    if (a[bin] === b[bin]) same++
  }
  return either === 0 ? 0 : same / either
}

/** Whether `nearness` is at least so much: most texts are far from one another, and that is seen after a few bins. */
export function isNear(a: Sketch, b: Sketch, least: number): boolean {
  // No more than all bins can count, of which so many may differ.
  const most = (1 - least) * BINS
  let [same, either] = [0, 0]
  for (let bin = 0; bin < BINS; bin++) {
    const [one, other] = [a[bin], b[bin]]
    if (one === other) {
      if (one === EMPTY) continue
      same++
    } else if (either - same >= most) return false
    either++
  }
  return either > 0 && same / either >= least
}

/** The finaliser of MurmurHash3: buckets that are next to each other are apart after it. */
function spread(value: number): number {
  let mixed = (value + 0x9e3779b9) >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
