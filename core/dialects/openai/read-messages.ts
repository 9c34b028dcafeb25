import type { AudioPart, CacheMark, FilePart, ImagePart, InputPart, Message, OutputPart, TextPart } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import { callSignature, readDetails } from './artefacts.ts'
import { Asked, wrong } from './asked.ts'
import { sourceOf } from './data-url.ts'

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'] as const

/** The messages of a chat request. Throws `invalid_request` for what OpenAI's own API refuses. */
export function readMessages(messages: readonly Asked[]): readonly Message[] {
  if (messages.length === 0) throw wrong('"messages" must be a list of at least one message.')
  const read = messages.map(readMessage)
  checkCalls(read)
  return read
}

function readMessage(asked: Asked): Message {
  const role = asked.word('role', ...ROLES)
  switch (role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: texts(asked) }
    case 'user': {
      const name = asked.text('name')
      return { role, ...(name === undefined ? {} : { name }), content: inputs(asked) }
    }
    case 'tool': {
      const [callId, name, isError] = [asked.need('tool_call_id'), asked.text('name'), asked.flag('is_error')]
      return {
        role,
        callId,
        ...(name === undefined ? {} : { name }),
        content: inputs(asked),
        ...(isError ? { isError } : {}),
      }
    }
    case 'assistant':
      return readAssistant(asked)
    case undefined:
      throw wrong(`"${asked.path('role')}" is missing: give one of ${ROLES.join(', ')}.`)
  }
}

function readAssistant(asked: Asked): Message {
  const name = asked.text('name')
  const [named, other] = [asked.text('reasoning_content'), asked.text('reasoning')]
  const plain = named ?? other
  const details = asked.list('reasoning_details')
  const content: OutputPart[] = details
    ? [...readDetails(details, plain)]
    : plain
      ? [{ type: 'reasoning', text: plain }]
      : []
  const said = asked.any('content')
  if (typeof said === 'string') {
    if (said !== '') content.push({ type: 'text', text: said })
  } else
    for (const it of asked.objects('content')) {
      const type = it.word('type', 'text', 'refusal')
      if (type === 'refusal') content.push({ type, text: it.need('refusal') })
      else content.push(textPart(it))
    }
  const refusal = asked.text('refusal')
  if (refusal) content.push({ type: 'refusal', text: refusal })
  if (asked.any('audio') !== undefined) {
    const audio = asked.within('audio')
    content.push({ type: 'audio', data: '', format: '', id: audio.need('id') })
    // An answer that was kept as it came has the sound besides; the id says it all.
    for (const key of ['data', 'transcript', 'expires_at']) audio.any(key)
  }
  for (const it of asked.objects('tool_calls')) {
    it.word('type', 'function')
    // Of a stream's pieces.
    it.any('index')
    const fn = it.within('function')
    const signature = callSignature(it.object('extra_content'))
    content.push({
      type: 'tool-call',
      id: it.need('id'),
      name: fn.need('name'),
      arguments: argumentsOf(fn.text('arguments'), fn.path('arguments')),
      ...(signature ? { signature } : {}),
    })
  }
  if (asked.any('function_call') !== undefined)
    throw wrong(`"${asked.path('function_call')}" is of an API that is no more: use "tool_calls".`)
  // Part of every answer as SDKs keep it, and of no request.
  asked.any('annotations')
  return { role: 'assistant', ...(name === undefined ? {} : { name }), content }
}

/** Arguments are JSON text of an object; a call without any may have the empty text. */
export function argumentsOf(text: string | undefined, path: string): string {
  if (text === undefined || text.trim() === '') return '{}'
  try {
    if (record(JSON.parse(text))) return text
  } catch {
    // Said below.
  }
  throw wrong(`"${path}" must be the JSON text of an object.`)
}

/** A mark that servers of the dialect take from Anthropic's: `cache_control: {type: 'ephemeral', ttl?}`. */
export function cacheOf(asked: Asked): { readonly cache?: CacheMark } {
  const control = asked.object('cache_control')
  return control ? { cache: control['ttl'] === '1h' ? '1h' : '5m' } : {}
}

function textPart(asked: Asked): TextPart {
  return { type: 'text', text: asked.need('text'), ...cacheOf(asked) }
}

function texts(asked: Asked): readonly TextPart[] {
  return inputs(asked).map((part, i) => {
    if (part.type === 'text') return part
    throw wrong(`"${asked.path(`content.${i}`)}" must be text in a message of this role.`)
  })
}

function inputs(asked: Asked): readonly InputPart[] {
  const content = asked.any('content')
  const { cache } = cacheOf(asked)
  if (typeof content === 'string')
    return content === '' ? [] : [{ type: 'text', text: content, ...(cache ? { cache } : {}) }]
  if (content === undefined) throw wrong(`"${asked.path('content')}" is missing: give a string or a list of parts.`)
  return asked.objects('content').map(readPart)
}

function readPart(asked: Asked): InputPart {
  const type = asked.word('type', 'text', 'image_url', 'input_audio', 'file')
  switch (type) {
    case 'text':
      return textPart(asked)
    case 'image_url':
      return imagePart(asked)
    case 'input_audio':
      return audioPart(asked)
    case 'file':
      return filePart(asked)
    case undefined:
      throw wrong(`"${asked.path('type')}" is missing: give text, image_url, input_audio or file.`)
  }
}

function imagePart(asked: Asked): ImagePart {
  const value = asked.any('image_url')
  const at = asked.path('image_url')
  // Some clients write the URL without the object around it.
  const image = typeof value === 'string' ? new Asked({ url: value }, at) : asked.within('image_url')
  const source = sourceOf(image.need('url'))
  if (!source) throw wrong(`"${at}.url" must be an https URL or a data URL with base64.`)
  const detail = image.word('detail', 'auto', 'low', 'high')
  return { type: 'image', source, ...(detail ? { detail } : {}), ...cacheOf(asked) }
}

function audioPart(asked: Asked): AudioPart {
  const audio = asked.within('input_audio')
  return { type: 'audio', data: audio.need('data'), format: audio.need('format'), ...cacheOf(asked) }
}

function filePart(asked: Asked): FilePart {
  const at = asked.path('file')
  const file = asked.within('file')
  const [id, data, name] = [file.text('file_id'), file.text('file_data'), file.text('filename')]
  const named = { ...(name === undefined ? {} : { name }), ...cacheOf(asked) }
  if (id !== undefined) return { type: 'file', source: { type: 'file', id: { format: 'openai', value: id } }, ...named }
  if (data === undefined) throw wrong(`"${at}" needs "file_data" or "file_id".`)
  const source = sourceOf(data) ?? plainBase64(data, name)
  if (!source) throw wrong(`"${at}.file_data" must be a data URL with base64.`)
  return { type: 'file', source, ...named }
}

/** Bytes without a data URL around them; their type is what the name ends in. */
function plainBase64(data: string, name: string | undefined): FilePart['source'] | undefined {
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(data)) return undefined
  const mediaType = /\.(txt|md|csv)$/i.test(name ?? '') ? 'text/plain' : 'application/pdf'
  return { type: 'base64', mediaType, data: data.replace(/\s+/g, '') }
}

/** How a dialect says what is wrong with calls and their answers. */
export interface CallWords {
  /** The tool's message at `i` answers no call of the message before. */
  readonly orphan: (i: number, callId: string) => string
  readonly unanswered: (callIds: readonly string[]) => string
}

const words: CallWords = {
  orphan: (i, id) => `"messages.${i}.tool_call_id" ${JSON.stringify(id)} is no unanswered call of the message before.`,
  unanswered: (ids) =>
    `The tool calls ${ids.join(', ')} have no answer: add a message of role tool for each, right after the calls.`,
}

/** Every answer of a tool follows the call that it is of, and every call has its answer before anyone else speaks. */
export function checkCalls(messages: readonly Message[], { orphan, unanswered }: CallWords = words): void {
  let open: readonly string[] = []
  const answered = (): void => {
    if (open.length > 0) throw wrong(unanswered(open))
  }
  for (const [i, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!open.includes(message.callId)) throw wrong(orphan(i, message.callId))
      open = open.filter((id) => id !== message.callId)
      continue
    }
    answered()
    if (message.role === 'assistant')
      open = message.content.flatMap((part) => (part.type === 'tool-call' ? [part.id] : []))
  }
  answered()
}
