import { onContent } from './match.ts'

/** What the text says: any of some words, or a pattern. */
export const text = onContent(({ text }) => text, {
  holds: ({ in: where, test }, signals) => test(signals.lookedAt(where)),
  misses: ({ in: where, said }) =>
    `the ${where === 'LastUser' ? 'text of the last user turn' : 'conversation'} does not ${said}`,
})
