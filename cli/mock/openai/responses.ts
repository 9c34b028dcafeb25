import { type Answer, event, json, type Part, streamed } from '../answer.ts'
import { pieces, type Prompt, type Saying, think, type Turn, type Voice } from '../mind.ts'
import { countTokens, isRecord, seedOf, shown } from '../text.ts'
import { type Body, checkFunction, closed, count, onlyKnown, thinks, thoughtOf, within } from './fields.ts'
import { seal, turnsOfItems } from './items.ts'
import { invalid } from './words.ts'

const known = new Set(
  (
    'model input background conversation context_management include instructions max_output_tokens max_tool_calls metadata parallel_tool_calls ' +
    'previous_response_id prompt prompt_cache_key prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options ' +
    'temperature text tool_choice tools top_logprobs top_p truncation user'
  ).split(' '),
)

/** Conversations by the id of the response that ended them, the last thousand. */
const kept = new Map<string, readonly Turn[]>()

type Item = Readonly<Record<string, unknown>>

/** `POST /v1/responses`: https://platform.openai.com/docs/api-reference/responses. What it says is what the chat says to the same. */
export function responses(body: Body, voice: Voice): Answer {
  for (const key of Object.keys(body))
    if (!known.has(key)) throw invalid(`Unknown parameter: '${key}'.`, key, 'unknown_parameter')
  const model = String(body['model'])
  const turns = turnsOfItems(body, before(body))
  const said = think({ voice, turns, anew: true, ...promptOf(body, model) })
  const id = `resp_${seedOf(JSON.stringify(turns)).toString(16).padStart(8, '0')}`
  const output = itemsOf(said, id, body)
  if (body['store'] !== false) keep(id, turns, said)
  const cut = said.finish === 'length'
  const usage = usageOf(turns, said)
  const response = (status: string, items: readonly Item[]): Item => ({
    id,
    object: 'response',
    created_at: voice.created,
    status,
    background: false,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    max_tool_calls: null,
    model,
    output: items,
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: body['previous_response_id'] ?? null,
    reasoning: { effort: null, summary: null, ...Object(body['reasoning']) },
    service_tier: 'default',
    store: body['store'] ?? true,
    temperature: body['temperature'] ?? 1,
    text: { format: { type: 'text' }, ...Object(body['text']) },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_logprobs: body['top_logprobs'] ?? 0,
    top_p: body['top_p'] ?? 1,
    truncation: body['truncation'] ?? 'disabled',
    usage: status === 'in_progress' ? null : usage,
    user: null,
    metadata: body['metadata'] ?? {},
  })
  const last = cut ? 'incomplete' : 'completed'
  if (body['stream'] !== true) return json(response(last, output), 200, {}, said.tokens)
  const bodies: Item[] = [
    { type: 'response.created', response: response('in_progress', []) },
    { type: 'response.in_progress', response: response('in_progress', []) },
    ...output.flatMap((item, i) => told(item, i, said)),
    { type: `response.${last}`, response: response(last, output) },
  ]
  const parts = bodies.map(({ type, ...rest }, i) => event({ type, sequence_number: i, ...rest }, String(type)))
  return streamed(parts, said.tokens)
}

function before(body: Body): readonly Turn[] {
  const id = body['previous_response_id']
  if (id === undefined || id === null) return []
  const found = typeof id === 'string' ? kept.get(id) : undefined
  if (!found)
    throw invalid(
      `Previous response with id '${shown(id)}' not found.`,
      'previous_response_id',
      'previous_response_not_found',
    )
  return found
}

function keep(id: string, turns: readonly Turn[], said: Saying): void {
  const calls = said.calls.map((_, i) => callId(said, i))
  // Instructions are of one response only.
  kept.set(id, [
    ...turns.filter(({ role }) => role !== 'system'),
    { role: 'assistant', text: said.text.join(''), calls },
  ])
  const [oldest] = kept.keys()
  if (kept.size > 1000 && oldest !== undefined) kept.delete(oldest)
}

function promptOf(body: Body, model: string): Omit<Prompt, 'voice' | 'turns'> {
  within(body, 'temperature', 0, 2)
  within(body, 'top_p', 0, 1)
  const { reasoning, text, tools = [], tool_choice: choice } = body
  const limit = count(body, 'max_output_tokens', 16, 1_000_000, 1_000_000)
  if (thinks(model)) {
    for (const key of ['temperature', 'top_p'])
      if (body[key] !== undefined && body[key] !== null)
        throw invalid(`Unsupported parameter: '${key}' is not supported with this model.`, key)
  } else if (isRecord(reasoning) && reasoning['effort'] && /^gpt-[34]/.test(model))
    throw invalid(
      "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
      'reasoning.effort',
      'unsupported_parameter',
    )
  if (!Array.isArray(tools))
    throw invalid("Invalid type for 'tools': expected an array of objects.", 'tools', 'invalid_type')
  const callable = tools.flatMap((tool: unknown, i) => {
    if (!isRecord(tool) || typeof tool['type'] !== 'string')
      throw invalid(`Missing required parameter: 'tools[${i}].type'.`, `tools[${i}].type`, 'missing_required_parameter')
    if (tool['type'] !== 'function') return []
    onlyKnown(tool, new Set(['type', 'name', 'description', 'parameters', 'strict']), `tools[${i}]`)
    checkFunction(tool, `tools[${i}]`)
    return [{ name: String(tool['name']), schema: tool['parameters'] }]
  })
  const name = isRecord(choice) && choice['type'] === 'function' ? choice['name'] : undefined
  if (isRecord(choice) && choice['type'] === 'function' && !callable.some((it) => it.name === name))
    throw invalid(`Tool choice 'function' not found in 'tools' parameter.`, 'tool_choice')
  return {
    tools: choice === 'none' ? [] : callable,
    must: typeof name === 'string' ? { name } : choice === 'required' ? 'any' : undefined,
    parallel: body['parallel_tool_calls'] !== false,
    json: jsonOf(isRecord(text) ? text['format'] : undefined),
    limit,
    think: thoughtOf(model, isRecord(reasoning) ? reasoning['effort'] : undefined),
  }
}

function jsonOf(format: unknown): Prompt['json'] {
  if (!isRecord(format) || format['type'] === 'text') return undefined
  if (format['type'] === 'json_object') return {}
  if (format['type'] !== 'json_schema')
    throw invalid(
      `Invalid value: '${String(format['type'])}'. Supported values are: 'json_object', 'json_schema', and 'text'.`,
      'text.format.type',
      'invalid_value',
    )
  if (typeof format['name'] !== 'string')
    throw invalid("Missing required parameter: 'text.format.name'.", 'text.format.name', 'missing_required_parameter')
  if (format['strict'] === true)
    closed(format['schema'], `response_format '${format['name']}'`, 'text.format.schema', 'invalid_json_schema')
  return { schema: format['schema'] ?? {} }
}

const callId = ({ seed }: Saying, i: number): string =>
  `call_${seed.toString(16).padStart(8, '0')}${i === 0 ? '' : `_${i}`}`

function itemsOf(said: Saying, id: string, body: Body): readonly Item[] {
  const items: Item[] = []
  const own = (kind: string): string => `${kind}_${id.slice(5)}_${items.length}`
  const { include, reasoning } = body
  if (said.thought.length > 0) {
    const summarised = isRecord(reasoning) && reasoning['summary']
    const sealed = Array.isArray(include) && include.includes('reasoning.encrypted_content')
    items.push({
      id: own('rs'),
      type: 'reasoning',
      summary: summarised ? [{ type: 'summary_text', text: said.thought.join('') }] : [],
      ...(sealed ? { encrypted_content: `${seal}${said.seed.toString(16)}` } : {}),
    })
  }
  if (said.text.length > 0 || said.calls.length === 0) {
    const part = { type: 'output_text', text: said.text.join(''), annotations: [], logprobs: [] }
    items.push({
      id: own('msg'),
      type: 'message',
      status: said.finish === 'length' ? 'incomplete' : 'completed',
      role: 'assistant',
      content: [part],
    })
  }
  for (const [i, call] of said.calls.entries())
    items.push({
      id: own('fc'),
      type: 'function_call',
      status: 'completed',
      arguments: call.arguments,
      call_id: callId(said, i),
      name: call.name,
    })
  return items
}

/** The events that tell of an item. */
function told(item: Item, output_index: number, said: Saying): readonly Item[] {
  const place = { item_id: item['id'], output_index }
  const whole = (middle: readonly Item[], empty: Item): readonly Item[] => [
    { type: 'response.output_item.added', output_index, item: { ...item, ...empty } },
    ...middle,
    { type: 'response.output_item.done', output_index, item },
  ]
  if (item['type'] === 'function_call') {
    const text = String(item['arguments'])
    return whole(
      [
        ...pieces(text).map((delta) => ({ type: 'response.function_call_arguments.delta', ...place, delta })),
        { type: 'response.function_call_arguments.done', ...place, name: item['name'], arguments: text },
      ],
      { status: 'in_progress', arguments: '' },
    )
  }
  if (item['type'] === 'reasoning') {
    const text = said.thought.join('')
    const at = { ...place, summary_index: 0 }
    const shown = Array.isArray(item['summary']) && item['summary'].length > 0
    if (!shown) return whole([], {})
    return whole(
      [
        { type: 'response.reasoning_summary_part.added', ...at, part: { type: 'summary_text', text: '' } },
        ...said.thought.map((delta) => ({ type: 'response.reasoning_summary_text.delta', ...at, delta })),
        { type: 'response.reasoning_summary_text.done', ...at, text },
        { type: 'response.reasoning_summary_part.done', ...at, part: { type: 'summary_text', text } },
      ],
      { summary: [] },
    )
  }
  const at = { ...place, content_index: 0 }
  const part = { type: 'output_text', text: said.text.join(''), annotations: [], logprobs: [] }
  return whole(
    [
      { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
      ...said.text.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
      { type: 'response.output_text.done', ...at, text: part.text, logprobs: [] },
      { type: 'response.content_part.done', ...at, part },
    ],
    { status: 'in_progress', content: [] },
  )
}

function usageOf(turns: readonly Turn[], said: Saying): Item {
  const input_tokens = countTokens(turns.map(({ text }) => text).join('\n'))
  return {
    input_tokens,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: said.tokens,
    output_tokens_details: { reasoning_tokens: said.thought.length },
    total_tokens: input_tokens + said.tokens,
  }
}

/** `POST /v1/responses/input_tokens`: https://platform.openai.com/docs/api-reference/responses/input-tokens */
export function inputTokens(body: Body): Answer {
  const turns = turnsOfItems(body, before(body))
  return json({ object: 'response.input_tokens', input_tokens: countTokens(turns.map(({ text }) => text).join('\n')) })
}

/** `POST /v1/responses/compact`: https://platform.openai.com/docs/api-reference/responses/compact */
export function compact(body: Body, voice: Voice): Answer {
  const turns = turnsOfItems(body, before(body))
  const id = `resp_${seedOf(JSON.stringify(turns)).toString(16).padStart(8, '0')}`
  const input_tokens = countTokens(turns.map(({ text }) => text).join('\n'))
  return json({
    id,
    object: 'response.compaction',
    created_at: voice.created,
    output: [{ id: `cmp_${id.slice(5)}`, type: 'compaction', encrypted_content: `${seal}${id.slice(5)}` }],
    usage: {
      input_tokens,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: 1,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input_tokens + 1,
    },
  })
}

/** A part of a response as it is when a content filter ended it. */
export function filteredResponse(part: Part): Part {
  return String(part)
    .replaceAll('response.completed', 'response.incomplete')
    .replace(/"status":"completed"(?=,"background")/, '"status":"incomplete"')
    .replace(
      /("status":"incomplete","background":false,"error":null,"incomplete_details":)null/,
      '$1{"reason":"content_filter"}',
    )
}
