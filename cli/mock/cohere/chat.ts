import { type Answer, event, json, type Part, streamed } from '../answer.ts'
import { type Callable, pieces, type Prompt, type Saying, think, type Voice } from '../mind.ts'
import { countTokens, seedOf } from '../text.ts'
import { asObject, flagAt, listAt, needText, numberAt, objectAt, textAt, wholeAt, wordAt } from './fields.ts'
import { type Cited, conversationOf, dataOf } from './messages.ts'
import { type Body, idOf, invalid, mistyped, onlyKnown } from './words.ts'

const known =
  'model messages tools strict_tools documents citation_options response_format safety_mode max_tokens stop_sequences temperature seed ' +
  'frequency_penalty presence_penalty k p logprobs tool_choice thinking priority stream'
/** What Cohere's own template adds to a prompt; it is counted, and not billed. */
const TEMPLATE = 60

/** `POST /v2/chat`: https://docs.cohere.com/reference/chat. Deterministic in the conversation, the name and the length. */
export function chat(body: Body, voice: Voice): Answer {
  onlyKnown(body, known)
  const { turns, sources } = conversationOf(body)
  const documents = documentsOf(body)
  const saying = think({ voice, turns, ...asked(body) })
  const input = countTokens(turns.map(({ text }) => text).join('\n'))
  const usage = {
    billed_units: { input_tokens: input, output_tokens: saying.tokens },
    tokens: { input_tokens: input + TEMPLATE, output_tokens: saying.tokens },
  }
  const cited = wanted(body) ? citationsOf(saying, [...sources, ...documents]) : []
  const logprobs = flagAt(body, 'logprobs') === true
  const said = { saying, cited, logprobs, usage, id: idOf(`${saying.seed}`) }
  return flagAt(body, 'stream') === true
    ? streamed(eventsOf(said), saying.tokens)
    : json(whole(said), 200, {}, saying.tokens)
}

interface Said {
  readonly saying: Saying
  readonly cited: readonly object[]
  readonly logprobs: boolean
  readonly usage: object
  readonly id: string
}

function asked(body: Body): Omit<Prompt, 'voice' | 'turns'> {
  numberAt(body, 'temperature', 0, 1)
  numberAt(body, 'p', 0.01, 0.99)
  wholeAt(body, 'k', 0, 500)
  wholeAt(body, 'seed', 0)
  wholeAt(body, 'priority', 0)
  if (numberAt(body, 'frequency_penalty', 0, 1) && numberAt(body, 'presence_penalty', 0, 1))
    throw invalid('invalid request: cannot specify both frequency_penalty and presence_penalty.')
  wordAt(body, 'safety_mode', 'CONTEXTUAL', 'STRICT', 'OFF')
  const stop = listAt(body, 'stop_sequences')
  if (stop?.some((it) => typeof it !== 'string')) throw mistyped('stop_sequences', stop, '[]string')
  if (stop && stop.length > 5) throw invalid('invalid request: stop_sequences must have at most 5 elements.')
  const tools = toolsOf(body)
  return {
    ...tools,
    json: formatOf(body, tools.tools.length > 0),
    limit: wholeAt(body, 'max_tokens', 0),
    stop: stop?.map(String),
    think: thoughtOf(body),
  }
}

function toolsOf(body: Body): Pick<Prompt, 'tools' | 'must'> {
  const list = listAt(body, 'tools') ?? []
  const choice = wordAt(body, 'tool_choice', 'REQUIRED', 'NONE')
  const strict = flagAt(body, 'strict_tools') === true
  if (choice !== undefined && list.length === 0)
    throw invalid('invalid request: tool_choice requires tools to be specified.')
  const tools = list.map((value, i): Callable => {
    const tool = asObject(value, `tools[${i}]`)
    onlyKnown(tool, 'type function')
    if (wordAt(tool, 'type', 'function') === undefined) throw invalid(`invalid request: tools[${i}].type is required.`)
    const it = objectAt(tool, 'function', `tools[${i}].function`) ?? {}
    onlyKnown(it, 'name description parameters')
    const name = needText(it, 'name', `tools[${i}].function.name`)
    if (!/^[a-zA-Z_][\w-]*$/.test(name)) throw invalid(`invalid request: tool name '${name}' is not valid.`)
    textAt(it, 'description')
    const schema = objectAt(it, 'parameters')
    if (!schema) throw invalid(`invalid request: tools[${i}].function.parameters is required.`)
    if (schema['type'] !== 'object')
      throw invalid(`invalid request: the parameters of tool '${name}' must be of type object.`)
    // https://docs.cohere.com/docs/structured-outputs#structured-outputs-tools
    const required = schema['required']
    if (strict && !(Array.isArray(required) && required.length > 0))
      throw invalid(`invalid request: with strict_tools, tool '${name}' must have at least one required parameter.`)
    return { name, schema }
  })
  if (choice === 'NONE') return { tools: [] }
  return choice === 'REQUIRED' ? { tools, must: 'any' } : { tools }
}

function formatOf(body: Body, tools: boolean): Prompt['json'] {
  const format = objectAt(body, 'response_format')
  if (!format) return undefined
  onlyKnown(format, 'type json_schema schema')
  const type = wordAt(format, 'type', 'text', 'json_object')
  if (type === undefined) throw invalid('invalid request: response_format.type is required.')
  if (type === 'text') return undefined
  if (tools || listAt(body, 'documents'))
    throw invalid('invalid request: response_format is not supported with RAG or tools.')
  const schema = objectAt(format, 'json_schema') ?? objectAt(format, 'schema')
  if (schema && schema['type'] !== 'object')
    throw invalid('invalid request: the top level of a schema must be of type object.')
  return schema ? { schema } : {}
}

/** Models that reason do so unless they are told not to. */
function thoughtOf(body: Body): number {
  const thinking = objectAt(body, 'thinking')
  const reasons = /reasoning/.test(String(body['model']))
  if (!thinking) return reasons ? 8 : 0
  onlyKnown(thinking, 'type token_budget')
  const type = wordAt(thinking, 'type', 'enabled', 'disabled')
  if (type === undefined) throw invalid('invalid request: thinking.type is required.')
  const budget = wholeAt(thinking, 'token_budget', 1) ?? 8
  return type === 'enabled' ? Math.min(8, budget) : 0
}

function documentsOf(body: Body): readonly Cited[] {
  return (listAt(body, 'documents') ?? []).map((value, i) => {
    if (typeof value === 'string') return { type: 'document', id: `doc:${i}`, data: { content: value } }
    const document = asObject(value, `documents[${i}]`)
    return { type: 'document', id: textAt(document, 'id') ?? `doc:${i}`, data: dataOf(document) }
  })
}

function wanted(body: Body): boolean {
  const options = objectAt(body, 'citation_options')
  onlyKnown(options ?? {}, 'mode')
  const mode = wordAt(options ?? {}, 'mode', 'ENABLED', 'DISABLED', 'FAST', 'ACCURATE', 'OFF')
  return mode !== 'OFF' && mode !== 'DISABLED'
}

/** The first word is from the first source, and so on. */
function citationsOf({ text, calls }: Saying, sources: readonly Cited[]): readonly object[] {
  if (calls.length > 0) return []
  let at = 0
  return sources.slice(0, text.length).map(({ type, id, data }, i) => {
    const word = text[i] ?? ''
    const start = at + word.length - word.trimStart().length
    at += word.length
    const source = type === 'tool' ? { type, id, tool_output: data } : { type, id, document: { id, ...Object(data) } }
    return { start, end: at, text: word.trim(), sources: [source], type: 'TEXT_CONTENT' }
  })
}

const reasons = { stop: 'COMPLETE', length: 'MAX_TOKENS', calls: 'TOOL_CALL', sequence: 'STOP_SEQUENCE' } as const

const callId = (name: string, seed: number, i: number): string =>
  `${name}_${seedOf(`${seed}${i}`).toString(36).padStart(12, '0').slice(0, 12)}`

const logprobOf = (text: string): object => ({ text, token_ids: [seedOf(text) % 65536], logprobs: [-0.125] })

function whole({ saying, cited, logprobs, usage, id }: Said): unknown {
  const { thought, text, calls, seed, finish } = saying
  const content = [
    ...(thought.length > 0 ? [{ type: 'thinking', thinking: thought.join('') }] : []),
    ...(calls.length === 0 ? [{ type: 'text', text: text.join('') }] : []),
  ]
  return {
    id,
    message: {
      role: 'assistant',
      ...(content.length > 0 ? { content } : {}),
      ...(calls.length > 0 && text.length > 0 ? { tool_plan: text.join('') } : {}),
      ...(calls.length > 0
        ? { tool_calls: calls.map((it, i) => ({ id: callId(it.name, seed, i), type: 'function', function: it })) }
        : {}),
      ...(cited.length > 0 ? { citations: cited } : {}),
    },
    finish_reason: reasons[finish],
    usage,
    ...(logprobs ? { logprobs: text.map(logprobOf) } : {}),
  }
}

function say(type: string, members: object): Part {
  return event({ type, ...members }, type)
}

function eventsOf({ saying, cited, logprobs, usage, id }: Said): readonly Part[] {
  const { thought, text, calls, seed, finish } = saying
  const empty = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] }
  const block = (index: number, type: string, tokens: readonly string[]): readonly Part[] => [
    say('content-start', { index, delta: { message: { content: { type, [type]: '' } } } }),
    ...tokens.map((it) =>
      say('content-delta', {
        index,
        delta: { message: { content: { [type]: it } } },
        ...(logprobs && type === 'text' ? { logprobs: logprobOf(it) } : {}),
      }),
    ),
  ]
  const thoughts = thought.length > 0 ? [...block(0, 'thinking', thought), say('content-end', { index: 0 })] : []
  const index = thought.length > 0 ? 1 : 0
  const cites = cited.flatMap((citations, i) => [
    say('citation-start', { index: i, delta: { message: { citations } } }),
    say('citation-end', { index: i }),
  ])
  const words =
    calls.length > 0
      ? text.map((it) => say('tool-plan-delta', { delta: { message: { tool_plan: it } } }))
      : [...block(index, 'text', text), ...cites, say('content-end', { index })]
  const calling = calls.flatMap((it, i) => {
    const call = { id: callId(it.name, seed, i), type: 'function', function: { name: it.name, arguments: '' } }
    return [
      say('tool-call-start', { index: i, delta: { message: { tool_calls: call } } }),
      ...pieces(it.arguments).map((piece) =>
        say('tool-call-delta', { index: i, delta: { message: { tool_calls: { function: { arguments: piece } } } } }),
      ),
      say('tool-call-end', { index: i }),
    ]
  })
  const end = { delta: { finish_reason: reasons[finish], usage } }
  return [
    event({ id, type: 'message-start', delta: { message: empty } }, 'message-start'),
    ...thoughts,
    ...words,
    ...calling,
    say('message-end', end),
    'data: [DONE]\n\n',
  ]
}
