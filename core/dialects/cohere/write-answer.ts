import type { AnswerChoice, ChatAnswer, OutputPart } from '../../chat.ts'
import type { AnswerContext } from '../dialect.ts'
import { writeCitation } from './citations.ts'
import { finishReason } from './finish.ts'
import { writeLogprob } from './logprobs.ts'
import { cohereUsage } from './usage.ts'

/** The JSON of a whole answer of `POST /v2/chat`, of the first answer where there are several. */
export function writeAnswer({ id, choices, usage }: ChatAnswer, { requestId }: AnswerContext): unknown {
  const [choice] = choices
  return {
    id: id ?? requestId,
    finish_reason: finishReason(choice?.finish ?? 'stop', choice?.stopSequence),
    message: { role: 'assistant', ...(choice ? messageOf(choice) : {}) },
    ...(usage ? { usage: cohereUsage(usage) } : {}),
    ...(choice?.logprobs ? { logprobs: choice.logprobs.map(writeLogprob) } : {}),
  }
}

/** Words beside calls are their plan. */
function messageOf({ content, citations }: AnswerChoice): object {
  const calls = content.filter((part) => part.type === 'tool-call')
  const said = content.flatMap(blockOf)
  const plan = calls.length > 0 ? said.flatMap(({ text }) => text ?? []).join('') : ''
  const blocks = calls.length > 0 ? said.filter(({ type }) => type === 'thinking') : said
  return {
    ...(blocks.length > 0 ? { content: blocks } : {}),
    ...(plan === '' ? {} : { tool_plan: plan }),
    ...(calls.length > 0
      ? {
          tool_calls: calls.map((call) => ({
            id: call.id,
            type: 'function',
            function: { name: call.name, arguments: call.arguments },
          })),
        }
      : {}),
    ...(citations.length > 0 ? { citations: citations.map(writeCitation) } : {}),
  }
}

interface Block {
  readonly type: 'text' | 'thinking'
  readonly text?: string
  readonly thinking?: string
}

/** Hidden thoughts, images and the sound of speech have no place in Cohere's answers. */
function blockOf(part: OutputPart): readonly Block[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return [{ type: 'text', text: part.text }]
    case 'reasoning':
      return part.text === '' ? [] : [{ type: 'thinking', thinking: part.text }]
    case 'audio':
      return part.transcript === undefined ? [] : [{ type: 'text', text: part.transcript }]
    default:
      return []
  }
}
