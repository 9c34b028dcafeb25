import type { Matcher } from './match.ts'

/** Headers, all of which must match; values are compared as they are, case included. */
export const headers: Matcher = ({ headers }) => {
  if (headers.length === 0) return undefined
  return (asked) =>
    headers.every(({ name, type, value }) => {
      const found = asked.header(name)
      if (found === undefined) return false
      return type === 'Present' || (type === 'Exact' ? found === value : found.startsWith(value))
    })
}
