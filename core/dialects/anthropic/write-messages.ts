import type { Message } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import { mark } from './cache-marks.ts'
import type { Block } from './cache-marks.ts'
import { callId, untranslatable, writeInput, writeOutput } from './write-parts.ts'
import type { Dropped } from './write-parts.ts'

export interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: Block[]
  /** What the system says after it, before the assistant speaks. */
  readonly system: Block[]
}

/** What the model takes. */
export interface Takes {
  /** The beginning of its answer as a last message. */
  readonly prefill: boolean
  /** Words of the system within the conversation. */
  readonly systemTurns: boolean
}

export interface Conversation {
  readonly system: readonly Block[]
  /** Roles alternate, the first is the user's, none is empty. */
  readonly turns: readonly Turn[]
}

/** Said by the user where a conversation begins with the assistant: the API wants the user first. */
const BEGINNING = '(The conversation begins here.)'

/**
 * The messages as Anthropic takes them: what all system messages say in order, then turns. Results of tools come first in their turn, in one
 * message right after the calls. Late words of the system stay where they are for models that take them there, right before the assistant
 * speaks: those models bind their thoughts to all that came before, and would refuse them after a change of the first words
 * (https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages). Throws `not_translatable`.
 */
export function writeMessages(messages: readonly Message[], takes: Takes, dropped: Dropped): Conversation {
  const system: Block[] = []
  const turns: Turn[] = []
  let late: Block[] = []
  const settle = (): void => {
    const last = turns.at(-1)
    const place = last?.role === 'user' ? last.system : undefined
    if (!place) return
    place.push(...late)
    late = []
  }
  for (const [i, message] of messages.entries()) {
    const at = `messages.${i}`
    if (message.role === 'system') {
      const place = takes.systemTurns && turns.length > 0 ? late : system
      for (const part of message.content)
        if (part.text.trim() !== '') place.push({ type: 'text', text: part.text, ...mark(part.cache) })
      continue
    }
    if ('name' in message && message.role !== 'tool' && message.name !== undefined) dropped.push(`${at}.name`)
    const content = blocksOf(message, at, dropped)
    if (content.length === 0) continue
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    if (role === 'assistant') settle()
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...content)
    else turns.push({ role, content, system: [] })
  }
  settle()
  system.push(...late)
  for (const { role, content } of turns) if (role === 'user') content.sort((a, b) => rank(a) - rank(b))
  // An app that says all it has to say in the system prompt still wants an answer: its last words are the user's.
  const only = turns.length === 0 ? system.pop() : undefined
  if (only) turns.push({ role: 'user', content: [only], system: [] })
  if (turns.length === 0) throw new Failure('not_translatable', { detail: 'No message says anything.' })
  if (turns[0]?.role === 'assistant')
    turns.unshift({ role: 'user', content: [{ type: 'text', text: BEGINNING }], system: [] })
  finish(turns, takes.prefill, messages.length - 1)
  return { system, turns }
}

/** Whether the last turn brings results of calls without a thought of Anthropic's before them. */
export function isThoughtless(turns: readonly Turn[]): boolean {
  const results = turns.at(-1)?.content[0]?.['type'] === 'tool_result'
  const first = turns.at(-2)?.content[0]?.['type']
  return results && first !== 'thinking' && first !== 'redacted_thinking'
}

const rank = (block: Block): number => (block['type'] === 'tool_result' ? 0 : 1)

function blocksOf(message: Exclude<Message, { readonly role: 'system' }>, at: string, dropped: Dropped): Block[] {
  switch (message.role) {
    case 'assistant':
      return blocks(message.content, at, dropped, writeOutput)
    case 'user':
      return blocks(message.content, at, dropped, writeInput)
    case 'tool': {
      const content = blocks(message.content, at, dropped, writeInput)
      const [only] = content
      const text =
        content.length === 1 && only?.['type'] === 'text' && !only['cache_control'] ? only['text'] : undefined
      return [
        {
          type: 'tool_result',
          tool_use_id: callId(message.callId),
          ...(content.length === 0 ? {} : { content: text ?? content }),
          ...(message.isError ? { is_error: true } : {}),
          ...mark(message.cache),
        },
      ]
    }
  }
}

function blocks<Part>(
  parts: readonly Part[],
  at: string,
  dropped: Dropped,
  write: (part: Part, at: string, dropped: Dropped) => Block | undefined,
): Block[] {
  return parts.map((part, i) => write(part, `${at}.content.${i}`, dropped)).filter((block) => block !== undefined)
}

/** The last turn: the beginning of an answer must not end in white space, and not every model goes on from one. */
function finish(turns: Turn[], prefill: boolean, index: number): void {
  const last = turns.at(-1)
  const block = last?.content.at(-1)
  if (last?.role !== 'assistant' || block?.['type'] !== 'text') return
  if (!prefill)
    throw untranslatable(
      `messages.${index}`,
      'is the assistant’s, and the model does not go on from one: end with a message of the user',
    )
  block['text'] = String(block['text']).trimEnd()
}
