import type { ArtefactFormat, ChatEvent } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import { ANSWER_TOOL } from '../anthropic/write-format.ts'
import { Malformed } from '../dialect.ts'
import type { ChatReader, Frame, Json } from '../dialect.ts'
import { readRedacted } from './artefacts.ts'
import { formatOf, imageType } from './media.ts'
import { readCitation, readException, stopSequenceOf } from './read-blocks.ts'
import { finishOf } from './stop-reason.ts'
import { readUsage } from './usage.ts'

const choice = 0
const NOTHING: readonly ChatEvent[] = []

/** What a block turned out to be: blocks of text and thought begin without a word. */
type Open =
  | { readonly kind: 'call'; readonly index: number; said: boolean }
  /** A call of the tool that stands for the answer. */
  | { readonly kind: 'answer' }
  | { readonly kind: 'image'; readonly format: string }
  /** A tool that Bedrock runs itself. */
  | { readonly kind: 'hidden' }

/**
 * Reads a stream of ConverseStream (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html): usage comes
 * after the end of the message. `format`: whose signatures are in it.
 */
export class BedrockReader implements ChatReader {
  private readonly format: ArtefactFormat
  /** By `contentBlockIndex`, which counts blocks and not calls. */
  private readonly open = new Map<unknown, Open>()
  private calls = 0

  constructor(format: ArtefactFormat) {
    this.format = format
  }

  read({ type, data }: Frame): readonly ChatEvent[] {
    const failed = readException(type, data)
    if (failed) return [failed]
    switch (type) {
      case 'messageStart':
        return [{ type: 'start' }]
      case 'contentBlockStart':
        return this.begin(parse(data))
      case 'contentBlockDelta':
        return this.go(parse(data))
      case 'contentBlockStop':
        return this.stop(parse(data)['contentBlockIndex'])
      case 'messageStop': {
        const { stopReason, additionalModelResponseFields: fields } = parse(data)
        const reason = finishOf(stopReason, this.calls > 0)
        return [...this.end(), { type: 'finish', choice, reason, ...stopSequenceOf(fields) }]
      }
      case 'metadata': {
        const usage = readUsage(parse(data)['usage'])
        return [...(usage ? [{ type: 'usage', usage } as const] : []), { type: 'end' }]
      }
      default:
        // Events to come.
        return NOTHING
    }
  }

  end(): readonly ChatEvent[] {
    return [...this.open.keys()].flatMap((index) => this.stop(index))
  }

  private begin({ start: value, contentBlockIndex: at }: Json): readonly ChatEvent[] {
    const start = record(value)
    const image = record(start?.['image'])
    if (image) this.open.set(at, { kind: 'image', format: formatOf(image) })
    if (start?.['toolResult'] !== undefined) this.open.set(at, { kind: 'hidden' })
    const use = record(start?.['toolUse'])
    if (!use) return NOTHING
    const { toolUseId: id, name } = use
    if (typeof id !== 'string' || typeof name !== 'string') throw new Malformed('A call has no id or no name.')
    if (use['type'] === 'server_tool_use') this.open.set(at, { kind: 'hidden' })
    else if (name === ANSWER_TOOL) this.open.set(at, { kind: 'answer' })
    else {
      const index = this.calls++
      this.open.set(at, { kind: 'call', index, said: false })
      return [{ type: 'tool', choice, index, id, name }]
    }
    return NOTHING
  }

  private go({ delta: value, contentBlockIndex: at }: Json): readonly ChatEvent[] {
    const delta = record(value)
    if (!delta) throw new Malformed('An event has no delta.')
    const { text } = delta
    if (typeof text === 'string') return text === '' ? NOTHING : [{ type: 'text', choice, text }]
    const reasoning = record(delta['reasoningContent'])
    if (reasoning) return this.think(reasoning)
    const input = record(delta['toolUse'])?.['input']
    if (typeof input === 'string') return this.argue(at, input)
    const cited = record(delta['citation'])
    if (cited) return [{ type: 'citation', choice, citation: readCitation(cited) }]
    const bytes = record(record(delta['image'])?.['source'])?.['bytes']
    const block = this.open.get(at)
    return typeof bytes === 'string' && block?.kind === 'image'
      ? [{ type: 'image', choice, mediaType: imageType(block.format), data: bytes }]
      : NOTHING
  }

  private think({ text, signature, redactedContent: redacted }: Json): readonly ChatEvent[] {
    const { format } = this
    if (typeof redacted === 'string') return [{ type: 'redacted', choice, data: readRedacted(redacted, format) }]
    if (typeof signature === 'string' && signature !== '')
      return [{ type: 'signature', choice, signature: { format, value: signature } }]
    return typeof text === 'string' && text !== '' ? [{ type: 'reasoning', choice, text }] : NOTHING
  }

  private argue(at: unknown, text: string): readonly ChatEvent[] {
    const block = this.open.get(at)
    if (!block) throw new Malformed('There are arguments without a call.')
    if (text === '' || block.kind === 'hidden') return NOTHING
    if (block.kind !== 'call') return [{ type: 'text', choice, text }]
    block.said = true
    return [{ type: 'arguments', choice, index: block.index, text }]
  }

  private stop(at: unknown): readonly ChatEvent[] {
    const block = this.open.get(at)
    this.open.delete(at)
    return block?.kind === 'call' && !block.said
      ? [{ type: 'arguments', choice, index: block.index, text: '{}' }]
      : NOTHING
  }
}

function parse(data: string): Json {
  try {
    const json = record(JSON.parse(data))
    if (json) return json
  } catch {
    // Said below.
  }
  throw new Malformed('An event’s payload is no JSON object.')
}
