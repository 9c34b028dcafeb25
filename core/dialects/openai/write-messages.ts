import type { FilePart, InputPart, Message, OutputPart, Source, TextPart } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import type { Json } from '../dialect.ts'
import { extraContent, hiddenDetail, thoughtDetail } from './artefacts.ts'
import { dataUrl, isOfTheWeb, schemeOf } from './data-url.ts'
import type { Options } from './options.ts'

/** The messages as OpenAI's chat has them. `dropped` gets the names of what has no place. */
export function writeMessages(messages: readonly Message[], options: Options, dropped: string[]): readonly Json[] {
  const written: Json[] = []
  /** What tools gave besides text: their messages cannot hold it, so the user shows it after the last of them. */
  let shown: Json[] = []
  const show = (): void => {
    if (shown.length > 0) written.push({ role: 'user', content: shown })
    shown = []
  }
  for (const [i, message] of messages.entries()) {
    const at = `messages.${i}`
    const writer = new Writer(at, options, dropped)
    if (message.role !== 'tool') show()
    switch (message.role) {
      case 'system':
        written.push({ role: 'system', content: writer.content(message.content) })
        break
      case 'user':
        written.push({ role: 'user', ...named(message.name), content: writer.content(message.content) })
        break
      case 'assistant':
        written.push({ role: 'assistant', ...named(message.name), ...writer.assistant(message.content) })
        break
      case 'tool': {
        const texts = message.content.filter((part) => part.type === 'text')
        const others = message.content.filter((part) => part.type !== 'text')
        const content = writer.toolText(texts, message.isError ?? false, others.length > 0)
        written.push({ role: 'tool', tool_call_id: message.callId, content, ...writer.marked(message) })
        if (others.length > 0)
          shown.push(
            { type: 'text', text: `Result of the tool call ${message.callId}:` },
            ...others.map((part) => writer.part(part)),
          )
        break
      }
    }
  }
  show()
  return written
}

const named = (name: string | undefined): Json => (name === undefined ? {} : { name })

class Writer {
  private readonly at: string
  private readonly options: Options
  private readonly dropped: string[]

  constructor(at: string, options: Options, dropped: string[]) {
    this.at = at
    this.options = options
    this.dropped = dropped
  }

  /** One text is a string, which every server takes; anything else is a list. */
  content(parts: readonly InputPart[]): unknown {
    const [only] = parts
    if (!only) return ''
    if (parts.length === 1 && only.type === 'text' && !(only.cache && this.options.extras)) {
      this.marked(only)
      return only.text
    }
    return parts.map((part) => this.part(part))
  }

  toolText(texts: readonly TextPart[], isError: boolean, more: boolean): unknown {
    const [first] = texts
    // There is no flag for it, so the words have to say it.
    const error = isError && !/error|fail/i.test(first?.text ?? '')
    if (texts.length === 0) return error ? 'Error' : more ? 'The result follows.' : ''
    if (!error) return this.content(texts)
    return this.content(texts.map((part, i) => (i === 0 ? { ...part, text: `Error: ${part.text}` } : part)))
  }

  part(part: InputPart): Json {
    const mark = this.marked(part)
    switch (part.type) {
      case 'text':
        return { type: 'text', text: part.text, ...mark }
      case 'image':
        return {
          type: 'image_url',
          image_url: { url: this.imageUrl(part.source), ...(part.detail ? { detail: part.detail } : {}) },
          ...mark,
        }
      case 'audio':
        if (part.format !== 'wav' && part.format !== 'mp3')
          throw this.impossible(`audio in ${part.format}: it takes wav and mp3`)
        return { type: 'input_audio', input_audio: { data: part.data, format: part.format }, ...mark }
      case 'file':
        return { ...this.file(part), ...mark }
    }
  }

  assistant(parts: readonly OutputPart[]): Json {
    const texts = parts.filter((part) => part.type === 'text')
    const refusal = parts.map((part) => (part.type === 'refusal' ? part.text : '')).join('')
    const calls = parts.flatMap((part) => (part.type === 'tool-call' ? [this.call(part)] : []))
    const audio = parts.find((part) => part.type === 'audio')
    // Sound without an id of OpenAI's is worth its words.
    const spoken =
      audio && audio.id === undefined && audio.transcript ? [{ type: 'text' as const, text: audio.transcript }] : []
    if (parts.some((part) => part.type === 'image')) this.dropped.push(`${this.at}.images`)
    const said = [...texts, ...spoken]
    const content = said.length === 0 ? (calls.length > 0 || refusal || audio?.id ? null : '') : this.content(said)
    return {
      content,
      ...this.thoughts(parts),
      ...(refusal ? { refusal } : {}),
      ...(audio?.id === undefined ? {} : { audio: { id: audio.id } }),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    }
  }

  private thoughts(parts: readonly OutputPart[]): Json {
    const thoughts = parts.filter((part) => part.type === 'reasoning' || part.type === 'redacted')
    if (thoughts.length === 0) return {}
    const { thoughts: name } = this.options
    if (name === 'reasoning_details')
      return {
        reasoning_details: thoughts.map((part, i) => {
          if (part.type === 'redacted') return hiddenDetail(part.data, i)
          return part.signature
            ? thoughtDetail(part.text, part.signature, i)
            : { type: 'reasoning.text', text: part.text, index: i }
        }),
      }
    const text = thoughts.map((part) => (part.type === 'reasoning' ? part.text : '')).join('')
    if (name === 'reasoning_content' && text !== '') return { reasoning_content: text }
    this.dropped.push(`${this.at}.reasoning`)
    return {}
  }

  marked({ cache }: Pick<InputPart, 'cache'>): Json {
    if (!cache) return {}
    if (this.options.extras) return { cache_control: { type: 'ephemeral', ...(cache === '1h' ? { ttl: '1h' } : {}) } }
    this.dropped.push(`${this.at}.cache`)
    return {}
  }

  private imageUrl(source: Source): string {
    if (source.type === 'url') {
      if (!isOfTheWeb(source.url))
        throw this.impossible(`an image at ${schemeOf(source.url)}: it takes images inline or at an https URL`)
      return source.url
    }
    if (source.type === 'base64') return dataUrl(source.mediaType, source.data)
    throw this.impossible('an image by the id of a file: it takes images inline or at a URL')
  }

  private file({ source, name }: FilePart): Json {
    if (source.type === 'url') throw this.impossible('a file at a URL: it takes files inline')
    if (source.type === 'file') {
      if (source.id.format !== 'openai' || !this.options.files)
        throw this.impossible(`a file that ${source.id.format} keeps`)
      return { type: 'file', file: { file_id: source.id.value } }
    }
    // Only documents such as PDF are files to it.
    if (source.mediaType.startsWith('text/')) {
      const text = Buffer.from(source.data, 'base64').toString()
      return { type: 'text', text: name === undefined ? text : `${name}:\n${text}` }
    }
    return { type: 'file', file: { filename: name ?? 'file', file_data: dataUrl(source.mediaType, source.data) } }
  }

  /** Servers of the dialect that stand before Gemini want its signature back; OpenAI's own API refuses fields that it does not have. */
  private call({ id, name, arguments: text, signature }: Extract<OutputPart, { type: 'tool-call' }>): Json {
    const told = { id, type: 'function', function: { name, arguments: text } }
    if (!signature) return told
    if (this.options.extras && signature.format === 'gemini') return { ...told, extra_content: extraContent(signature) }
    this.dropped.push(`${this.at}.signature`)
    return told
  }

  private impossible(what: string): Failure {
    return new Failure('not_translatable', { detail: `${this.at} has ${what}.` })
  }
}
