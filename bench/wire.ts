/** An API, as a caller or an upstream speaks it: OpenAI's chat completions, or Anthropic's messages. */
export type Api = 'openai' | 'anthropic'

/** Who asks in which API, and which the upstream speaks. */
export interface Passage {
  readonly caller: Api
  readonly upstream: Api
}

/** The same on both ends: nothing has to be said anew. */
export const native: readonly Passage[] = [
  { caller: 'openai', upstream: 'openai' },
  { caller: 'anthropic', upstream: 'anthropic' },
]

export const translated: readonly Passage[] = [
  { caller: 'openai', upstream: 'anthropic' },
  { caller: 'anthropic', upstream: 'openai' },
]

export const isNative = ({ caller, upstream }: Passage): boolean => caller === upstream

export const paths: Readonly<Record<Api, string>> = { openai: '/v1/chat/completions', anthropic: '/v1/messages' }

/** What a caller's SDK sends besides what every system asks for. */
export const callerHeaders: Readonly<Record<Api, Readonly<Record<string, string>>>> = {
  openai: {},
  anthropic: { 'anthropic-version': '2023-06-01' },
}

/** The model's name tells a system which upstream to ask. */
export const models: Readonly<Record<Api, string>> = { openai: 'gpt-4o-mini', anthropic: 'claude-haiku-4-5' }

/** A name of our own for each of these models: where a system has such names, the field is rewritten. */
export const aliases: Readonly<Record<Api, string>> = { openai: 'support-chat', anthropic: 'support-claude' }

const rules = 'You answer questions of customers about their orders, briefly and politely.'
const question = 'My parcel was to arrive on Tuesday and it is not here yet. Where is it, and when will I have it?'

/** The chat request of 0.3 KB that every benchmark sends. */
export function requestOf({ caller, upstream }: Passage, asked: { readonly stream?: true } = {}): string {
  const model = models[upstream]
  const user = { role: 'user', content: question }
  return JSON.stringify(
    caller === 'openai'
      ? { model, messages: [{ role: 'system', content: rules }, user], temperature: 0.2, max_tokens: 256, ...asked }
      : { model, max_tokens: 256, system: rules, messages: [user], temperature: 0.2, ...asked },
  )
}

const toOpenAI: Passage = { caller: 'openai', upstream: 'openai' }
export const request = requestOf(toOpenAI)

/** The same, asking for a stream. */
export const streamRequest = requestOf(toOpenAI, { stream: true })

/** The same for a model by that name, with a question of at least so many bytes. */
export function requestNamed(model: string, bytes: number): string {
  const user = { role: 'user', content: question.repeat(Math.max(1, Math.ceil(bytes / question.length))) }
  return JSON.stringify({
    model,
    messages: [{ role: 'system', content: rules }, user],
    temperature: 0.2,
    max_tokens: 256,
  })
}

/** A request with a prompt of so many bytes, for a model that goes by another name upstream. */
export function largeRequestOf(api: Api, bytes: number): string {
  const line = 'The minutes of the meeting follow; list what was decided. '
  const messages = [{ role: 'user', content: line.repeat(Math.ceil(bytes / line.length)) }]
  return JSON.stringify({ model: aliases[api], messages, temperature: 0.2, max_tokens: 256 })
}

const sentence =
  'Your parcel left our warehouse on Monday and is with the carrier, who expects to deliver it on Thursday before noon. '
const words = sentence.repeat(10).trimEnd()

/** The answer of 1.5 KB. Without `$`, `'` and `;`, which the configuration of nginx would read. */
export const answers: Readonly<Record<Api, string>> = {
  openai: JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1700000000,
    model: models.openai,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: words, refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 52, completion_tokens: 240, total_tokens: 292 },
    system_fingerprint: 'fp_bench',
  }),
  anthropic: JSON.stringify({
    id: 'msg_01BenchBenchBenchBenchBe',
    type: 'message',
    role: 'assistant',
    model: models.anthropic,
    content: [{ type: 'text', text: words }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: {
      input_tokens: 52,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 240,
      service_tier: 'standard',
    },
  }),
}

/** Marks the time of sending in a streamed event: `@` and milliseconds since 1970 with three decimals, 18 bytes. */
export const stamp = { mark: 64, length: 18 } as const

/** Milliseconds since 1970 with the resolution of the monotonic clock, comparable between processes of one machine. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}
