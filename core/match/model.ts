import type { Matcher } from './match.ts'

/** What the caller put in `model`, or how that begins. */
export const model: Matcher = ({ model }) => {
  if (!model) return undefined
  const { value, prefix } = model
  return prefix ? (asked) => asked.model.startsWith(value) : (asked) => asked.model === value
}
