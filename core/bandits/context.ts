import { DENSE, denseReader } from '../learning/dense.ts'

/** Words are projected on so many directions. */
const DIRECTIONS = 12
/** Texts are looked at up to so many UTF-16 units. */
const MOST = 8192
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * The usual value of each dense feature and how far it usually lies off, over prompts of questions, exercises, code and conversation: a
 * regression with one ridge wants all features of one size. What they are exactly does not matter, only that all sidecars have the same.
 */
const SCALE: Readonly<Record<(typeof DENSE)[number], readonly [usual: number, off: number]>> = {
  logChars: [5.5, 1.2],
  logWords: [3.8, 1.1],
  logLines: [0.8, 1],
  wordLength: [1.7, 0.2],
  questions: [0.6, 0.5],
  digitShare: [0.03, 0.05],
  symbolShare: [0.05, 0.06],
  upperShare: [0.05, 0.06],
  codeMarks: [0.6, 1.1],
  mathMarks: [0.7, 1.1],
  reasoningWords: [0.4, 0.6],
  negations: [0.3, 0.5],
  typeTokenRatio: [0.8, 0.15],
  optionLines: [0.3, 0.7],
  numbers: [0.9, 0.9],
  foreignShare: [0.02, 0.15],
  ideographShare: [0.01, 0.1],
}
const SCALES = DENSE.map((name) => SCALE[name])

/** A feature at its usual deviation. The ridge is one answer's worth, so that features of this size are believed slowly, the constant at once. */
const SIZE = 0.1

/** Place of the prior quality in a context; before it stands the constant 1. */
export const PRIOR = 1
const FIRST = 2
/** How many numbers a context has: 1, the prior quality, the dense features, and the directions of words. */
export const CONTEXT = FIRST + DENSE.length + DIRECTIONS
/** Contexts of other forms are not to be compared. */
export const CONTEXT_FORM = `dense-${CONTEXT}`

/**
 * A reader of contexts, which returns an array of its own that holds until the next text. Dense features in units of their usual deviation,
 * at most three either way; words on `DIRECTIONS` hashed signed directions (Weinberger et al., Feature Hashing, ICML 2009), of one length together.
 * The arm's prior quality is for the caller to fill in.
 */
export function contextReader(): (text: string) => Float64Array {
  const dense = denseReader()
  const out = new Float64Array(CONTEXT)
  out[0] = 1
  return (text) => {
    const short = text.length > MOST ? text.slice(0, MOST) : text
    for (const [at, value] of dense(short).entries()) {
      const [usual, off] = SCALES[at] ?? [0, 1]
      out[FIRST + at] = SIZE * Math.max(-3, Math.min(3, (value - usual) / off))
    }
    project(short, out.subarray(FIRST + DENSE.length))
    return out
  }
}

function project(text: string, out: Float64Array): void {
  out.fill(0)
  let hash = FNV_OFFSET
  let run = 0
  for (let at = 0; at <= text.length; at++) {
    const unit = at < text.length ? text.charCodeAt(at) : 32
    const small = unit >= 65 && unit <= 90 ? unit + 32 : unit
    if ((small >= 97 && small <= 122) || unit >= 0xc0) {
      hash = Math.imul(hash ^ small, FNV_PRIME)
      run++
      continue
    }
    if (run > 0) {
      const mixed = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0
      const direction = mixed % DIRECTIONS
      out[direction] = (out[direction] ?? 0) + (mixed & 0x80000000 ? 1 : -1)
    }
    hash = FNV_OFFSET
    run = 0
  }
  let square = 0
  for (const value of out) square += value * value
  if (square > 0) for (const [at, value] of out.entries()) out[at] = (SIZE * 3 * value) / Math.sqrt(square)
}
