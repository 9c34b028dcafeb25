import { ArtefactError } from './artefact-error.ts'
import type { Features, Standard } from './features.ts'
import { standardised } from './features.ts'
import { BUCKETS } from './ngrams.ts'

/** What an artefact keeps of the prompts it was made from, to tell those that are unlike them. */
export interface Novelty {
  /** One bit per bucket: whether at least two of the prompts had it. */
  readonly seen: Uint8Array
  /** 101 quantiles, over prompts like them that did not set the bits, of the share of a prompt that was seen, and of how near its dense features are. */
  readonly known: readonly number[]
  readonly near: readonly number[]
  /** The familiarity below which a prompt is novel. */
  readonly floor: number
}

/** The share of requests like those trained on that the guard takes for novel all the same. */
const NOVEL_SHARE = 0.1

/**
 * Gathers what is needed to tell prompts that are unlike those trained on. `trained` and `held` are asked once each for the features of each row, by
 * its number; those that are held back set the quantiles, since a prompt that set the bits knows itself.
 */
export function noveltyOf(trained: Iterable<Features>, held: Iterable<Features>, standard: Standard): Novelty {
  const counts = new Uint8Array(BUCKETS)
  for (const { ngrams } of trained)
    for (let at = 0; at < ngrams.size; at++) {
      const bucket = ngrams.index[at] ?? 0
      counts[bucket] = Math.min(2, (counts[bucket] ?? 0) + 1)
    }
  const seen = new Uint8Array(BUCKETS / 8)
  for (let bucket = 0; bucket < BUCKETS; bucket++)
    if (counts[bucket] === 2) seen[bucket >> 3] = (seen[bucket >> 3] ?? 0) | (1 << (bucket & 7))
  const [known, near]: [number[], number[]] = [[], []]
  for (const features of held) {
    known.push(seenShare(seen, features))
    near.push(nearness(standard, features))
  }
  const bare = { seen, known: quantiles(known), near: quantiles(near), floor: 0 }
  const ranks = known.map((share, at) => Math.min(rank(bare.known, share), rank(bare.near, near[at] ?? 0)))
  return { ...bare, floor: quantiles(ranks)[Math.round(100 * NOVEL_SHARE)] ?? 0 }
}

/**
 * How familiar a prompt is, in [0, 1]: its rank among prompts like those trained on, by the share of its n-grams (by weight) that they had, or by how
 * near its dense features are to theirs, whichever is less. Below `floor` it is novel: nothing that was learnt or certified speaks of it.
 */
export function familiarity({ seen, known, near }: Novelty, standard: Standard, features: Features): number {
  return Math.min(rank(known, seenShare(seen, features)), rank(near, nearness(standard, features)))
}

function seenShare(seen: Uint8Array, { ngrams: { size, index, value } }: Features): number {
  let [had, all] = [0, 0]
  for (let at = 0; at < size; at++) {
    const bucket = index[at] ?? 0
    const weight = (value[at] ?? 0) ** 2
    all += weight
    if (((seen[bucket >> 3] ?? 0) >> (bucket & 7)) & 1) had += weight
  }
  return all > 0 ? had / all : 0
}

/** Less the sum of squares of the standardised dense features. */
function nearness(standard: Standard, { dense }: Features): number {
  let sum = 0
  for (let at = 0; at < dense.length; at++) sum += standardised(standard, at, dense[at] ?? 0) ** 2
  return -sum
}

/** 101 quantiles, from the least to the largest. */
function quantiles(values: readonly number[]): readonly number[] {
  const sorted = [...values].sort((a, b) => a - b)
  return Array.from({ length: 101 }, (_, percent) => sorted[Math.round((percent / 100) * (sorted.length - 1))] ?? 0)
}

/** The share of a distribution, given as 101 quantiles, that is below a value; between two quantiles by a line. */
function rank(table: readonly number[], value: number): number {
  let [low, high] = [0, 101]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((table[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  if (low === 0) return value < (table[0] ?? 0) ? -1 / 100 : 0
  if (low > 100) return 1
  const [before, after] = [table[low - 1] ?? 0, table[low] ?? 0]
  return (low - 1 + (value - before) / (after - before)) / 100
}

/** The section of an artefact: the bits, then the rest as JSON. */
export function writeNovelty({ seen, known, near, floor }: Novelty): Uint8Array {
  return Buffer.concat([seen, Buffer.from(JSON.stringify({ known, near, floor }))])
}

/** Reads what `writeNovelty` wrote; throws `ArtefactError` for anything else. */
export function readNovelty(section: Uint8Array): Novelty {
  try {
    // Looked at below.
    const rest = JSON.parse(Buffer.from(section.subarray(BUCKETS / 8)).toString()) as Partial<Novelty>
    const table = (values: unknown): values is readonly number[] =>
      Array.isArray(values) && values.length === 101 && values.every((value) => Number.isFinite(value))
    const { known, near, floor } = rest
    if (table(known) && table(near) && typeof floor === 'number')
      return { seen: section.slice(0, BUCKETS / 8), known, near, floor }
  } catch (cause) {
    throw new ArtefactError('the section of novelty is not one', { cause })
  }
  throw new ArtefactError('the section of novelty is not one')
}
