import { type Answer, events, invalid, json } from './answer.ts'
import { sample } from './sample.ts'
import { countTokens, isRecord, seedOf, textOf, tokensOf } from './text.ts'

/** Who answers, with how many tokens where the request sets no lower bound, at what time (seconds since 1970). */
export interface Voice {
  readonly name: string
  readonly tokens: number
  readonly created: number
}

type Body = Readonly<Record<string, unknown>>

/** Reads a whole number in `[least, most]` from the request, or `fallback` where it is left out. */
export function count(body: Body, key: string, least: number, most: number, fallback: number): number {
  const value = body[key] ?? fallback
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw invalid(`'${key}' must be a whole number between ${least} and ${most}.`, key)
  return value
}

/** True where the request asks for the chunk with the usage at the end of its stream. */
export function wantsUsage(body: Body): boolean {
  return isRecord(body['stream_options']) && body['stream_options']['include_usage'] === true
}

interface Saying {
  readonly tokens: readonly string[]
  readonly tool?: { readonly id: string; readonly name: string; readonly arguments: string }
  readonly finish: 'stop' | 'length' | 'tool_calls'
}

/** The messages of the request; 400 where there are none or one is no message. */
function messagesOf(body: Body): readonly Body[] {
  const messages = body['messages']
  if (!Array.isArray(messages) || messages.length === 0)
    throw invalid("'messages' must be a list with at least one message.", 'messages')
  return messages.map((message: unknown, i) => {
    if (!isRecord(message) || typeof message['role'] !== 'string')
      throw invalid(`'messages[${i}].role' is missing.`, `messages[${i}].role`)
    return message
  })
}

/** The function to call: the one that `tool_choice` names, else the first; none once a tool has answered. */
function toolOf(body: Body, messages: readonly Body[]): Body | undefined {
  const choice = body['tool_choice']
  if (!Array.isArray(body['tools']) || choice === 'none' || messages.at(-1)?.['role'] === 'tool') return undefined
  const functions = body['tools']
    .map((tool: unknown) => (isRecord(tool) ? tool['function'] : undefined))
    .filter(isRecord)
  const wanted = isRecord(choice) && isRecord(choice['function']) ? choice['function']['name'] : undefined
  return wanted === undefined ? functions[0] : functions.find((it) => it['name'] === wanted)
}

function say(body: Body, messages: readonly Body[], voice: Voice, choice: number): Saying {
  const heard = textOf(messages.findLast((message) => message['role'] === 'user')?.['content'])
  const seed = seedOf(`${choice}${JSON.stringify(messages)}`)
  const tool = toolOf(body, messages)
  if (tool) {
    const argumentsText = JSON.stringify(sample(tool['parameters'], heard))
    const call = {
      id: `call_${seed.toString(16).padStart(8, '0')}`,
      name: String(tool['name']),
      arguments: argumentsText,
    }
    return { tokens: argumentsText.match(/.{1,8}/gs) ?? [], tool: call, finish: 'tool_calls' }
  }
  const most = count(body, 'max_completion_tokens', 1, 1_000_000, count(body, 'max_tokens', 1, 1_000_000, 1_000_000))
  const format = isRecord(body['response_format']) ? body['response_format'] : {}
  const full =
    format['type'] === 'json_object'
      ? (JSON.stringify({ name: voice.name, heard }).match(/.{1,8}/gs) ?? [])
      : format['type'] === 'json_schema' && isRecord(format['json_schema'])
        ? (JSON.stringify(sample(format['json_schema']['schema'], heard)).match(/.{1,8}/gs) ?? [])
        : tokensOf(voice.name, heard, seed, voice.tokens)
  return { tokens: full.slice(0, most), finish: full.length > most ? 'length' : 'stop' }
}

function message(saying: Saying): unknown {
  if (!saying.tool) return { role: 'assistant', content: saying.tokens.join(''), refusal: null }
  const { id, ...call } = saying.tool
  return { role: 'assistant', content: null, refusal: null, tool_calls: [{ id, type: 'function', function: call }] }
}

function deltas(saying: Saying): unknown[] {
  if (!saying.tool) return [{ role: 'assistant', content: '' }, ...saying.tokens.map((content) => ({ content }))]
  const { id, name } = saying.tool
  return [
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ index: 0, id, type: 'function', function: { name, arguments: '' } }],
    },
    ...saying.tokens.map((text) => ({ tool_calls: [{ index: 0, function: { arguments: text } }] })),
  ]
}

/** `POST /v1/chat/completions`: https://platform.openai.com/docs/api-reference/chat. Deterministic in the request, the name and the length. */
export function chat(body: Body, voice: Voice): Answer {
  const messages = messagesOf(body)
  const model = String(body['model'])
  const sayings = Array.from({ length: count(body, 'n', 1, 128, 1) }, (_, i) => say(body, messages, voice, i))
  const prompt = countTokens(messages.map((it) => textOf(it['content'])).join('\n'))
  const completion = sayings.reduce((sum, saying) => sum + saying.tokens.length, 0)
  const usage = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
  const id = `chatcmpl-${seedOf(JSON.stringify(messages)).toString(16).padStart(8, '0')}`
  const head = { id, created: voice.created, model, system_fingerprint: `mock-${voice.name}` }
  if (body['stream'] !== true) {
    const choices = sayings.map((it, index) => ({
      index,
      message: message(it),
      logprobs: null,
      finish_reason: it.finish,
    }))
    return json({ ...head, object: 'chat.completion', choices, usage }, 200, {}, completion)
  }
  const counted = wantsUsage(body)
  const chunk = (index: number, delta: unknown, finish_reason: string | null): unknown => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index, delta, logprobs: null, finish_reason }],
    ...(counted ? { usage: null } : {}),
  })
  const said = sayings.flatMap((it, i) => [
    ...deltas(it).map((delta) => chunk(i, delta, null)),
    chunk(i, {}, it.finish),
  ])
  const last = counted ? [{ ...head, object: 'chat.completion.chunk', choices: [], usage }] : []
  return events([...said, ...last], completion)
}
