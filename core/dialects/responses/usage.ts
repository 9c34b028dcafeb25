import { count, record } from '../../openai-usage.ts'
import { NO_USAGE } from '../../usage.ts'
import type { Usage } from '../../usage.ts'
import type { Json } from '../dialect.ts'

/** The tokens of a `usage` object of the Responses API; undefined where there is none. */
export function readUsage(value: unknown): Usage | undefined {
  const usage = record(value)
  if (!usage) return undefined
  const input = record(usage['input_tokens_details'])
  return {
    ...NO_USAGE,
    input: count(usage['input_tokens']),
    output: count(usage['output_tokens']),
    cached: count(input?.['cached_tokens']),
    cacheWrite: count(input?.['cache_write_tokens']),
    reasoning: count(record(usage['output_tokens_details'])?.['reasoning_tokens']),
  }
}

export function writeUsage(usage: Usage): Json {
  return {
    input_tokens: usage.input,
    input_tokens_details: { cached_tokens: usage.cached, cache_write_tokens: usage.cacheWrite + usage.cacheWrite1h },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: usage.input + usage.output,
  }
}
