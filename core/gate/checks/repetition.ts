import type { Check } from './check.ts'

/** So many words, said so many times over one another within what is looked at, are a loop. */
const WORDS = 6
const TIMES = 5
/** And they make up this share of the text at least. */
const SHARE = 0.3
/** Of a long answer, what is looked at: its end, characters. */
const LOOKED_AT = 32 * 1024

/** The answer says the same again and again. */
export const repetition: Check<unknown> = {
  early: true,
  make: () => (said) => {
    const words = said.text.slice(-LOOKED_AT).split(/\s+/).filter(Boolean)
    if (words.length < WORDS * TIMES) return undefined
    const seen = new Map<string, { count: number; last: number }>()
    for (let at = 0; at + WORDS <= words.length; at++) {
      const key = words.slice(at, at + WORDS).join(' ')
      const before = seen.get(key)
      if (!before) seen.set(key, { count: 1, last: at })
      // Overlapping ones would count a single word twice.
      else if (at - before.last >= WORDS) {
        before.count++
        before.last = at
        if (before.count >= TIMES && before.count * WORDS >= words.length * SHARE)
          return `it says the same ${WORDS} words ${before.count} times`
      }
    }
    return undefined
  },
}
