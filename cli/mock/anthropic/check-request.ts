import type { Prompt } from '../mind.ts'
import { isRecord } from '../text.ts'
import { blocksOf, messagesOf, type Said } from './check-messages.ts'
import { type Body, closed, list, object, oneOf, onlyKnown, text, whole, within } from './fields.ts'
import { type Rules, rulesOf } from './rules.ts'
import { invalid } from './words.ts'

const BOTH =
  'model messages cache_control container context_management diagnostics inference_geo mcp_servers metadata output_config service_tier speed ' +
  'stop_sequences stream system thinking tool_choice tools'

/** What a request asks, once all is found to be as the API wants it. */
export interface Asked {
  readonly messages: readonly Said[]
  readonly tools: Prompt['tools']
  readonly must: Prompt['must']
  readonly parallel: boolean
  readonly json: Prompt['json']
  readonly limit: number
  readonly stop: readonly string[]
  readonly thinks: boolean
}

/** Throws for what the Messages API refuses. `version`: of the API; `counting`: for count_tokens, which needs no `max_tokens`. */
export function checkRequest(body: Body, version: string, counting: boolean): Asked {
  const sampling = version >= '2026-10-21' ? '' : ' temperature top_p top_k'
  onlyKnown(body, `${BOTH}${sampling}${counting ? '' : ' max_tokens'}`)
  const rules = rulesOf(text(body['model'], 'model'))
  const limit = whole(body['max_tokens'], 1, 'max_tokens')
  if (limit === undefined && !counting) throw invalid('max_tokens: Field required')
  if (body['messages'] === undefined) throw invalid('messages: Field required')
  const messages = messagesOf(body['messages'], rules.systemTurns)
  if (body['system'] !== undefined) blocksOf(body['system'], 'system', 'system')
  const { tools, names } = toolsOf(body['tools'])
  const thinking = thinkingOf(body, rules, limit ?? Infinity)
  checkSampling(body, rules, thinking === 'enabled')
  const choice = choiceOf(body['tool_choice'], names, rules, thinking)
  checkEnd(messages, rules, thinking)
  checkMarks(body)
  if (body['metadata'] !== undefined) onlyKnown(object(body['metadata'], 'metadata'), 'user_id', 'metadata.')
  if (body['service_tier'] !== undefined) oneOf(body['service_tier'], 'auto standard_only', 'service_tier')
  const stop = body['stop_sequences'] === undefined ? [] : list(body['stop_sequences'], 'stop_sequences')
  for (const [i, it] of stop.entries())
    if (text(it, `stop_sequences.${i}`).trim() === '')
      throw invalid('stop_sequences: each stop sequence must contain non-whitespace')
  return {
    messages,
    tools: choice.none ? [] : tools,
    must: choice.must,
    parallel: choice.parallel,
    json: jsonOf(body['output_config'], rules),
    limit: limit ?? Infinity,
    stop: stop.map(String),
    thinks: thinking === 'enabled' || thinking === 'adaptive' || (thinking === undefined && rules.always),
  }
}

function toolsOf(value: unknown): { readonly tools: Prompt['tools']; readonly names: readonly string[] } {
  if (value === undefined) return { tools: [], names: [] }
  const tools = list(value, 'tools').map((item, i) => {
    const tool = object(item, `tools.${i}`)
    const at = `tools.${i}.custom`
    if (tool['type'] !== undefined && tool['type'] !== 'custom')
      return { name: text(tool['name'], `tools.${i}.name`), schema: {} }
    onlyKnown(
      tool,
      'type name description input_schema strict cache_control defer_loading eager_input_streaming input_examples allowed_callers',
      `${at}.`,
    )
    const name = text(tool['name'], `${at}.name`)
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name))
      throw invalid(`${at}.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`)
    const schema = object(tool['input_schema'], `${at}.input_schema`)
    if (schema['type'] === undefined) throw invalid(`${at}.input_schema.type: Field required`)
    oneOf(schema['type'], 'object', `${at}.input_schema.type`)
    if (tool['strict'] === true) closed(schema, at)
    return { name, schema }
  })
  const names = tools.map(({ name }) => name)
  if (new Set(names).size < names.length) throw invalid('tools: Tool names must be unique.')
  return { tools, names }
}

type Thinking = 'enabled' | 'adaptive' | 'disabled' | 'between_tools' | undefined

function thinkingOf(body: Body, { late, adaptive, always }: Rules, limit: number): Thinking {
  if (body['thinking'] === undefined) return undefined
  const thinking = object(body['thinking'], 'thinking')
  const type = oneOf(thinking['type'], 'enabled adaptive disabled between_tools', 'thinking.type') as Exclude<
    Thinking,
    undefined
  > // one of these
  if ((type === 'enabled' && late) || (type === 'disabled' && always))
    throw invalid(
      `"thinking.type.${type}" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.`,
    )
  if (type === 'adaptive' && !adaptive) throw invalid('adaptive thinking is not supported on this model')
  onlyKnown(thinking, type === 'enabled' ? 'type budget_tokens display' : 'type display', `thinking.${type}.`)
  if (type !== 'enabled') return type
  const budget = whole(thinking['budget_tokens'], 1024, 'thinking.enabled.budget_tokens')
  if (budget === undefined) throw invalid('thinking.enabled.budget_tokens: Field required')
  if (budget >= limit) throw invalid('`max_tokens` must be greater than `thinking.budget_tokens`.')
  return type
}

function checkSampling(body: Body, { late, one }: Rules, thinks: boolean): void {
  within(body['temperature'], 0, 1, 'temperature')
  within(body['top_p'], 0, 1, 'top_p')
  whole(body['top_k'], 0, 'top_k')
  for (const key of ['temperature', 'top_p', 'top_k'])
    if (late && body[key] !== undefined && body[key] !== 1) throw invalid(`\`${key}\` is deprecated for this model.`)
  if (one && body['temperature'] !== undefined && body['top_p'] !== undefined)
    throw invalid('`temperature` and `top_p` cannot both be specified for this model. Please use only one.')
  if (thinks && body['temperature'] !== undefined && body['temperature'] !== 1)
    throw invalid('`temperature` may only be set to 1 when thinking is enabled.')
  if (thinks && body['top_k'] !== undefined) throw invalid('`top_k` must be unset when thinking is enabled.')
}

interface Choice {
  readonly must: Prompt['must']
  readonly parallel: boolean
  readonly none: boolean
}

function choiceOf(value: unknown, names: readonly string[], rules: Rules, thinking: Thinking): Choice {
  if (value === undefined) return { must: undefined, parallel: true, none: false }
  if (names.length === 0) throw invalid('tool_choice may only be specified while providing tools.')
  const choice = object(value, 'tool_choice')
  const type = oneOf(choice['type'], 'auto any tool none', 'tool_choice.type')
  onlyKnown(
    choice,
    `type${type === 'tool' ? ' name' : ''}${type === 'none' ? '' : ' disable_parallel_tool_use'}`,
    `tool_choice.${type}.`,
  )
  const forced = type === 'any' || type === 'tool'
  if (forced && !rules.forced) throw invalid('tool_choice forces tool use is not compatible with this model.')
  if (forced && thinking === 'enabled') throw invalid('Thinking may not be enabled when tool_choice forces tool use.')
  const name = type === 'tool' ? text(choice['name'], 'tool_choice.tool.name') : ''
  if (type === 'tool' && !names.includes(name)) throw invalid(`Tool '${name}' not found in provided tools`)
  return {
    must: type === 'any' ? 'any' : type === 'tool' ? { name } : undefined,
    parallel: choice['disable_parallel_tool_use'] !== true,
    none: type === 'none',
  }
}

/** What the conversation may end with. */
function checkEnd(messages: readonly Said[], rules: Rules, thinking: Thinking): void {
  const last = messages.findLast(({ role }) => role !== 'system')
  const block = last?.blocks.at(-1)
  if (last?.role === 'assistant') {
    if (!rules.prefill)
      throw invalid(
        'This model does not support assistant message prefill. The conversation must end with a user message.',
      )
    if (block?.['type'] === 'text' && /\s$/.test(String(block['text'])))
      throw invalid('messages: final assistant content cannot end with trailing whitespace')
  }
  if (thinking !== 'enabled') return
  const at = messages.findLastIndex(({ role }) => role === 'assistant')
  const loop = last?.blocks[0]?.['type'] === 'tool_result'
  const first = String(messages[at]?.blocks[0]?.['type'])
  if ((loop || last?.role === 'assistant') && first !== 'thinking' && first !== 'redacted_thinking')
    throw invalid(
      `messages.${at}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block.`,
    )
}

/** At most four marks, those of an hour before those of five minutes, in the order of the prompt. */
function checkMarks(body: Body): void {
  const found: Body[] = []
  const look = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(look)
    if (!isRecord(value)) return
    if (Array.isArray(value['content'])) look(value['content'])
    if (isRecord(value['cache_control'])) found.push(value['cache_control'])
  }
  for (const key of ['tools', 'system', 'messages']) look(body[key])
  if (isRecord(body['cache_control'])) found.push(body['cache_control'])
  if (found.length > 4)
    throw invalid(`A maximum of 4 blocks with cache_control may be provided. Found ${found.length}.`)
  for (const mark of found) {
    oneOf(mark['type'], 'ephemeral', 'cache_control.type')
    if (mark['ttl'] !== undefined) oneOf(mark['ttl'], '5m 1h', 'cache_control.ephemeral.ttl')
  }
  const short = found.findIndex((mark) => mark['ttl'] !== '1h')
  if (short >= 0 && found.slice(short).some((mark) => mark['ttl'] === '1h'))
    throw invalid(
      "messages: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
    )
}

function jsonOf(value: unknown, { schemas }: Rules): Prompt['json'] {
  if (value === undefined) return undefined
  const config = object(value, 'output_config')
  onlyKnown(config, 'effort format task_budget', 'output_config.')
  if (config['effort'] !== undefined && config['effort'] !== null)
    oneOf(config['effort'], 'low medium high xhigh max', 'output_config.effort')
  if (config['format'] === undefined || config['format'] === null) return undefined
  if (!schemas) throw invalid('output_config.format: This model does not support the `output_config.format` parameter.')
  const format = object(config['format'], 'output_config.format')
  oneOf(format['type'], 'json_schema', 'output_config.format.type')
  onlyKnown(format, 'type schema', 'output_config.format.json_schema.')
  const schema = object(format['schema'], 'output_config.format.schema')
  closed(schema, 'output_config.format.schema')
  return { schema }
}
