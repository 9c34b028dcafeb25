import { timingSafeEqual } from 'node:crypto'
import { type Answer, event, json, Refusal, streamed } from '../answer.ts'
import { readForm } from '../form.ts'
import { secondsOf } from '../media.ts'
import { type Callable, pieces, type Prompt, type Saying, think, type Turn, type Voice } from '../mind.ts'
import { waitHeaders } from '../rate-limit.ts'
import { countTokens, isRecord, seedOf, textOf, tokensOf } from '../text.ts'
import type { MockProvider, MockRequest, Trouble } from './provider.ts'

type Body = Readonly<Record<string, unknown>>

const known = (names: string): ReadonlySet<string> => new Set(names.split(' '))
const CHAT = known(
  'model temperature top_p max_tokens stream stop random_seed metadata messages response_format tools tool_choice presence_penalty ' +
    'frequency_penalty n prediction parallel_tool_calls reasoning_effort prompt_mode guardrails prompt_cache_key service_tier safe_prompt',
)
const MESSAGES: Readonly<Record<string, ReadonlySet<string>>> = {
  system: known('role content'),
  user: known('role content'),
  assistant: known('role content tool_calls prefix'),
  tool: known('role content tool_call_id name'),
}
const PARTS = known('text image_url document_url file input_audio thinking reference')

/** A field that the schema does not have or take, in the words of pydantic. */
function unprocessable(type: string, loc: readonly (string | number)[], msg: string, input: unknown): Refusal {
  const message = { detail: [{ type, loc: ['body', ...loc], msg, input }] }
  return new Refusal(
    msg,
    json({ object: 'error', message, type: 'invalid_request_error', param: null, code: null }, 422),
  )
}

function bad(message: string, type: string, code: string, status = 400): Refusal {
  return new Refusal(message, json({ object: 'error', message, type, param: null, code }, status))
}

function onlyKnown(value: Body, names: ReadonlySet<string>, at: readonly (string | number)[]): void {
  for (const [name, input] of Object.entries(value))
    if (!names.has(name)) throw unprocessable('extra_forbidden', [...at, name], 'Extra inputs are not permitted', input)
}

/** https://docs.mistral.ai/api */
export const mistral: MockProvider = {
  name: 'mistral',
  basePath: '/v1',
  example: (model) => ({
    path: '/v1/chat/completions',
    body: { model, messages: [{ role: 'user', content: 'Hello' }] },
  }),
  modelOf: ({ headers, bytes }) =>
    readForm(headers['content-type'] ?? '', bytes)
      ?.find(({ name }) => name === 'model')
      ?.bytes.toString(),
  authorised({ headers }, key) {
    const [given, wanted] = [Buffer.from(headers.authorization ?? ''), Buffer.from(`Bearer ${key}`)]
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  },
  answer(request, { models, voice }) {
    const { method, path, body } = request
    const surface = Object.hasOwn(surfaces, path) ? surfaces[path] : undefined
    if (!surface || method !== 'POST')
      throw new Refusal('no route', json({ message: 'no Route matched with those values' }, 404))
    const model = mistral.modelOf?.(request) ?? (isRecord(body) ? body['model'] : undefined)
    if (typeof model !== 'string') throw unprocessable('missing', ['model'], 'Field required', body ?? null)
    if (models.length > 0 && !models.includes(model)) throw bad(`Invalid model: ${model}`, 'invalid_model', '1500')
    return surface(request, model, voice)
  },
  error(trouble) {
    const { status, body } = said(trouble)
    return json(body, status, trouble.kind === 'rate-limit' ? waitHeaders(trouble) : {})
  },
  errorPart: (trouble, _, form) => event(said(trouble).body, form === 'event' ? 'error' : undefined),
  finishes: (part) => /"finish_reason":"/.test(String(part)),
  terminates: (part) => part === 'data: [DONE]\n\n',
  filtered: (answer) => answer,
}

const surfaces: Readonly<Record<string, (request: MockRequest, model: string, voice: Voice) => Answer>> = {
  '/v1/chat/completions': ({ body }, model, voice) => chat(object(body), model, voice),
  '/v1/embeddings': ({ body }, model) => embeddings(object(body), model),
  '/v1/moderations': ({ body }, model) => moderations(object(body), model),
  '/v1/audio/transcriptions': transcriptions,
}

function object(body: unknown): Body {
  if (!isRecord(body))
    throw unprocessable('model_attributes_type', [], 'Input should be a valid dictionary', body ?? null)
  return body
}

function chat(body: Body, model: string, voice: Voice): Answer {
  onlyKnown(body, CHAT, [])
  const turns = turnsOf(body)
  const thinks = model.startsWith('magistral') || body['reasoning_effort'] === 'high'
  const opening = turns.at(-1)?.role === 'assistant' ? (turns.at(-1)?.text ?? '') : ''
  const prompt: Prompt = {
    voice,
    turns,
    ...toolsOf(body),
    json: jsonOf(body['response_format']),
    limit: typeof body['max_tokens'] === 'number' ? body['max_tokens'] : undefined,
    stop:
      typeof body['stop'] === 'string' ? [body['stop']] : Array.isArray(body['stop']) ? body['stop'].map(String) : [],
    think: thinks ? 8 : 0,
  }
  const n = typeof body['n'] === 'number' ? body['n'] : 1
  const says = Array.from({ length: n }, (_, choice) => think({ ...prompt, choice }))
  const completion_tokens = says.reduce((sum, { tokens }) => sum + tokens, 0)
  const prompt_tokens = countTokens(turns.map(({ text }) => text).join('\n'))
  const usage = { prompt_tokens, total_tokens: prompt_tokens + completion_tokens, completion_tokens }
  const head = { id: seedOf(JSON.stringify(turns)).toString(16).padStart(32, '0'), created: voice.created, model }
  if (body['stream'] !== true) {
    const choices = says.map((it, index) => ({ index, finish_reason: reasonOf(it), message: message(it, opening) }))
    return json({ ...head, object: 'chat.completion', usage, choices }, 200, {}, completion_tokens)
  }
  const chunks = says.flatMap((it, index) => {
    const deltas = deltasOf(it, opening)
    return deltas.map((delta, i) => {
      const last = i === deltas.length - 1
      const choice = { index, delta, finish_reason: last ? reasonOf(it) : null }
      const counted = last && index === n - 1 ? { usage } : {}
      return event({ ...head, object: 'chat.completion.chunk', choices: [choice], ...counted })
    })
  })
  return streamed([...chunks, 'data: [DONE]\n\n'], completion_tokens)
}

const reasonOf = ({ finish }: Saying): string =>
  finish === 'calls' ? 'tool_calls' : finish === 'sequence' ? 'stop' : finish

/** Nine letters and digits, as all its ids. */
const callId = (seed: number, i: number): string =>
  `${seed.toString(36).padStart(7, '0')}${i.toString(36).padStart(2, '0')}`.slice(0, 9)

const callsOf = ({ calls, seed }: Saying): readonly object[] =>
  calls.map((it, index) => ({ id: callId(seed, index), type: 'function', function: it, index }))

const thought = (text: string): object => ({ type: 'thinking', thinking: [{ type: 'text', text }] })

function message(it: Saying, opening: string): object {
  const text = opening + it.text.join('')
  const content = it.thought.length > 0 ? [thought(it.thought.join('')), { type: 'text', text }] : text
  return { role: 'assistant', tool_calls: it.calls.length > 0 ? callsOf(it) : null, content }
}

function deltasOf(it: Saying, opening: string): readonly object[] {
  const thinking = it.thought.map((text) => ({ content: [thought(text)] }))
  const [first, ...words] = [...pieces(opening), ...it.text]
  const calls = callsOf(it)
  return [
    { role: 'assistant', content: '' },
    ...thinking,
    ...(first === undefined ? [] : [first, ...words]).map((content) => ({ content })),
    // Calls come whole.
    { content: '', ...(calls.length > 0 ? { tool_calls: calls } : {}) },
  ]
}

function turnsOf(body: Body): readonly Turn[] {
  const { messages } = body
  if (!Array.isArray(messages) || messages.length === 0)
    throw unprocessable('too_short', ['messages'], 'List should have at least 1 item after validation, not 0', messages)
  const ids = new Set<string>()
  const turns = messages.map((value: unknown, i): Turn => {
    const role = isRecord(value) ? String(value['role']) : ''
    const members = Object.hasOwn(MESSAGES, role) ? MESSAGES[role] : undefined
    if (!isRecord(value) || !members)
      throw unprocessable(
        'union_tag_invalid',
        ['messages', i],
        `Input tag '${role}' found using 'role' does not match any of the expected tags: 'system', 'user', 'assistant', 'tool'`,
        value,
      )
    onlyKnown(value, members, ['messages', i, role])
    for (const call of list(value['tool_calls'])) ids.add(checkedId(isRecord(call) ? call['id'] : undefined))
    if (role === 'tool' && !ids.has(checkedId(value['tool_call_id'])))
      throw bad('Unexpected tool call id in tool results', 'invalid_request_message_order', '3230')
    const seen = list(value['content']).flatMap((part, j) => seenIn(part, ['messages', i, role, 'content', j]))
    return {
      role: role === 'system' || role === 'user' || role === 'tool' ? role : 'assistant',
      text: textOf(value['content']),
      seen,
    }
  })
  const last = turns.at(-1)
  const prefix = Object(messages.at(-1)).prefix
  if (last?.role === 'system' || (last?.role === 'assistant' && prefix !== true))
    throw bad(
      `Expected last role User or Tool (or Assistant with prefix True) for serving but got ${last.role}`,
      'invalid_request_message_order',
      '3230',
    )
  return turns
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function checkedId(id: unknown): string {
  if (typeof id === 'string' && /^[a-zA-Z0-9]{9}$/.test(id)) return id
  throw bad(
    `Tool call id was ${String(id)} but must be a-z, A-Z, 0-9, with a length of 9.`,
    'invalid_function_call',
    '3280',
  )
}

function seenIn(part: unknown, at: readonly (string | number)[]): readonly string[] {
  if (!isRecord(part) || !PARTS.has(String(part['type'])))
    throw unprocessable(
      'union_tag_invalid',
      at,
      `Input tag '${isRecord(part) ? String(part['type']) : ''}' does not match any of the expected tags`,
      part,
    )
  if (part['type'] === 'input_audio' && typeof part['input_audio'] !== 'string')
    throw unprocessable('string_type', [...at, 'input_audio'], 'Input should be a valid string', part['input_audio'])
  const url =
    part['type'] === 'image_url'
      ? isRecord(part['image_url'])
        ? part['image_url']['url']
        : part['image_url']
      : part['document_url']
  if (part['cache_control'] !== undefined)
    throw unprocessable(
      'extra_forbidden',
      [...at, 'cache_control'],
      'Extra inputs are not permitted',
      part['cache_control'],
    )
  if (part['type'] === 'input_audio') return ['audio']
  return typeof url === 'string' ? [/^data:([^;,]+)/.exec(url)?.[1] ?? url] : []
}

function toolsOf(body: Body): Pick<Prompt, 'tools' | 'must' | 'parallel'> {
  const tools = list(body['tools']).map((tool, i): Callable => {
    const fn = isRecord(tool) ? tool['function'] : undefined
    if (!isRecord(fn)) throw unprocessable('missing', ['tools', i, 'function'], 'Field required', tool)
    onlyKnown(fn, known('name description parameters strict'), ['tools', i, 'function'])
    return { name: String(fn['name']), schema: fn['parameters'] }
  })
  const { tool_choice: choice } = body
  const parallel = body['parallel_tool_calls'] !== false
  if (choice === 'none') return { tools: [] }
  if (choice === 'any' || choice === 'required') return { tools, must: 'any', parallel }
  if (choice === undefined || choice === null || choice === 'auto') return { tools, parallel }
  const name = isRecord(choice) && isRecord(choice['function']) ? choice['function']['name'] : undefined
  if (typeof name !== 'string')
    throw unprocessable(
      'enum',
      ['tool_choice', 'ToolChoiceEnum'],
      "Input should be 'auto', 'none', 'any' or 'required'",
      choice,
    )
  return { tools, must: { name }, parallel }
}

function jsonOf(format: unknown): Prompt['json'] {
  if (!isRecord(format) || format['type'] === 'text') return undefined
  if (format['type'] === 'json_object') return {}
  const schema = format['json_schema']
  if (format['type'] !== 'json_schema' || !isRecord(schema))
    throw unprocessable(
      'enum',
      ['response_format', 'type'],
      "Input should be 'text', 'json_object' or 'json_schema'",
      format['type'],
    )
  return { schema: schema['schema'] ?? {} }
}

function embeddings(body: Body, model: string): Answer {
  onlyKnown(body, known('model metadata input output_dimension output_dtype encoding_format'), [])
  const inputs = typeof body['input'] === 'string' ? [body['input']] : list(body['input'])
  if (inputs.length === 0 || !inputs.every((it) => typeof it === 'string'))
    throw unprocessable('string_type', ['input'], 'Input should be a valid string', body['input'])
  const size = typeof body['output_dimension'] === 'number' ? body['output_dimension'] : 8
  const vector = (text: string): readonly number[] =>
    Array.from({ length: size }, (_, i) => ((seedOf(`${text}${i}`) % 2000) - 1000) / 1024)
  const written = (values: readonly number[]): unknown =>
    body['encoding_format'] === 'base64' ? Buffer.from(Float32Array.from(values).buffer).toString('base64') : values
  const data = inputs.map((text, index) => ({ object: 'embedding', index, embedding: written(vector(text)) }))
  const prompt_tokens = countTokens(inputs.join('\n'))
  return json({
    id: 'mock',
    object: 'list',
    model,
    data,
    usage: { prompt_tokens, total_tokens: prompt_tokens, completion_tokens: 0 },
  })
}

function moderations(body: Body, model: string): Answer {
  onlyKnown(body, known('model metadata input'), [])
  const texts = typeof body['input'] === 'string' ? [body['input']] : list(body['input'])
  const results = texts.map((text) => {
    const violence = /\bkill/i.test(String(text))
    return {
      categories: { violence_and_threats: violence },
      category_scores: { violence_and_threats: violence ? 0.98 : 0.01 },
    }
  })
  return json({ id: 'mock', model, results })
}

function transcriptions({ headers, bytes }: MockRequest, model: string, voice: Voice): Answer {
  const parts = readForm(headers['content-type'] ?? '', bytes)
  if (!parts) throw unprocessable('missing', ['file'], 'Field required', null)
  const fields = Object.fromEntries(parts.map(({ name, bytes: text }) => [name, text.toString()]))
  onlyKnown(
    fields,
    known('model file file_url file_id language temperature stream diarize context_bias timestamp_granularities'),
    [],
  )
  const seconds = secondsOf(parts.filter(({ file }) => file !== undefined))
  const text = tokensOf(voice.name, `${seconds} seconds of sound`, Math.round(seconds * 1000), voice.tokens).join('')
  const usage = {
    prompt_audio_seconds: Math.ceil(seconds),
    prompt_tokens: 4,
    total_tokens: 4 + voice.tokens,
    completion_tokens: voice.tokens,
  }
  return json({ model, text, language: null, segments: [], usage })
}

function said(trouble: Trouble): { readonly status: number; readonly body: object } {
  const object = (status: number, message: string, type: string, code: string) => ({
    status,
    body: { object: 'error', message, type, param: null, code },
  })
  switch (trouble.kind) {
    case 'unauthorised':
      return { status: 401, body: { detail: 'Unauthorized' } }
    case 'rate-limit':
      return object(429, 'Rate limit exceeded', 'rate_limited', '1300')
    case 'quota':
      return object(402, 'You have reached your monthly usage limit: insufficient quota.', 'quota_exceeded', '1301')
    case 'context-length':
      return object(
        400,
        `Prompt contains ${trouble.limit * 2} tokens and 0 draft tokens, too large for model with ${trouble.limit} maximum context length`,
        'invalid_request_prompt',
        '3051',
      )
    case 'content-refused':
      return object(403, 'The request was blocked by a guardrail on content safety.', 'guardrail_error', '3800')
    case 'invalid':
      return object(trouble.status, trouble.message, 'invalid_request_error', '1000')
    case 'failed':
      return object(
        trouble.status,
        trouble.message,
        trouble.status === 503 ? 'service_unavailable' : 'internal_server_error',
        '1000',
      )
  }
}
