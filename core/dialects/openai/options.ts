import type { Effort } from '../../chat.ts'

/** In what servers of OpenAI's dialect differ. A preset for one of them is a value of this. */
export interface Options {
  /** How the limit of an answer's length is named for a model. */
  readonly maxTokens: (model: string) => 'max_tokens' | 'max_completion_tokens'
  /** Models that think before they answer, and refuse sampling parameters. */
  readonly thinks: (model: string) => boolean
  /** How hard a model can be told to think, from the least on; undefined: not known, and said as it is. */
  readonly efforts?: (model: string) => readonly Effort[]
  /** Whether `reasoning_effort` is taken where it is not known that a model thinks. */
  readonly effort: boolean
  /** Under which name the thoughts of earlier answers go back; undefined: they are left out. */
  readonly thoughts?: 'reasoning_content' | 'reasoning_details'
  /** Files that were uploaded there are named by their ids. */
  readonly files?: true
  /** A last message of the assistant is history, and no beginning to go on from. */
  readonly anew?: true
  /** Request fields beyond OpenAI's own: `top_k`, `cache_control`. */
  readonly extras: boolean
}

/** Models of OpenAI that think: o1, o3-mini, gpt-5.1, but not gpt-5-chat-latest. Fine-tuned ones have the name of what they are made of. */
const THINKING = /^(ft:)?(o\d|gpt-5)(?!(\.\d+)?-chat)/

/** https://platform.openai.com/docs/api-reference/chat/create#chat-create-reasoning_effort; any other word is a 400 (`unsupported_value`). */
function effortsOf(model: string): readonly Effort[] {
  const [, version, variant = ''] = /gpt-5(?:\.(\d+))?(.*)/.exec(model) ?? []
  if (!model.includes('gpt-5')) return ['low', 'medium', 'high']
  if (version === undefined && variant.startsWith('-pro')) return ['high']
  if (version === undefined) return variant.startsWith('-codex') ? ['low', 'medium', 'high'] : FIRST
  return version === '1' && !variant.startsWith('-codex-max') ? NEXT : [...NEXT, 'xhigh']
}
const FIRST: readonly Effort[] = ['minimal', 'low', 'medium', 'high']
const NEXT: readonly Effort[] = ['none', 'low', 'medium', 'high']

/** OpenAI's own API. https://platform.openai.com/docs/guides/reasoning: models that think take `max_completion_tokens` only, and the others take it too. */
export const openaiOptions: Options = {
  maxTokens: () => 'max_completion_tokens',
  thinks: (model) => THINKING.test(model),
  efforts: effortsOf,
  effort: false,
  anew: true,
  files: true,
  extras: false,
}

/** Servers of their own: vLLM, Ollama, TGI and hosted ones know `max_tokens`, whatever the model, and more fields than OpenAI has. */
export const compatibleOptions: Options = {
  maxTokens: () => 'max_tokens',
  thinks: () => false,
  effort: true,
  thoughts: 'reasoning_content',
  extras: true,
}
