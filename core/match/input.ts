import { onContent } from './match.ts'

/** What the request gives a model to work on; any of them. */
export const input = onContent(({ input }) => input, {
  holds: (wanted, { inputs }) => wanted.some((kind) => inputs.has(kind)),
  misses: (wanted, { inputs }) =>
    `the input is ${[...inputs].join(', ') || 'nothing known'}, without ${wanted.join(' or ')}`,
})
