import type { Tool } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import type { Json } from '../dialect.ts'
import type { Asked } from '../openai/asked.ts'

/**
 * Custom tools take any text (https://platform.openai.com/docs/guides/function-calling#custom-tools); to a model that knows functions only,
 * one is a function of one string. A grammar that the text has to keep to is told in words.
 */
export function readCustomTool(asked: Asked): Tool {
  const format = asked.any('format') === undefined ? undefined : asked.within('format')
  const description = asked.text('description')
  const grammar =
    format?.text('type') === 'grammar'
      ? `The input has to match this grammar (${format.need('syntax')}):\n${format.need('definition')}`
      : undefined
  const told = [description, grammar].filter((it) => it !== undefined).join('\n\n')
  return {
    name: asked.need('name'),
    ...(told === '' ? {} : { description: told }),
    parameters: {
      type: 'object',
      properties: { input: { type: 'string' } },
      required: ['input'],
      additionalProperties: false,
    },
    custom: true,
  }
}

export function argumentsOfInput(input: string): string {
  return JSON.stringify({ input })
}

/** The text that a model gave to a custom tool; what is not as it was told to be is taken as it is. */
export function inputOfArguments(text: string): string {
  try {
    const input = record(JSON.parse(text))?.['input']
    return typeof input === 'string' ? input : text
  } catch {
    return text
  }
}

export function customItem(id: string, callId: string, name: string, text: string): Json {
  return { id, type: 'custom_tool_call', status: 'completed', call_id: callId, name, input: inputOfArguments(text) }
}

/** The names of those among the tools of a request. */
export function customNames(tools: readonly Tool[]): ReadonlySet<string> {
  return new Set(tools.flatMap(({ name, custom }) => (custom ? [name] : [])))
}
