/** Hash space: 2^18 buckets, so that no vocabulary is shipped (Weinberger et al., Feature Hashing, ICML 2009). */
export const BUCKETS = 2 ** 18
const SHIFT = 32 - 18

/** The n-grams of one text. The arrays are the reader's own and hold until it reads the next text; only the first `size` entries count. */
export interface Ngrams {
  /** How many different buckets the text has. */
  readonly size: number
  readonly index: Uint32Array
  /** Sublinear term frequencies 1 + ln(tf); characters and words weigh the same: each kind has Euclidean length √½. */
  readonly value: Float32Array
  /** Where the words begin: entries before are of characters, those from here on of words 1–2 that share no bucket with them. */
  readonly words: number
}

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
// Words, pairs of words and characters hash from different starts, so that `the` the word is not `the` the characters.
const WORD = Math.imul(FNV_OFFSET ^ 1, FNV_PRIME)
const PAIR = Math.imul(FNV_OFFSET ^ 2, FNV_PRIME)
const SPACE = 0x20

/** FNV-1a leaves the last unit's bits low: the finaliser of MurmurHash3 spreads them before the upper 18 are taken. */
function bucket(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> SHIFT
}

/** Letters, digits and every unit beyond ASCII make words; scripts without spaces rely on characters. */
function inWord(unit: number): boolean {
  return unit >= 0x80 ? unit !== 0xa0 && unit !== 0x3000 : (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57)
}

/**
 * A reader of hashed n-grams: words 1–2 and characters 3–5 (runs of blanks are one, one is put at each end; every digit is read as 0, since which
 * number it is tells little), FNV-1a over UTF-16 units (http://www.isthe.com/chongo/tech/comp/fnv/). All arrays are made once, none per n-gram or text.
 * It takes texts of `normalised` form, of at most `units` UTF-16 units; what is beyond is not read.
 */
export function ngramReader(units: number): (text: string) => Ngrams {
  const most = 5 * units + 8
  // Bytes, so that all counts stay in a core's second cache.
  const counts = new Uint8Array(BUCKETS)
  const index = new Uint32Array(Math.min(most, BUCKETS))
  const value = new Float32Array(index.length)
  const codes = new Uint16Array(units + 2)
  const logarithms = Float64Array.from({ length: 256 }, (_, count) => 1 + Math.log(Math.max(count, 1)))
  let size = 0

  /** Counts one n-gram; returns how many different buckets there are now. */
  const add = (hash: number, known: number): number => {
    const at = bucket(hash)
    const count = counts[at] ?? 0
    if (count < 255) counts[at] = count + 1
    if (count > 0) return known
    index[known] = at
    return known + 1
  }

  const characters = (length: number): number => {
    let known = 0
    for (let at = 0; at + 2 < length; at++) {
      let hash = Math.imul(FNV_OFFSET ^ (codes[at] ?? 0), FNV_PRIME)
      hash = Math.imul(hash ^ (codes[at + 1] ?? 0), FNV_PRIME)
      hash = Math.imul(hash ^ (codes[at + 2] ?? 0), FNV_PRIME)
      known = add(hash, known)
      if (at + 3 >= length) continue
      hash = Math.imul(hash ^ (codes[at + 3] ?? 0), FNV_PRIME)
      known = add(hash, known)
      if (at + 4 >= length) continue
      known = add(Math.imul(hash ^ (codes[at + 4] ?? 0), FNV_PRIME), known)
    }
    return known
  }

  const words = (length: number, from: number): number => {
    let known = from
    let before = 0
    for (let at = 0; at < length; at++) {
      let unit = codes[at] ?? 0
      if (!inWord(unit)) continue
      let hash = WORD
      let pair = Math.imul(PAIR ^ before, FNV_PRIME)
      while (at < length && inWord(unit)) {
        hash = Math.imul(hash ^ unit, FNV_PRIME)
        pair = Math.imul(pair ^ unit, FNV_PRIME)
        unit = codes[++at] ?? 0
      }
      known = add(hash, known)
      if (before !== 0) known = add(pair, known)
      before = hash
    }
    return known
  }

  const weigh = (from: number, to: number): void => {
    let square = 0
    for (let at = from; at < to; at++) {
      const weight = logarithms[counts[index[at] ?? 0] ?? 0] ?? 1
      value[at] = weight
      square += weight * weight
    }
    const scale = square > 0 ? Math.sqrt(0.5 / square) : 0
    for (let at = from; at < to; at++) value[at] = (value[at] ?? 0) * scale
  }

  return (text) => {
    for (let at = 0; at < size; at++) counts[index[at] ?? 0] = 0
    let length = 1
    codes[0] = SPACE
    const end = Math.min(text.length, units)
    for (let at = 0; at < end; at++) {
      const unit = text.charCodeAt(at)
      const blank = unit <= SPACE || unit === 0xa0
      if (!blank) codes[length++] = unit > 48 && unit <= 57 ? 48 : unit
      else if (codes[length - 1] !== SPACE) codes[length++] = SPACE
    }
    if (codes[length - 1] !== SPACE) codes[length++] = SPACE
    const boundary = characters(length)
    size = words(length, boundary)
    weigh(0, boundary)
    weigh(boundary, size)
    return { size, index, value, words: boundary }
  }
}
