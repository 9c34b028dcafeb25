import type { ArtefactFormat, ChatEvent } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import { ANSWER_TOOL } from '../anthropic/write-format.ts'
import { Malformed } from '../dialect.ts'
import type { Json } from '../dialect.ts'
import { readRedacted } from './artefacts.ts'
import { formatOf, imageType } from './media.ts'
import { readCitation, stopSequenceOf } from './read-blocks.ts'
import { finishOf } from './stop-reason.ts'
import { readUsage } from './usage.ts'

const choice = 0

/**
 * The events of a whole answer of Converse (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). `format`:
 * whose signatures are in it. Throws `Malformed`.
 */
export function readAnswer(body: unknown, format: ArtefactFormat): readonly ChatEvent[] {
  const answer = record(body)
  if (!answer) throw new Malformed('The answer is no object.')
  const output = record(answer['output'])
  const message = record(output?.['message'])
  const error = output === undefined ? errorOf(answer) : undefined
  if (error) return [error]
  const content = message?.['content']
  if (!Array.isArray(content)) throw new Malformed('The answer has no message.')
  const events: ChatEvent[] = [{ type: 'start' }]
  let calls = 0
  for (const value of content as unknown[]) {
    const block = record(value)
    if (!block) throw new Malformed('A block is no object.')
    const use = record(block['toolUse'])
    if (use && use['type'] !== 'server_tool_use' && use['name'] !== ANSWER_TOOL) events.push(...callOf(use, calls++))
    else events.push(...(use ? answerOf(use) : blockOf(block, format)))
  }
  const reason = finishOf(answer['stopReason'], calls > 0)
  const usage = readUsage(answer['usage'])
  return [
    ...events,
    { type: 'finish', choice, reason, ...stopSequenceOf(answer['additionalModelResponseFields']) },
    ...(usage ? [{ type: 'usage', usage } as const] : []),
    { type: 'end' },
  ]
}

function errorOf(answer: Json): ChatEvent | undefined {
  const said = answer['message'] ?? answer['Message'] ?? answer['__type']
  return typeof said === 'string' ? { type: 'error', body: JSON.stringify(answer) } : undefined
}

function callOf(use: Json, index: number): readonly ChatEvent[] {
  const { toolUseId: id, name, input } = use
  if (typeof id !== 'string' || typeof name !== 'string') throw new Malformed('A call has no id or no name.')
  return [
    { type: 'tool', choice, index, id, name },
    { type: 'arguments', choice, index, text: JSON.stringify(input ?? {}) },
  ]
}

/** The arguments of the tool that stands for the answer are the answer; what a tool of Bedrock's own is called with is not. */
function answerOf({ name, input }: Json): readonly ChatEvent[] {
  return name === ANSWER_TOOL ? [{ type: 'text', choice, text: JSON.stringify(input ?? {}) }] : []
}

function blockOf(block: Json, format: ArtefactFormat): readonly ChatEvent[] {
  const said = text(block['text'])
  if (said) return [said]
  const reasoning = record(block['reasoningContent'])
  if (reasoning) return reasoningOf(reasoning, format)
  const cited = record(block['citationsContent'])
  if (cited) {
    const texts = list(cited['content']).flatMap((it) => text(record(it)?.['text']) ?? [])
    const citations = list(cited['citations']).map(
      (it) => ({ type: 'citation', choice, citation: readCitation(it) }) as const,
    )
    return [...texts, ...citations]
  }
  const image = record(block['image'])
  const data = record(image?.['source'])?.['bytes']
  // Blocks of kinds to come, and results of Bedrock's own tools, are nothing that an app could act on.
  return typeof data === 'string' ? [{ type: 'image', choice, mediaType: imageType(formatOf(image ?? {})), data }] : []
}

function reasoningOf(reasoning: Json, format: ArtefactFormat): readonly ChatEvent[] {
  const redacted = reasoning['redactedContent']
  if (typeof redacted === 'string') return [{ type: 'redacted', choice, data: readRedacted(redacted, format) }]
  const { text: thought, signature } = record(reasoning['reasoningText']) ?? {}
  return [
    ...(typeof thought === 'string' && thought !== '' ? [{ type: 'reasoning', choice, text: thought } as const] : []),
    ...(typeof signature === 'string' && signature !== ''
      ? [{ type: 'signature', choice, signature: { format, value: signature } } as const]
      : []),
  ]
}

function text(value: unknown): ChatEvent | undefined {
  return typeof value === 'string' && value !== '' ? { type: 'text', choice, text: value } : undefined
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
