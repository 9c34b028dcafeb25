/** How a caller of one API asks, and how it takes what it gets: by the letter of that API, without any code of the product's. */
export interface Caller {
  readonly name: string
  /** Whose API it is: the provider that speaks it natively. */
  readonly provider: Provider
  path(model: string, stream: boolean): string
  body(model: string, stream: boolean): unknown
  /** A whole answer of status 200. */
  whole(body: Body): Got
  stream(bytes: Buffer): Got
}

export type Provider = 'openai' | 'anthropic' | 'gemini' | 'cohere' | 'bedrock'
type Body = Readonly<Record<string, unknown>>

/** What a caller comes away with. */
export interface Got {
  readonly text: string
  /** The answer says that it is finished, with a reason. */
  readonly finished: boolean
  /** The words of an error. */
  readonly error: string | undefined
  /** What the API would never do: an SDK may break on it. */
  readonly odd?: string
}

const PROMPT = 'Tell me of the harbour and the tide.'
const of = (value: unknown, ...keys: readonly (string | number)[]): unknown => {
  let at = value
  for (const key of keys) at = at === null || typeof at !== 'object' ? undefined : Reflect.get(at, key)
  return at
}
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The events of a stream of server-sent events; what is no JSON is left as text. */
function events(bytes: Buffer): readonly unknown[] {
  return bytes
    .toString()
    .split(/\r?\n\r?\n/)
    .flatMap((block) => {
      const data = block
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trim())
        .join('\n')
      if (data === '') return []
      return data === '[DONE]' ? ['[DONE]'] : [JSON.parse(data) as unknown]
    })
}

const chat: Caller = {
  name: 'chat',
  provider: 'openai',
  path: () => '/v1/chat/completions',
  body: (model, stream) => ({ model, stream, messages: [{ role: 'user', content: PROMPT }] }),
  whole: (body) => ({
    text: text(of(body, 'choices', 0, 'message', 'content')),
    finished: of(body, 'choices', 0, 'finish_reason') === 'stop',
    error: undefined,
  }),
  stream(bytes) {
    const all = events(bytes)
    const finished = all.some((it) => of(it, 'choices', 0, 'finish_reason') === 'stop')
    const error = all.map((it) => of(it, 'error', 'message')).find((it) => typeof it === 'string')
    const roles = all.filter((it) => of(it, 'choices', 0, 'delta', 'role') !== undefined).length
    const ids = new Set(all.flatMap((it) => of(it, 'id') ?? []))
    return {
      text: all.map((it) => text(of(it, 'choices', 0, 'delta', 'content'))).join(''),
      finished: finished && all.at(-1) === '[DONE]',
      error: text(error) || undefined,
      ...(roles > 1 ? { odd: 'two roles' } : ids.size > 1 ? { odd: 'two ids' } : {}),
    }
  },
}

const messages: Caller = {
  name: 'messages',
  provider: 'anthropic',
  path: () => '/v1/messages',
  body: (model, stream) => ({ model, stream, max_tokens: 500, messages: [{ role: 'user', content: PROMPT }] }),
  whole: (body) => ({
    text: text(of(body, 'content', 0, 'text')),
    finished: of(body, 'stop_reason') === 'end_turn',
    error: undefined,
  }),
  stream(bytes) {
    const all = events(bytes)
    let odd: string | undefined
    let open: unknown
    let next = 0
    for (const [i, event] of all.entries()) {
      const type = of(event, 'type')
      if ((type === 'message_start') !== (i === 0) && type !== 'error') odd ??= `${text(type)} at ${i}`
      if (type === 'content_block_start') {
        if (open !== undefined || of(event, 'index') !== next++) odd ??= 'a block out of order'
        open = of(event, 'index')
      }
      if (type === 'content_block_delta' && of(event, 'index') !== open) odd ??= 'a delta of no block'
      if (type === 'content_block_stop') {
        if (of(event, 'index') !== open) odd ??= 'an end of no block'
        open = undefined
      }
    }
    const error = all.map((it) => of(it, 'error', 'message')).find((it) => typeof it === 'string')
    return {
      text: all.map((it) => text(of(it, 'delta', 'text'))).join(''),
      finished:
        all.some((it) => of(it, 'delta', 'stop_reason') === 'end_turn') && of(all.at(-1), 'type') === 'message_stop',
      error: text(error) || undefined,
      ...(odd === undefined ? {} : { odd }),
    }
  },
}

const responses: Caller = {
  name: 'responses',
  provider: 'openai',
  path: () => '/v1/responses',
  body: (model, stream) => ({ model, stream, input: PROMPT }),
  whole: (body) => ({
    text: text(of(body, 'output', 0, 'content', 0, 'text')),
    finished: of(body, 'status') === 'completed',
    error: undefined,
  }),
  stream(bytes) {
    const all = events(bytes)
    const error = all.map((it) => of(it, 'error', 'message') ?? of(it, 'message')).find((it) => typeof it === 'string')
    const created = all.filter((it) => of(it, 'type') === 'response.created').length
    const items = new Set(all.flatMap((it) => of(it, 'item_id') ?? []))
    const last = of(all.at(-1), 'response', 'output', 0, 'content', 0, 'text')
    const said = all
      .filter((it) => of(it, 'type') === 'response.output_text.delta')
      .map((it) => text(of(it, 'delta')))
      .join('')
    const finished = of(all.at(-1), 'type') === 'response.completed'
    return {
      text: said,
      finished,
      error: text(error) || undefined,
      ...(created > 1 ? { odd: 'created twice' } : {}),
      ...(items.size > 1 ? { odd: 'two items' } : {}),
      ...(finished && text(last) !== said ? { odd: 'the whole is not what was said' } : {}),
    }
  },
}

const generateContent: Caller = {
  name: 'generateContent',
  provider: 'gemini',
  path: (model, stream) => `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  body: () => ({ contents: [{ role: 'user', parts: [{ text: PROMPT }] }] }),
  whole: (body) => ({
    text: text(of(body, 'candidates', 0, 'content', 'parts', 0, 'text')),
    finished: of(body, 'candidates', 0, 'finishReason') === 'STOP',
    error: undefined,
  }),
  stream(bytes) {
    const all = events(bytes)
    const error = all.map((it) => of(it, 'error', 'message')).find((it) => typeof it === 'string')
    return {
      text: all.map((it) => text(of(it, 'candidates', 0, 'content', 'parts', 0, 'text'))).join(''),
      finished: all.some((it) => of(it, 'candidates', 0, 'finishReason') === 'STOP'),
      error: text(error) || undefined,
    }
  },
}

const cohere: Caller = {
  name: 'Cohere chat',
  provider: 'cohere',
  path: () => '/v2/chat',
  body: (model, stream) => ({ model, stream, messages: [{ role: 'user', content: PROMPT }] }),
  whole: (body) => ({
    text: text(of(body, 'message', 'content', 0, 'text')),
    finished: of(body, 'finish_reason') === 'COMPLETE',
    error: undefined,
  }),
  stream(bytes) {
    const all = events(bytes)
    const end = all.find((it) => of(it, 'type') === 'message-end')
    const starts = all.filter((it) => of(it, 'type') === 'message-start').length
    const reason = of(end, 'delta', 'finish_reason')
    return {
      text: all.map((it) => text(of(it, 'delta', 'message', 'content', 'text'))).join(''),
      finished: reason === 'COMPLETE',
      error: reason === 'ERROR' || reason === 'ERROR_TOXIC' ? text(of(end, 'delta', 'error')) || 'ERROR' : undefined,
      ...(starts > 1 ? { odd: 'two beginnings' } : {}),
    }
  },
}

/** Messages of AWS's event stream: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html */
function frames(
  bytes: Buffer,
): readonly { readonly type: string; readonly exception: boolean; readonly body: unknown }[] {
  const out = []
  for (let at = 0; at + 16 <= bytes.length; at += bytes.readUInt32BE(at)) {
    const [total, headers] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
    const named = new Map<string, string>()
    for (let i = at + 12; i < at + 12 + headers;) {
      const length = bytes.readUInt8(i)
      const name = bytes.toString('utf8', i + 1, i + 1 + length)
      const size = bytes.readUInt16BE(i + 2 + length)
      named.set(name, bytes.toString('utf8', i + 4 + length, i + 4 + length + size))
      i += 4 + length + size
    }
    const payload = bytes.toString('utf8', at + 12 + headers, at + total - 4)
    out.push({
      type: named.get(':event-type') ?? named.get(':exception-type') ?? '',
      exception: named.get(':message-type') !== 'event',
      body: JSON.parse(payload) as unknown,
    })
  }
  return out
}

const converse: Caller = {
  name: 'converse',
  provider: 'bedrock',
  path: (model, stream) => `/model/${encodeURIComponent(model)}/converse${stream ? '-stream' : ''}`,
  body: () => ({ messages: [{ role: 'user', content: [{ text: PROMPT }] }] }),
  whole: (body) => ({
    text: text(of(body, 'output', 'message', 'content', 0, 'text')),
    finished: of(body, 'stopReason') === 'end_turn',
    error: undefined,
  }),
  stream(bytes) {
    const all = frames(bytes)
    const exception = all.find((it) => it.exception)
    const starts = all.filter(({ type }) => type === 'messageStart').length
    return {
      text: all.map(({ body }) => text(of(body, 'delta', 'text'))).join(''),
      finished: all.some(({ type, body }) => type === 'messageStop' && of(body, 'stopReason') === 'end_turn'),
      error: exception && (text(of(exception.body, 'message')) || exception.type),
      ...(starts > 1 ? { odd: 'two beginnings' } : {}),
    }
  },
}

export const callers: readonly Caller[] = [chat, messages, responses, generateContent, cohere, converse]
