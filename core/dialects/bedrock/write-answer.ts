import type { AnswerChoice, ChatAnswer, Citation, OutputPart } from '../../chat.ts'
import { writeArtefact } from '../anthropic/artefact.ts'
import type { AnswerContext, Json } from '../dialect.ts'
import { writeRedactedForApp } from './artefacts.ts'
import { imageFormat } from './media.ts'
import { stopReasonOf } from './stop-reason.ts'
import { writeUsage } from './usage.ts'

/** A whole answer as Converse gives it; of several choices the first, since it has one. */
export function writeAnswer({ choices, usage }: ChatAnswer, { elapsed }: AnswerContext): unknown {
  const [choice] = choices
  const content = choice ? contentOf(choice) : []
  const calls = choice?.content.some(({ type }) => type === 'tool-call') ?? false
  return {
    output: { message: { role: 'assistant', content } },
    stopReason: stopReasonOf(choice?.finish ?? 'stop', calls, choice?.stopSequence),
    ...(usage ? { usage: writeUsage(usage) } : {}),
    ...metrics(elapsed),
    ...stopFields(choice?.stopSequence),
  }
}

/** How long it took, where that is known. */
export function metrics(elapsed: AnswerContext['elapsed']): Json {
  return elapsed ? { metrics: { latencyMs: elapsed() } } : {}
}

/** The member that says which stop sequence ended an answer. */
export function stopFields(stopSequence: string | undefined): Json {
  return stopSequence === undefined ? {} : { additionalModelResponseFields: { stop_sequence: stopSequence } }
}

function contentOf({ content, citations }: AnswerChoice): readonly Json[] {
  const blocks = content.flatMap(blockOf)
  if (citations.length === 0) return blocks
  // Beside the text and not around it, as Bedrock has it: apps that know nothing of citations look for text where they always find it.
  return [...blocks, { citationsContent: { citations: citations.map(writeCitation) } }]
}

function blockOf(part: OutputPart): readonly Json[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ text: part.text }]
    case 'reasoning': {
      const signature = part.signature ? { signature: writeArtefact(part.signature) } : {}
      return [{ reasoningContent: { reasoningText: { text: part.text, ...signature } } }]
    }
    case 'redacted':
      return [{ reasoningContent: { redactedContent: writeRedactedForApp(part.data) } }]
    case 'tool-call':
      return [{ toolUse: { toolUseId: part.id, name: part.name, input: inputOf(part.arguments) } }]
    case 'image': {
      const { source } = part
      const format = source.type === 'base64' ? imageFormat(source.mediaType) : undefined
      return source.type === 'base64' && format !== undefined
        ? [{ image: { format, source: { bytes: source.data } } }]
        : []
    }
    case 'audio':
      return part.transcript ? [{ text: part.transcript }] : []
  }
}

/** Arguments that are no JSON, which a model that was cut short leaves, stay as they are. */
function inputOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export function writeCitation({ url, title, text }: Citation): Json {
  return {
    ...(title === undefined ? {} : { title }),
    ...(text === undefined ? {} : { sourceContent: [{ text }] }),
    ...(url === undefined ? {} : { source: url, location: { web: { url } } }),
  }
}
