import { onContent } from './match.ts'

/** How often the user has spoken, both bounds included. */
export const turns = onContent(({ turns }) => turns, {
  holds: ({ min = 0, max = Infinity }, { userTurns }) => userTurns >= min && userTurns <= max,
  misses: ({ min = 0, max = Infinity }, { userTurns }) =>
    `the user has spoken ${userTurns === 1 ? 'once' : `${userTurns} times`}, ${userTurns < min ? `less than ${min}` : `more than ${max}`}`,
})
