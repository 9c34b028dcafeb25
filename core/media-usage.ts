import { count, record } from './openai-usage.ts'
import { NO_USAGE } from './usage.ts'
import type { Usage } from './usage.ts'

/**
 * The `usage` of OpenAI's images, speech and transcriptions (https://platform.openai.com/docs/api-reference/images/object,
 * …/audio/json-object): tokens, or the seconds of a recording. `makes`: what tokens of the answer are of where it does not tell them
 * apart. Undefined where there is none.
 */
export function mediaUsageOf(value: unknown, makes: 'image' | 'audio' | 'text'): Usage | undefined {
  const usage = record(value)
  if (!usage) return undefined
  if (usage['type'] === 'duration') return { ...NO_USAGE, audioSeconds: count(usage['seconds']) }
  const input = record(usage['input_tokens_details'] ?? usage['input_token_details'])
  const details = record(usage['output_tokens_details'])
  const output = count(usage['output_tokens'])
  const text = details ? count(details['text_tokens']) : 0
  const imageOutput = details ? count(details['image_tokens']) : makes === 'image' ? output : 0
  return {
    ...NO_USAGE,
    input: count(usage['input_tokens']),
    // Where the parts are told, they are what is billed.
    output: Math.max(output, text + imageOutput),
    cached: count(input?.['cached_tokens']),
    audioInput: count(input?.['audio_tokens']),
    audioOutput: makes === 'audio' ? output : 0,
    imageInput: count(input?.['image_tokens']),
    ...(imageOutput > 0 ? { imageOutput } : {}),
  }
}

/** The usage of several answers together. */
export function together(a: Usage, b: Usage | undefined): Usage {
  if (!b) return a
  const sum: Record<string, number> = {}
  for (const usage of [a, b])
    for (const [kind, tokens] of Object.entries(usage))
      if (typeof tokens === 'number') sum[kind] = (sum[kind] ?? 0) + tokens
  return { ...NO_USAGE, ...sum }
}
