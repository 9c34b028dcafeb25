import { NO_USAGE } from '../../usage.ts'
import { count, record } from '../../openai-usage.ts'
import type { Usage } from '../../usage.ts'
import type { Json } from '../dialect.ts'

const within = (value: unknown): Json => record(value) ?? {}

/**
 * The tokens of a `usage` object: its `input_tokens` are those that were neither read from the cache nor written to it, ours are all.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance
 */
export function readUsage(usage: Json): Usage {
  const parts = within(usage['cache_creation'])
  const cached = count(usage['cache_read_input_tokens'])
  const hour = count(parts['ephemeral_1h_input_tokens'])
  // The parts can lag behind the sum in a stream's last event, which carries the sum alone.
  const written = Math.max(
    count(usage['cache_creation_input_tokens']),
    hour + count(parts['ephemeral_5m_input_tokens']),
  )
  return {
    ...NO_USAGE,
    input: count(usage['input_tokens']) + cached + written,
    output: count(usage['output_tokens']),
    cached,
    cacheWrite: written - hour,
    cacheWrite1h: hour,
    reasoning: count(within(usage['output_tokens_details'])['thinking_tokens']),
  }
}

/** What a stream said of the usage so far, with what an event says now: numbers are cumulative, and what is left out or null is as before. */
export function mergeUsage(before: Json, now: Json): Json {
  return {
    ...before,
    ...Object.fromEntries(Object.entries(now).filter(([, value]) => value !== null && value !== undefined)),
  }
}

/** The same as Anthropic says it of a whole answer. */
export function writeUsage(usage: Usage): Json {
  const written = usage.cacheWrite + usage.cacheWrite1h
  return {
    input_tokens: Math.max(0, usage.input - usage.cached - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: usage.cached,
    cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite, ephemeral_1h_input_tokens: usage.cacheWrite1h },
    output_tokens: usage.output,
    output_tokens_details: { thinking_tokens: usage.reasoning },
    server_tool_use: null,
    service_tier: null,
  }
}
