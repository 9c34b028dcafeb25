import type { FinishReason } from '../../chat.ts'

const reasons: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
  function_call: 'tool_calls', // before tools there were functions
  tool_call: 'tool_calls',
  tool_use: 'tool_calls',
  max_tokens: 'length',
  model_length: 'length', // Mistral
  max_output_tokens: 'length',
  safety: 'content_filter',
  recitation: 'content_filter',
  sensitive: 'content_filter', // Zhipu
  content_filtered: 'content_filter',
  refusal: 'content_filter',
  // Proxies of Gemini that say its reasons by number: https://ai.google.dev/api/generate-content#FinishReason
  2: 'length',
  3: 'content_filter',
  4: 'content_filter',
}

/** Reasons that say that the answer failed: DeepSeek's `insufficient_system_resource`, OpenRouter's and Mistral's `error`. */
const failures = new Set(['error', 'insufficient_system_resource', 'abort'])

/**
 * Why an answer ended, in whatever words a server of the dialect has (`eos`, `eos_token`, `end_turn`, a number): what is not known is a
 * `stop`. One that called tools ended for that, even where the server says `stop`. Undefined where the answer failed.
 */
export function finishOf(reason: string | number, calledTools: boolean): FinishReason | undefined {
  const word = String(reason).toLowerCase()
  if (failures.has(word)) return undefined
  const known = Object.hasOwn(reasons, word) ? reasons[word] : undefined
  return (known ?? 'stop') === 'stop' && calledTools ? 'tool_calls' : (known ?? 'stop')
}
