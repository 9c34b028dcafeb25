import { count, record } from '../../openai-usage.ts'
import { NO_USAGE } from '../../usage.ts'
import type { Usage } from '../../usage.ts'
import type { Json } from '../dialect.ts'

/**
 * The tokens of a `usage` object: its `inputTokens` are those that were neither read from the cache nor written to it, ours are all.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
 */
export function readUsage(value: unknown): Usage | undefined {
  const usage = record(value)
  if (!usage) return undefined
  const cached = count(usage['cacheReadInputTokens'])
  const written = count(usage['cacheWriteInputTokens'])
  const details: readonly unknown[] = Array.isArray(usage['cacheDetails']) ? usage['cacheDetails'] : []
  const hour = Math.min(
    written,
    details.map((it) => record(it)).reduce((sum, it) => sum + (it?.['ttl'] === '1h' ? count(it['inputTokens']) : 0), 0),
  )
  return {
    ...NO_USAGE,
    input: count(usage['inputTokens']) + cached + written,
    output: count(usage['outputTokens']),
    cached,
    cacheWrite: written - hour,
    cacheWrite1h: hour,
  }
}

/** The same as Bedrock says it. */
export function writeUsage(usage: Usage): Json {
  const { input, output, cached, cacheWrite, cacheWrite1h } = usage
  const written = cacheWrite + cacheWrite1h
  const details = [
    ...(cacheWrite1h > 0 ? [{ ttl: '1h', inputTokens: cacheWrite1h }] : []),
    ...(cacheWrite > 0 ? [{ ttl: '5m', inputTokens: cacheWrite }] : []),
  ]
  return {
    inputTokens: Math.max(0, input - cached - written),
    outputTokens: output,
    totalTokens: input + output,
    cacheReadInputTokens: cached,
    cacheWriteInputTokens: written,
    ...(details.length > 0 ? { cacheDetails: details } : {}),
  }
}
