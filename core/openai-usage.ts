import type { Usage } from './usage.ts'

/**
 * The tokens of an OpenAI `usage` object, of chat, completions or embeddings, with the words that servers of its dialect have besides:
 * DeepSeek's `prompt_cache_hit_tokens`, Moonshot's `cached_tokens`, OpenRouter's `cache_write_tokens` and `video_tokens`. xAI counts thought
 * besides the completion (https://docs.x.ai/docs/key-information/consumption-and-rate-limits), which shows in the total; Gemini's compatible
 * API does so too and does not even name it. Undefined where there is none.
 */
export function usageOf(value: unknown): Usage | undefined {
  const usage = record(value)
  if (!usage) return undefined
  const prompt = record(usage['prompt_tokens_details'])
  const completion = record(usage['completion_tokens_details'])
  const [input, said] = [count(usage['prompt_tokens']), count(usage['completion_tokens'])]
  const named = completion?.['reasoning_tokens'] ?? usage['reasoning_tokens']
  const cached = count(prompt?.['cached_tokens'] ?? usage['prompt_cache_hit_tokens'] ?? usage['cached_tokens'])
  const more = count(usage['total_tokens']) - input - said
  // A total may hold a cache besides, but not where none is spoken of.
  const reasoning = named === undefined && cached === 0 && more > 0 ? more : count(named)
  const besides = reasoning > 0 && more === reasoning
  const [imageOutput, videoInput] = [count(completion?.['image_tokens']), count(prompt?.['video_tokens'])]
  return {
    input,
    output: besides ? said + reasoning : said,
    cached,
    cacheWrite: count(prompt?.['cache_write_tokens']),
    cacheWrite1h: 0,
    reasoning,
    audioInput: count(prompt?.['audio_tokens']),
    audioOutput: count(completion?.['audio_tokens']),
    imageInput: count(prompt?.['image_tokens']),
    ...(imageOutput > 0 ? { imageOutput } : {}),
    ...(videoInput > 0 ? { videoInput } : {}),
  }
}

/** The value as an object, or undefined. */
export function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>) // an object has string keys, and their values are unknown
    : undefined
}

/** A number of tokens as a provider says it: what is none, or below nothing, is 0. */
export const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0)
