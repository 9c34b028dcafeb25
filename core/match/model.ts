import type { Condition } from './match.ts'

/** What the caller put in `model`, or how that begins. */
export const model: Condition = {
  compile({ model }) {
    if (!model) return undefined
    const { value, prefix } = model
    return prefix ? (asked) => asked.model.startsWith(value) : (asked) => asked.model === value
  },
  misses: ({ model }) => `the model is not ${model?.value}${model?.prefix ? '*' : ''}`,
}
