import type { ChatRequest, Tool } from '../../chat.ts'
import { fits } from '../anthropic/schema-fit.ts'
import { ANSWER_TOOL } from '../anthropic/write-format.ts'
import type { Json } from '../dialect.ts'
import { isObject } from '../openai/asked.ts'
import { cachePoint } from './cache-points.ts'
import type { Block } from './cache-points.ts'
import { hasTools } from './write-messages.ts'
import type { Turn } from './write-messages.ts'
import type { Writing } from './write-parts.ts'

export interface ToolConfig {
  /** With their cache points. */
  readonly tools: Block[]
  readonly choice: Json | undefined
  /** A call is forced. */
  readonly forced: boolean
}

/**
 * The functions that may be called. There is no choice `none`: the functions are left out; but a conversation with calls in it has to name
 * functions, and then a model may call them nevertheless, which is reported as `toolChoice`. `answer`: the tool that stands for the answer.
 */
export function writeTools(
  request: ChatRequest,
  turns: readonly Turn[],
  answer: Json | undefined,
  writing: Writing,
): ToolConfig | undefined {
  const { traits, dropped } = writing
  const { toolChoice = 'auto', parallelToolCalls } = request
  const history = hasTools(turns)
  const mayCall = toolChoice !== 'none'
  const given = mayCall || history ? request.tools : []
  const tools = given.flatMap((tool, i) => [
    writeTool(tool, `tools.${i}`, writing),
    ...(tool.cache === undefined ? [] : points(tool, `tools.${i}`, writing)),
  ])
  if (answer)
    tools.push({
      toolSpec: {
        name: answer['name'],
        description: answer['description'],
        inputSchema: { json: answer['input_schema'] },
      },
    })
  if (tools.length === 0 && history) tools.push(...named(turns))
  if (tools.length === 0) return undefined
  if (parallelToolCalls === false && mayCall) dropped.push('parallelToolCalls')
  if (answer) {
    // With functions of its own to choose from, the model may still call those first.
    const choice = mayCall && given.length > 0 ? { any: {} } : { tool: { name: ANSWER_TOOL } }
    return { tools, choice, forced: true }
  }
  if (!mayCall) {
    dropped.push('toolChoice')
    return { tools, choice: undefined, forced: false }
  }
  const choice = choiceOf(toolChoice, traits.model.forced || traits.choices === 'any' ? traits.choices : 'none')
  if (choice === undefined && toolChoice !== 'auto') dropped.push('toolChoice')
  return { tools, choice, forced: choice !== undefined }
}

/** Undefined for what the model does by itself. */
function choiceOf(
  choice: Exclude<ChatRequest['toolChoice'], 'none' | undefined>,
  taken: 'all' | 'any' | 'none',
): Json | undefined {
  if (choice === 'auto') return undefined
  if (choice === 'required') return taken === 'none' ? undefined : { any: {} }
  return taken === 'all' ? { tool: { name: choice.name } } : undefined
}

function writeTool({ name, description, parameters, strict }: Tool, at: string, { traits, dropped }: Writing): Block {
  const schema: Json = { type: 'object', ...(parameters ?? { properties: {} }) }
  const held = strict === true && traits.model.schemas && fits(schema)
  if (strict === true && !held) dropped.push(`${at}.strict`)
  return {
    toolSpec: {
      name,
      ...(description === undefined || description === '' ? {} : { description }),
      inputSchema: { json: schema },
      ...(held ? { strict: true } : {}),
    },
  }
}

function points({ cache = '5m' }: Tool, at: string, { traits, dropped }: Writing): Block[] {
  if (traits.caching === 'all') return [cachePoint(cache)]
  dropped.push(`${at}.cache`)
  return []
}

/** The functions that a conversation calls, where the request names none: what they take is not known. */
function named(turns: readonly Turn[]): Block[] {
  const names = turns.flatMap(({ content }) =>
    content.flatMap(({ toolUse }) => (isObject(toolUse) ? [String(toolUse['name'])] : [])),
  )
  // A result without a call is for Bedrock to refuse.
  return [...new Set(names.length > 0 ? names : ['unknown'])].map((name) => ({
    toolSpec: { name, inputSchema: { json: { type: 'object', properties: {} } } },
  }))
}
