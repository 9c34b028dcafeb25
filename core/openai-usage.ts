import type { Usage } from './exchange.ts'

/** The tokens of an OpenAI `usage` object, of chat, completions or embeddings; undefined where there is none. */
export function usageOf(value: unknown): Usage | undefined {
  const usage = record(value)
  if (!usage) return undefined
  return {
    input: count(usage['prompt_tokens']),
    output: count(usage['completion_tokens']),
    cached: count(record(usage['prompt_tokens_details'])?.['cached_tokens']),
    reasoning: count(record(usage['completion_tokens_details'])?.['reasoning_tokens']),
  }
}

/** The value as an object, or undefined. */
export function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>) // an object has string keys, and their values are unknown
    : undefined
}

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0)
