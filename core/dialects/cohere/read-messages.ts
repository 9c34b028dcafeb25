import type { InputPart, Message, OutputPart, TextPart, ToolCallPart } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import type { Asked } from '../openai/asked.ts'
import { checkCalls } from '../openai/read-messages.ts'
import { sourceOf } from '../openai/data-url.ts'
import { invalid, text } from '../request-fields.ts'

/** Cohere's messages. Throws `invalid_request`. */
export function readMessages(messages: readonly Asked[]): readonly Message[] {
  if (messages.length === 0) throw invalid('messages', 'a list of at least one message')
  const read = messages.map(readMessage)
  checkCalls(read)
  return read
}

function readMessage(asked: Asked): Message {
  const role = asked.word('role', 'system', 'user', 'assistant', 'tool')
  switch (role) {
    case 'system':
      return { role, content: blocks(asked, textOf) }
    case 'user':
      return { role, content: blocks(asked, inputOf) }
    case 'tool':
      return {
        role,
        callId: asked.need('tool_call_id'),
        content: blocks(asked, resultOf),
      }
    case 'assistant':
      return { role, content: assistant(asked) }
    case undefined:
      throw invalid(asked.path('role'), 'one of "system", "user", "assistant", "tool"')
  }
}

function assistant(asked: Asked): readonly OutputPart[] {
  const said = asked.any('content') === undefined ? [] : blocks(asked, outputOf)
  const plan = asked.text('tool_plan')
  const calls = asked.objects('tool_calls').map(callOf)
  return [...said, ...(plan ? [{ type: 'text', text: plan } as const] : []), ...calls]
}

/** A text, or a list of blocks each with its type. */
function blocks<P extends { readonly type: string }>(
  asked: Asked,
  read: (block: Asked) => P,
): readonly (P | TextPart)[] {
  const content = asked.any('content')
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (content === undefined) throw invalid(asked.path('content'), 'a string or a list of blocks')
  return asked.objects('content').map(read)
}

function textOf(block: Asked): TextPart {
  block.word('type', 'text')
  return { type: 'text', text: block.need('text') }
}

function inputOf(block: Asked): InputPart {
  if (block.word('type', 'text', 'image_url') !== 'image_url') return textOf(block)
  const image = block.within('image_url')
  const source = sourceOf(image.need('url'))
  if (!source) throw invalid(image.path('url'), 'a URL, or a data URL')
  const detail = image.word('detail', 'auto', 'low', 'high')
  return { type: 'image', source, ...(detail ? { detail } : {}) }
}

function outputOf(block: Asked): OutputPart {
  if (block.word('type', 'text', 'thinking') !== 'thinking') return textOf(block)
  return { type: 'reasoning', text: block.need('thinking') }
}

/** A document is said as the text that is its only member, else as JSON. */
function resultOf(block: Asked): InputPart {
  if (block.word('type', 'text', 'document') !== 'document') return textOf(block)
  const document = block.within('document')
  const part: InputPart = { type: 'text', text: dataText(document.any('data'), document.path('data')) }
  return part
}

/** The text of a document's `data`. */
export function dataText(data: unknown, name: string): string {
  if (typeof data === 'string') return data
  const held = record(data)
  if (!held) throw invalid(name, 'an object or a string')
  const [only, ...others] = Object.entries(held)
  return only && others.length === 0 && (only[0] === 'content' || only[0] === 'text')
    ? text(only[1], `${name}.${only[0]}`)
    : JSON.stringify(data)
}

function callOf(call: Asked): ToolCallPart {
  call.word('type', 'function')
  const it = call.within('function')
  const part: ToolCallPart = {
    type: 'tool-call',
    id: call.need('id'),
    name: it.need('name'),
    arguments: it.text('arguments') || '{}',
  }
  return part
}
