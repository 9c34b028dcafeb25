import { record } from '../../openai-usage.ts'
import type { Words } from '../../providers/request-words.ts'
import { rewriteMessages } from './messages.ts'

/** Models that think whenever they are asked; others do where `reasoning_effort` is `high`. */
export const THINKING = /^magistral/

const known = (names: string): ReadonlySet<string> => new Set(names.split(' '))

/** `POST /v1/chat/completions`: any other field is a 422 (`extra_forbidden`). https://docs.mistral.ai/api/endpoint/chat */
const CHAT = known(
  'model temperature top_p max_tokens stream stop random_seed metadata messages response_format tools tool_choice presence_penalty ' +
    'frequency_penalty n prediction parallel_tool_calls reasoning_effort prompt_mode guardrails prompt_cache_key service_tier safe_prompt',
)

/** Mistral's chat, for a model that thinks or one that does not. */
export const chatWords = (thinks: boolean, model: string): Words => ({
  renamed: { max_completion_tokens: 'max_tokens', seed: 'random_seed' },
  // These think always; the field is for models that can be told.
  refused: THINKING.test(model) ? { reasoning_effort: 'high' } : {},
  known: CHAT,
  values: {
    // The usage comes with the last chunk of every stream.
    stream_options: (options) => ({
      value: undefined,
      lost: record(options)?.['include_obfuscation'] === true ? ['stream_options.include_obfuscation'] : [],
    }),
    tool_choice: (choice) => (choice === 'required' ? { value: 'any' } : undefined),
    reasoning_effort: (effort) =>
      effort === 'none' || effort === 'high' ? undefined : { value: effort === 'minimal' ? 'none' : 'high' },
    messages(messages) {
      const rewritten = rewriteMessages(messages, thinks)
      return rewritten && { value: rewritten.messages, lost: rewritten.lost }
    },
  },
})

/** `POST /v1/embeddings`: https://docs.mistral.ai/api/endpoint/embeddings */
export const embeddingsWords: Words = {
  renamed: { dimensions: 'output_dimension' },
  known: known('model metadata input output_dimension output_dtype encoding_format'),
}

/** `POST /v1/audio/transcriptions`: https://docs.mistral.ai/api/endpoint/audio/transcriptions */
export const transcriptionsWords: Words = {
  // JSON is what it answers with.
  refused: { response_format: 'json' },
  known: known(
    'model file file_url file_id language temperature stream diarize context_bias timestamp_granularities timestamp_granularities[]',
  ),
}

/** `POST /v1/moderations`: https://docs.mistral.ai/api/endpoint/classifiers */
export const moderationsWords: Words = { known: known('model metadata input') }
