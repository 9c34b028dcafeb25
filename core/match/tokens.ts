import { onContent } from './match.ts'

/** How many tokens the prompt is estimated to be, both bounds included. */
export const tokens = onContent(({ tokens }) => tokens, {
  holds: ({ min = 0, max = Infinity }, signals) => signals.tokensWithin(min, max),
  misses: ({ min = 0, max = Infinity }, { tokens }) =>
    tokens < min
      ? `the prompt is about ${tokens} tokens, less than ${min}`
      : `the prompt is about ${tokens} tokens, more than ${max}`,
})
