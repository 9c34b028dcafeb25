import { isSpoken } from './check.ts'
import type { Check } from './check.ts'

/** `[1]`, `[^2]`, `【3†source】`, `(Smith 2020)`, or a link. */
const MARK = /\[\^?\d{1,3}\]|【[^】]{1,80}】|\(\p{Lu}[\p{L}.& ]{1,60},? (?:19|20)\d\d[a-z]?\)|https?:\/\/[^\s)\]]+/gu

/** The answer points to fewer sources than it must, whether in its words or in the dialect's own way. */
export const citations: Check<{ readonly citations?: { readonly minimum?: number } | undefined }> = {
  early: false,
  make({ citations: { minimum = 1 } = {} }) {
    return (said) => {
      if (!isSpoken(said)) return undefined
      const found = said.citations + new Set(said.text.match(MARK)).size
      return found < minimum ? `it points to ${found} sources, fewer than ${minimum}` : undefined
    }
  },
}
