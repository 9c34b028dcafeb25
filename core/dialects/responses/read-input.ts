import type { Artefact, InputPart, Message, OutputPart, TextPart } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import { wrong } from '../openai/asked.ts'
import type { Asked } from '../openai/asked.ts'
import { sourceOf } from '../openai/data-url.ts'
import { argumentsOf, checkCalls } from '../openai/read-messages.ts'
import type { CallWords } from '../openai/read-messages.ts'
import { argumentsOfInput } from './custom-tool.ts'
import { decrypt } from './encrypted.ts'

const words: CallWords = {
  orphan: (_, id) => `No function_call before the function_call_output in "input" has call_id ${JSON.stringify(id)}.`,
  unanswered: (ids) =>
    `The function_calls ${ids.join(', ')} in "input" have no function_call_output: add one for each, right after the calls.`,
}

/**
 * The items of a request as messages: https://platform.openai.com/docs/api-reference/responses/create#responses-create-input. Items of the
 * assistant that follow each other (thoughts, words, calls) are one message.
 */
export function readInput(items: readonly Asked[]): readonly Message[] {
  const messages: Message[] = []
  let assistant: OutputPart[] | undefined
  /** Of the next call. */
  let signature: Artefact | undefined
  const speak = (parts: readonly OutputPart[]): void => {
    if (!assistant) messages.push({ role: 'assistant', content: (assistant = []) })
    assistant.push(...parts)
  }
  const turn = (message: Message): void => {
    assistant = undefined
    messages.push(message)
  }
  for (const item of items) {
    const type = item.text('type') ?? 'message'
    // What an answer says of an item, which is all there by now.
    for (const key of ['id', 'status', 'created_by']) item.any(key)
    switch (type) {
      case 'message': {
        const role = item.word('role', 'user', 'assistant', 'system', 'developer')
        if (role === 'assistant') speak(outputs(item))
        else if (role === 'user') turn({ role, content: inputs(item, 'content') })
        else if (role !== undefined) turn({ role: 'system', content: texts(item) })
        else throw wrong(`"${item.path('role')}" must be user, assistant, system or developer.`)
        break
      }
      case 'reasoning': {
        const read = thoughts(item)
        if (read.call) signature = read.call
        speak(read.parts)
        break
      }
      case 'function_call':
        speak([
          {
            type: 'tool-call',
            id: item.need('call_id'),
            name: item.need('name'),
            arguments: argumentsOf(item.text('arguments'), item.path('arguments')),
            ...(signature ? { signature } : {}),
          },
        ])
        signature = undefined
        break
      case 'custom_tool_call':
        speak([
          {
            type: 'tool-call',
            id: item.need('call_id'),
            name: item.need('name'),
            arguments: argumentsOfInput(item.need('input')),
          },
        ])
        break
      case 'custom_tool_call_output':
      case 'function_call_output':
        turn({ role: 'tool', callId: item.need('call_id'), content: inputs(item, 'output') })
        break
      case 'item_reference':
        throw new Failure('not_translatable', {
          detail: `"${item.path('type')}" item_reference needs a provider that keeps responses: send the item itself.`,
        })
      default:
        // Traces of tools that only OpenAI runs.
        item.leaveAll(item.path(type))
    }
  }
  checkCalls(messages, words)
  return messages
}

function thoughts(item: Asked): { readonly parts: readonly OutputPart[]; readonly call?: Artefact } {
  const words = (key: string): string =>
    item
      .objects(key)
      .map((it) => {
        it.any('type')
        return it.text('text') ?? ''
      })
      .join('')
  const [open, summary] = [words('content'), words('summary')]
  const text = open || summary
  const encrypted = item.text('encrypted_content')
  if (encrypted === undefined) return { parts: text === '' ? [] : [{ type: 'reasoning', text }] }
  const { artefact, kind } = decrypt(encrypted)
  if (kind === 'call') return { parts: text === '' ? [] : [{ type: 'reasoning', text }], call: artefact }
  // OpenAI's own is one item: what it says in the open is a summary of what is hidden.
  if (kind === 'redacted')
    return {
      parts: [...(text === '' ? [] : [{ type: 'reasoning', text } as const]), { type: 'redacted', data: artefact }],
    }
  return { parts: [{ type: 'reasoning', text, signature: artefact }] }
}

function outputs(item: Asked): readonly OutputPart[] {
  const content = item.any('content')
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return item.objects('content').map((part): OutputPart => {
    const type = part.word('type', 'output_text', 'input_text', 'text', 'refusal')
    // Part of every answer as SDKs keep it, and of no request.
    for (const key of ['annotations', 'logprobs']) part.any(key)
    return type === 'refusal' ? { type, text: part.need('refusal') } : { type: 'text', text: part.need('text') }
  })
}

function texts(item: Asked): readonly TextPart[] {
  return inputs(item, 'content').map((part, i) => {
    if (part.type === 'text') return part
    throw wrong(`"${item.path(`content.${i}`)}" must be text in a message of this role.`)
  })
}

function inputs(item: Asked, key: string): readonly InputPart[] {
  const content = item.any(key)
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  if (content === undefined) throw wrong(`"${item.path(key)}" is missing: give a string or a list of parts.`)
  return item.objects(key).map(inputPart)
}

function inputPart(part: Asked): InputPart {
  const type = part.word('type', 'input_text', 'input_image', 'input_file', 'input_audio', 'output_text')
  switch (type) {
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: part.need('text') }
    case 'input_image': {
      const detail = part.word('detail', 'auto', 'low', 'high')
      const named = detail ? { detail } : {}
      const id = part.text('file_id')
      if (id !== undefined)
        return { type: 'image', source: { type: 'file', id: { format: 'openai', value: id } }, ...named }
      const source = sourceOf(part.need('image_url'))
      if (!source) throw wrong(`"${part.path('image_url')}" must be an https URL or a data URL with base64.`)
      return { type: 'image', source, ...named }
    }
    case 'input_file': {
      const [id, data, url, name] = ['file_id', 'file_data', 'file_url', 'filename'].map((key) => part.text(key))
      const named = name === undefined ? {} : { name }
      if (id !== undefined)
        return { type: 'file', source: { type: 'file', id: { format: 'openai', value: id } }, ...named }
      const source =
        data !== undefined ? sourceOf(data) : url !== undefined ? ({ type: 'url', url } as const) : undefined
      if (!source)
        throw wrong(`"${part.path('file_data')}" must be a data URL with base64, or give "file_url" or "file_id".`)
      return { type: 'file', source, ...named }
    }
    case 'input_audio': {
      const audio = part.within('input_audio')
      return { type: 'audio', data: audio.need('data'), format: audio.need('format') }
    }
    case undefined:
      throw wrong(`"${part.path('type')}" is missing: give input_text, input_image, input_file or input_audio.`)
  }
}
