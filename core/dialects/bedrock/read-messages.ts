import type { Message, OutputPart, InputPart, TextPart } from '../../chat.ts'
import { invalid } from '../request-fields.ts'
import type { Asked } from '../openai/asked.ts'
import { checkCalls } from '../openai/read-messages.ts'
import type { CallWords } from '../openai/read-messages.ts'
import { kindOf, markLast, readCachePoint, readInput, readOutput } from './read-parts.ts'

/** Messages and system blocks of a Converse request. Throws `invalid_request`, `not_translatable`. */
export function readMessages(body: Asked): readonly Message[] {
  const system = readSystem(body.objects('system'))
  const turns = body.objects('messages').flatMap((message) => {
    const role = message.word('role', 'user', 'assistant')
    if (role === undefined) throw invalid(message.path('role'), 'one of "user", "assistant"')
    const blocks = message.objects('content')
    if (blocks.length === 0) throw invalid(message.path('content'), 'a list of at least one block')
    return role === 'assistant' ? [readAssistant(blocks)] : readUser(blocks)
  })
  checkCalls(turns, words)
  return [...(system.length > 0 ? [{ role: 'system', content: system } as const] : []), ...turns]
}

const words: CallWords = {
  orphan: (_, id) => `The toolResult ${JSON.stringify(id)} in "messages" has no toolUse in the message before.`,
  unanswered: (ids) =>
    `The toolUse blocks ${ids.join(', ')} in "messages" have no toolResult: the next message must have one for each.`,
}

function readSystem(blocks: readonly Asked[]): readonly TextPart[] {
  const parts: TextPart[] = []
  for (const block of blocks)
    if (block.any('cachePoint') !== undefined) markLast(parts, readCachePoint(block))
    else {
      kindOf(block, 'text', 'guardContent')
      const part = readInput(block)
      if (part.type !== 'text') throw invalid(block.path('guardContent'), 'text')
      parts.push(part)
    }
  return parts
}

function readAssistant(blocks: readonly Asked[]): Message {
  const content: OutputPart[] = []
  for (const block of blocks)
    if (block.any('cachePoint') !== undefined) markLast(content, readCachePoint(block))
    // What Bedrock's own tools brought is theirs alone.
    else if (block.any('toolResult') !== undefined) block.leaveAll(block.path('toolResult'))
    else content.push(readOutput(block))
  return { role: 'assistant', content }
}

/** Results of tools are messages of their own; what the user says between and after them stays in order. */
function readUser(blocks: readonly Asked[]): readonly Message[] {
  const messages: Message[] = []
  let content: InputPart[] = []
  const flush = (): void => {
    if (content.length > 0) messages.push({ role: 'user', content })
    content = []
  }
  for (const block of blocks)
    if (block.any('toolResult') !== undefined) {
      flush()
      messages.push(readResult(block.within('toolResult')))
    } else if (block.any('cachePoint') === undefined) content.push(readInput(block))
    else if (content.length > 0) markLast(content, readCachePoint(block))
    else markLast(messages, readCachePoint(block))
  flush()
  return messages
}

function readResult(result: Asked): Message {
  const status = result.word('status', 'success', 'error')
  return {
    role: 'tool',
    callId: result.need('toolUseId'),
    content: result.objects('content').map(readInput),
    ...(status === 'error' ? { isError: true } : {}),
  }
}
