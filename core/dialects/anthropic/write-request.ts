import type { ChatRequest, Tool } from '../../chat.ts'
import type { Json, Outgoing, TargetContext } from '../dialect.ts'
import { mark, settleMarks } from './cache-marks.ts'
import type { Block } from './cache-marks.ts'
import { traitsOf } from './model-traits.ts'
import type { Traits } from './model-traits.ts'
import { fits } from './schema-fit.ts'
import { ANSWER_TOOL, writeForm } from './write-format.ts'
import { isThoughtless, writeMessages } from './write-messages.ts'
import type { Turn } from './write-messages.ts'
import { writeThinking } from './write-thinking.ts'

/** The first version of the API whose requests have no temperature, top_p and top_k: https://platform.claude.com/docs/en/api/versioning */
const WITHOUT_SAMPLING = '2026-10-21'

/** Fields of a request that the API has no word for. */
const wordless = [
  'seed',
  'frequencyPenalty',
  'presencePenalty',
  'logprobs',
  'topLogprobs',
  'logitBias',
  'audio',
  'metadata',
] as const

/**
 * The body of a Messages request (https://platform.claude.com/docs/en/api/messages/create) and what could not be said in it. `version`: of
 * the API. Throws `not_translatable`.
 */
export function writeRequest(request: ChatRequest, context: TargetContext, version: string): Omit<Outgoing, 'path'> {
  const traits = traitsOf(context.model)
  const dropped: string[] = wordless.filter((name) => request[name] !== undefined && request[name] !== false)
  if ((request.n ?? 1) > 1) dropped.push('n')
  if (request.modalities?.some((modality) => modality !== 'text')) dropped.push('modalities')
  const form = writeForm(request, traits)
  if (form.format && request.format?.type === 'schema' && request.format.description !== undefined)
    dropped.push('format.description')
  const { system, turns } = writeMessages(
    request.messages,
    { prefill: context.capabilities.prefill ?? traits.prefill, systemTurns: traits.systemTurns },
    dropped,
  )
  const tools = request.tools.map((tool, i) => writeTool(tool, traits, `tools.${i}`, dropped))
  if (form.tool) tools.push({ ...form.tool })
  const choice = choiceOf(request, traits, form.tool !== undefined, tools.length > 0, dropped)
  const maxTokens = maxTokensOf(request, context, traits, dropped)
  const { thinking, effort, on, ...thought } = writeThinking(request, traits, {
    maxTokens,
    forced: choice?.['type'] === 'any' || choice?.['type'] === 'tool',
    prefill: turns.at(-1)?.role === 'assistant',
    thoughtless: isThoughtless(turns),
  })
  const blocks = [...system, ...(form.words === undefined ? [] : [{ type: 'text', text: form.words }])]
  if (settleMarks([...tools, ...blocks, ...turns.flatMap(markable)])) dropped.push('cache')
  const sampling = version >= WITHOUT_SAMPLING ? 'none' : traits.sampling
  const stop = request.stop?.filter((sequence) => sequence.trim() !== '')
  if (stop && stop.length < (request.stop?.length ?? 0)) dropped.push('stop')
  const outputConfig = { ...(effort ? { effort } : {}), ...(form.format ? { format: form.format } : {}) }
  const body = {
    model: context.model,
    max_tokens: maxTokens,
    ...(blocks.length > 0 ? { system: textOf(blocks) } : {}),
    messages: turns.flatMap((turn) => [
      { role: turn.role, content: textOf(turn.content) },
      ...(turn.system.length > 0 ? [{ role: 'system', content: textOf(turn.system) }] : []),
    ]),
    ...(tools.length > 0 ? { tools } : {}),
    ...(choice ? { tool_choice: choice } : {}),
    ...(thinking ? { thinking } : {}),
    ...(Object.keys(outputConfig).length > 0 ? { output_config: outputConfig } : {}),
    ...writeSampling(request, sampling, on, dropped),
    ...(stop && stop.length > 0 ? { stop_sequences: stop } : {}),
    ...(request.user === undefined ? {} : { metadata: { user_id: request.user } }),
    ...serviceTierOf(request, dropped),
    ...(request.stream ? { stream: true } : {}),
  }
  return { body, dropped: [...dropped, ...form.dropped, ...thought.dropped] }
}

/** One text without a mark is written as a string. */
function textOf(blocks: readonly Block[]): unknown {
  const [only] = blocks
  return blocks.length === 1 && only?.['type'] === 'text' && !only['cache_control'] ? only['text'] : blocks
}

/** The blocks of a turn that can bear marks, those inside a tool's result before it. */
function markable({ content, system }: Turn): Block[] {
  return [...content, ...system].flatMap((block) => {
    const inner: unknown = block['content']
    // Written by `write-messages.ts`: the content of a result is text or blocks.
    return Array.isArray(inner) ? [...(inner as Block[]), block] : [block]
  })
}

function writeTool(
  { name, description, parameters, strict, cache }: Tool,
  traits: Traits,
  at: string,
  dropped: string[],
): Block {
  const schema: Json = { type: 'object', ...(parameters ?? { properties: {} }) }
  const held = strict === true && traits.schemas && fits(schema)
  if (strict === true && !held) dropped.push(`${at}.strict`)
  return {
    name,
    ...(description === undefined ? {} : { description }),
    input_schema: schema,
    ...(held ? { strict: true } : {}),
    ...mark(cache),
  }
}

function choiceOf(
  { toolChoice, parallelToolCalls, tools }: ChatRequest,
  traits: Traits,
  answerTool: boolean,
  any: boolean,
  dropped: string[],
): Json | undefined {
  if (!any) return undefined
  if (answerTool)
    // With tools of its own to choose from, the model may still call those first.
    return tools.length > 0 && toolChoice !== 'none'
      ? { type: 'any', ...alone(parallelToolCalls) }
      : { type: 'tool', name: ANSWER_TOOL }
  if (toolChoice === 'none') return { type: 'none' }
  const forced = toolChoice === 'required' || typeof toolChoice === 'object'
  if (forced && !traits.forced) dropped.push('toolChoice')
  if (forced && traits.forced) {
    const choice = toolChoice === 'required' ? { type: 'any' } : { type: 'tool', name: toolChoice.name }
    return { ...choice, ...alone(parallelToolCalls) }
  }
  return toolChoice === undefined && parallelToolCalls !== false
    ? undefined
    : { type: 'auto', ...alone(parallelToolCalls) }
}

const alone = (parallel: boolean | undefined): Json => (parallel === false ? { disable_parallel_tool_use: true } : {})

/** `max_tokens` is not optional: where nobody says, it is what the model gives at most. */
function maxTokensOf(
  { maxTokens }: ChatRequest,
  { capabilities }: TargetContext,
  traits: Traits,
  dropped: string[],
): number {
  const most = capabilities.maxOutputTokens
  if (maxTokens === undefined) return most ?? traits.maxTokens
  if (most === undefined || maxTokens <= most) return maxTokens
  dropped.push('maxTokens')
  return most
}

/** Temperature goes from 0 to 1; with thought on, or on models that refuse sampling, only what is the default can be left out in silence. */
function writeSampling(
  { temperature, topP, topK }: ChatRequest,
  takes: Traits['sampling'],
  thinks: boolean,
  dropped: string[],
): Json {
  if (takes === 'none' || thinks) {
    if (temperature !== undefined && temperature !== 1) dropped.push('temperature')
    if (topP !== undefined && topP !== 1) dropped.push('topP')
    if (topK !== undefined) dropped.push('topK')
    return {}
  }
  const both = takes === 'one' && temperature !== undefined && topP !== undefined
  if ((temperature ?? 0) > 1) dropped.push('temperature')
  if (both && topP !== 1) dropped.push('topP')
  return {
    ...(temperature === undefined ? {} : { temperature: Math.min(1, temperature) }),
    ...(topP === undefined || both ? {} : { top_p: topP }),
    ...(topK === undefined ? {} : { top_k: topK }),
  }
}

function serviceTierOf({ serviceTier }: ChatRequest, dropped: string[]): Json {
  if (serviceTier === undefined) return {}
  if (serviceTier === 'auto') return { service_tier: 'auto' }
  if (serviceTier === 'default') return { service_tier: 'standard_only' }
  dropped.push('serviceTier')
  return {}
}
