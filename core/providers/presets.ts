import type { Json } from '../dialects/dialect.ts'
import { compatibleOptions } from '../dialects/openai/options.ts'
import type { Options } from '../dialects/openai/options.ts'
import { teiRerankTarget } from '../dialects/cohere/rerank.ts'
import type { RerankTarget } from '../dialects/dialect.ts'
import type { ErrorCode } from '../errors.ts'
import { record } from '../openai-usage.ts'
import type { Said, Words } from './request-words.ts'

/** In what a server of OpenAI's dialect differs from the others. */
export interface Preset {
  /** The base URL of one that is hosted. */
  readonly url?: string
  /** The surfaces that it speaks itself. */
  readonly served: ReadonlySet<string>
  readonly words?: (surface: string, model: string) => Words | undefined
  readonly options?: Options
  /** It goes on from a last message of the assistant, whatever the model, where the request has these fields. */
  readonly continues?: Json
  /** Where it ranks documents in words of its own. */
  readonly rerank?: RerankTarget
  /** What its failures mean that no other server has. */
  readonly classify?: (status: number, body: string) => ErrorCode | undefined
}

const surfaces = (names: string): ReadonlySet<string> => new Set(names.split(' '))

/** All that servers of their own have; whether one does, it says itself. `responses` are translated, since few have them. */
const ANY =
  'chat completions embeddings rerank rerank_v2 image_generations image_edits image_variations speech transcriptions translations moderations'

const onlyChat =
  (words: (model: string) => Words): NonNullable<Preset['words']> =>
  (surface, model) =>
    surface === 'chat' ? words(model) : undefined

/** Messages whose members some servers refuse: `change` gives a message in their words, or the same; what it takes out goes to `lost`. */
const messages =
  (change: (message: Json, at: string, lost: string[]) => Json) =>
  (value: unknown): Said | undefined => {
    if (!Array.isArray(value)) return undefined
    const lost: string[] = []
    const written = value.map((item: unknown, i) => {
      const message = record(item)
      return message ? change(message, `messages.${i}`, lost) : item
    })
    return written.some((message, i) => message !== value[i]) ? { value: written, lost } : undefined
  }

function without(message: Json, name: string): Json {
  const { [name]: _, ...rest } = message
  return rest
}

const asSystem = (message: Json): Json => (message['role'] === 'developer' ? { ...message, role: 'system' } : message)

/** Thoughts of earlier answers go back as `reasoning`, which is how they came. */
function asReasoning(message: Json): Json {
  const { reasoning_content: thought } = message
  if (thought === undefined) return message
  const rest = without(message, 'reasoning_content')
  return thought === null || thought === '' || 'reasoning' in rest ? rest : { ...rest, reasoning: thought }
}

/** What a server keeps, bills or counts by, which has no place where there is no account. */
const ofAccounts: Json = {
  user: null,
  store: false,
  metadata: null,
  service_tier: 'auto',
  prompt_cache_key: null,
  safety_identifier: null,
}

/** https://docs.ollama.com/api/openai-compatibility, and `openai/openai.go`, whose request has these fields and passes over all others. */
const ollama: Words = {
  renamed: { max_completion_tokens: 'max_tokens' },
  refused: {
    ...ofAccounts,
    tool_choice: 'auto',
    parallel_tool_calls: true,
    logit_bias: null,
    n: 1,
    modalities: null,
    audio: null,
  },
  signs: { messages: ['"reasoning_content"'] },
  values: { messages: messages(asReasoning) },
}

/** `router/src/lib.rs`: `n` and `logit_bias` are there and not used, `stop` is a list alone. */
const tgi: Words = {
  renamed: { max_completion_tokens: 'max_tokens' },
  refused: { n: 1, logit_bias: null, parallel_tool_calls: true },
  values: { stop: (stop) => (typeof stop === 'string' ? { value: [stop] } : undefined) },
}

/** https://console.groq.com/docs/openai: a 400 for these; and "property 'reasoning_content' is unsupported". */
const groq: Words = {
  refused: { logprobs: false, top_logprobs: null, logit_bias: null, n: 1 },
  signs: { messages: ['"name"', '"reasoning_content"'] },
  values: {
    messages: messages((message, at, lost) => {
      const thought = asReasoning(message)
      // The name of a tool is told by the call that its message answers.
      if (!('name' in thought)) return thought
      if (thought['role'] !== 'tool' && thought['name'] !== null) lost.push(`${at}.name`)
      return without(thought, 'name')
    }),
  },
}

/** https://console.groq.com/docs/errors: no room for the flexible tier, and a call that the model wrote wrongly, which is none of the caller's doing. */
const groqFailure = (status: number, body: string): ErrorCode | undefined => {
  if (status === 498) return 'upstream_busy'
  return status === 400 && body.includes('"tool_use_failed"') ? 'upstream_error' : undefined
}

/** https://docs.together.ai/reference/chat-completions-1 */
const together: Words = { renamed: { max_completion_tokens: 'max_tokens' } }

/**
 * https://api-docs.deepseek.com/api/create-chat-completion: the role `developer`, `json_schema` and more than one answer are a 400; `seed`
 * and `logit_bias` are passed over.
 */
const deepSeek: Words = {
  renamed: { max_completion_tokens: 'max_tokens' },
  refused: { ...ofAccounts, n: 1, seed: null, logit_bias: null, parallel_tool_calls: true },
  signs: { messages: ['"developer"'] },
  values: {
    messages: messages(asSystem),
    response_format: (format) =>
      record(format)?.['type'] === 'json_schema'
        ? { value: { type: 'json_object' }, lost: ['response_format.json_schema'] }
        : undefined,
  },
}

/** https://docs.x.ai/docs/guides/reasoning: models that think refuse these, and only some can be told how hard to. */
const xAI = (model: string): Words => {
  if (/non-reasoning/.test(model) || !/^grok-(3-mini|4|code)/.test(model)) return {}
  const sampling = { presence_penalty: 0, frequency_penalty: 0, stop: null }
  return { refused: /^grok-(4(-fast|-0709|$)|code)/.test(model) ? { ...sampling, reasoning_effort: null } : sampling }
}

/** The names that `spec.provider.openAICompatible.preset` takes. */
export const presets = {
  Generic: { served: surfaces(ANY) },
  // https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
  VLLM: {
    served: surfaces(`${ANY} responses`),
    continues: { continue_final_message: true, add_generation_prompt: false },
  },
  Ollama: { served: surfaces('chat completions embeddings'), words: onlyChat(() => ollama) },
  TGI: { served: surfaces('chat completions'), words: onlyChat(() => tgi) },
  // Text Embeddings Inference, https://huggingface.github.io/text-embeddings-inference; its base URL has no `/v1`.
  TEI: { served: surfaces('embeddings'), rerank: teiRerankTarget },
  Groq: {
    url: 'https://api.groq.com/openai/v1',
    served: surfaces('chat responses embeddings speech transcriptions translations'),
    words: onlyChat(() => groq),
    classify: groqFailure,
  },
  Together: {
    url: 'https://api.together.xyz/v1',
    served: surfaces('chat completions embeddings rerank image_generations speech transcriptions translations'),
    words: onlyChat(() => together),
  },
  DeepSeek: { url: 'https://api.deepseek.com/v1', served: surfaces('chat'), words: onlyChat(() => deepSeek) },
  XAI: {
    url: 'https://api.x.ai/v1',
    served: surfaces('chat completions responses image_generations'),
    words: onlyChat(xAI),
  },
  OpenRouter: {
    url: 'https://openrouter.ai/api/v1',
    served: surfaces('chat completions embeddings responses'),
    options: { ...compatibleOptions, thoughts: 'reasoning_details' },
  },
  Fireworks: {
    url: 'https://api.fireworks.ai/inference/v1',
    served: surfaces('chat completions embeddings rerank responses'),
  },
} as const satisfies Readonly<Record<string, Preset>>

export type PresetName = keyof typeof presets

// The object's own keys, which its type knows.
export const presetNames = Object.keys(presets) as readonly PresetName[]

const byName: ReadonlyMap<unknown, Preset> = new Map(presetNames.map((name) => [name, presets[name]]))

/** The preset of settings; Generic where they name none. */
export function presetOf({ preset = 'Generic' }: Json): Preset {
  const found = byName.get(preset)
  if (!found) throw new Error(`unknown preset ${String(preset)}`)
  return found
}
