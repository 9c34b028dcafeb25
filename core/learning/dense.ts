/** The dense features of a text, in the order of their array: the part of a request's signals that a training row has too. */
export const DENSE = [
  'logChars',
  'logWords',
  'logLines',
  'wordLength',
  'questions',
  'digitShare',
  'symbolShare',
  'upperShare',
  'codeMarks',
  'mathMarks',
  'reasoningWords',
  'negations',
  'typeTokenRatio',
  'optionLines',
  'numbers',
  'foreignShare',
  'ideographShare',
] as const

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

function hashed(word: string): number {
  let hash = FNV_OFFSET
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), FNV_PRIME)
  return hash
}

const words = (text: string): ReadonlySet<number> => new Set(text.split(' ').map(hashed))

const REASONING = words(
  'why how explain prove proof derive show compare analyze analyse evaluate reason reasoning step steps design justify assume suppose optimize ' +
    'architecture tradeoff tradeoffs therefore hence infer conclude deduce calculate compute solve determine estimate theorem lemma ' +
    'warum erkläre beweise vergleiche pourquoi explique comparez concevez explica compara demuestra diseña explique projete',
)
const NEGATION = words(
  'not no never none neither nor cannot without except false incorrect least nicht kein keine pas jamais sans nunca sin sem não',
)

/** Different words are told apart among this many hashes: a bound on time, near enough for a share. */
const SEEN = 4096
const slotOf = (hash: number): number => (hash ^ (hash >>> 15)) & (SEEN - 1)
/** Which slots have a word that is looked for: most words need no look into the sets. */
const KNOWN = new Uint8Array(SEEN)
for (const hash of [...REASONING, ...NEGATION]) KNOWN[slotOf(hash)] = 1

/**
 * A reader of dense features: it returns its own array of `DENSE.length` numbers, which holds until the next text. Counts are logarithms
 * (ln(1 + n)), shares lie in [0, 1]. The text is as it came (upper case tells), capped by the caller.
 */
export function denseReader(): (text: string) => Float64Array {
  const out = new Float64Array(DENSE.length)
  const seen = new Uint32Array(SEEN)
  let epoch = 0
  return (text) => {
    epoch++
    let [letters, upper, digits, symbols, questions, lines, options] = [0, 0, 0, 0, 0, 1, 0]
    let [code, maths, foreign, ideographs, numbers] = [0, 0, 0, 0, 0]
    let [wordCount, wordUnits, different, reasoning, negations] = [0, 0, 0, 0, 0]
    let hash = FNV_OFFSET
    let run = 0
    let before = 10
    let lineUnits = 0
    const length = text.length
    for (let at = 0; at <= length; at++) {
      const unit = at < length ? text.charCodeAt(at) : 32
      const small = unit >= 65 && unit <= 90 ? unit + 32 : unit
      const digit = unit >= 48 && unit <= 57
      if ((small >= 97 && small <= 122) || digit || unit >= 0xc0) {
        hash = Math.imul(hash ^ small, FNV_PRIME)
        run++
        if (digit) {
          digits++
          if (before < 48 || before > 57) numbers++
        } else letters++
        if (unit !== small) upper++
        if (unit >= 0x250) foreign++
        if ((unit >= 0x3041 && unit <= 0x9fff) || (unit >= 0xac00 && unit <= 0xd7a3)) ideographs++
      } else {
        if (run > 0) {
          wordCount++
          wordUnits += run
          const slot = slotOf(hash)
          if (seen[slot] !== epoch) {
            seen[slot] = epoch
            different++
          }
          if (KNOWN[slot] === 1) {
            if (REASONING.has(hash)) reasoning++
            if (NEGATION.has(hash)) negations++
          }
        }
        // `A.`, `b)` or `3:` at the beginning of a line.
        if (run === 1 && lineUnits === 1 && (unit === 46 || unit === 41 || unit === 58)) options++
        run = 0
        hash = FNV_OFFSET
        if (unit === 10) {
          lines++
          lineUnits = -1
        } else if (unit > 32) symbols++
        if (unit === 63 || unit === 0xbf) questions++
        if (unit === 96 || unit === 123 || unit === 125 || unit === 59 || unit === 95 || (unit === 61 && before === 61))
          code++
        if (unit === 36 || unit === 92 || unit === 94 || unit === 43 || unit === 61 || unit === 42) maths++
      }
      lineUnits++
      before = unit
    }
    const chars = Math.max(length, 1)
    out[0] = Math.log1p(length)
    out[1] = Math.log1p(wordCount)
    out[2] = Math.log(lines)
    out[3] = Math.log1p(wordUnits / Math.max(wordCount, 1))
    out[4] = Math.log1p(questions)
    out[5] = digits / chars
    out[6] = symbols / chars
    out[7] = upper / Math.max(letters, 1)
    out[8] = Math.log1p(code)
    out[9] = Math.log1p(maths)
    out[10] = Math.log1p(reasoning)
    out[11] = Math.log1p(negations)
    out[12] = different / Math.max(wordCount, 1)
    out[13] = Math.log1p(options)
    out[14] = Math.log1p(numbers)
    out[15] = foreign / chars
    out[16] = ideographs / chars
    return out
  }
}
