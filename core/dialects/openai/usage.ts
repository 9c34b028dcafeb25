import type { Usage } from '../../usage.ts'
import type { Json } from '../dialect.ts'

/** The `usage` object of OpenAI's chat; reading one is `core/openai-usage.ts`. Cache writes go where OpenRouter has them, OpenAI has no word for them. */
export function writeUsage(usage: Usage): Json {
  const written = usage.cacheWrite + usage.cacheWrite1h
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: {
      cached_tokens: usage.cached,
      audio_tokens: usage.audioInput,
      ...(written > 0 ? { cache_write_tokens: written } : {}),
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoning, audio_tokens: usage.audioOutput },
  }
}
