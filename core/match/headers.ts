import type { Match } from '../target.ts'
import type { Asked, Condition } from './match.ts'

/** Headers, all of which must match; values are compared as they are, case included. */
export const headers: Condition = {
  compile({ headers }) {
    return headers.length === 0 ? undefined : (asked) => headers.every((header) => holds(header, asked))
  },
  misses: ({ headers }, asked) =>
    headers
      .filter((header) => !holds(header, asked))
      .map(({ name, type, value }) =>
        type === 'Present'
          ? `header ${name} is missing`
          : `header ${name} ${type === 'Prefix' ? 'does not begin with' : 'is not'} ${value}`,
      )
      .join(' and '),
}

function holds({ name, type, value }: Match['headers'][number], asked: Asked): boolean {
  const found = asked.header(name)
  if (found === undefined) return false
  return type === 'Present' || (type === 'Exact' ? found === value : found.startsWith(value))
}
