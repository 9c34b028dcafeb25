import { isSpoken } from './check.ts'
import type { Check, Pattern } from './check.ts'

/** Of an answer, what is looked at, characters. */
const LOOKED_AT = 64 * 1024

/** The answer has to match an expression, or must not. */
export const pattern: Check<{
  readonly pattern?: { readonly must?: Pattern | undefined; readonly mustNot?: Pattern | undefined } | undefined
}> = {
  early: false,
  make({ pattern: { must, mustNot } = {} }) {
    return (said) => {
      if (!isSpoken(said)) return undefined
      const text = said.text.slice(0, LOOKED_AT)
      if (must && !must(text)) return 'it does not match what it must'
      return mustNot?.(text) ? 'it matches what it must not' : undefined
    }
  },
}
