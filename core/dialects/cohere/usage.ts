import { count, record } from '../../openai-usage.ts'
import { NO_USAGE } from '../../usage.ts'
import type { Usage } from '../../usage.ts'

/**
 * The tokens of Cohere's `usage` of a chat, or `meta` of anything else; undefined where neither counts any. `tokens` is what the model
 * read and wrote, its own template included; `billed_units` leaves that out, and counts where there is nothing else (embeddings).
 */
export function usageOf(value: unknown): Usage | undefined {
  const usage = record(value)
  const tokens = record(usage?.['tokens'])
  const billed = record(usage?.['billed_units'])
  const units = billed?.['search_units']
  const counted = tokens ?? billed
  if (!counted) return undefined
  return {
    ...NO_USAGE,
    input: count(counted['input_tokens']),
    output: count(counted['output_tokens']),
    cached: count(usage?.['cached_tokens']),
    imageInput: count(counted['image_tokens']),
    ...(typeof units === 'number' ? { units: count(units) } : {}),
    ...(tokens && billed
      ? { billed: { input: count(billed['input_tokens']), output: count(billed['output_tokens']) } }
      : {}),
  }
}

/** Usage as Cohere's chat has it. Without a count of its own for what is billed, all tokens are. */
export function cohereUsage({ input, output, cached, billed = { input, output } }: Usage): unknown {
  return {
    billed_units: { input_tokens: billed.input, output_tokens: billed.output },
    tokens: { input_tokens: input, output_tokens: output },
    ...(cached > 0 ? { cached_tokens: cached } : {}),
  }
}
