import type { CacheMark, Message } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import { untranslatable } from '../anthropic/write-parts.ts'
import { isObject } from '../openai/asked.ts'
import { cachePoint } from './cache-points.ts'
import type { Block } from './cache-points.ts'
import { useId, writeInput, writeOutput } from './write-parts.ts'
import type { Writing } from './write-parts.ts'

export interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: Block[]
}

export interface Conversation {
  readonly system: Block[]
  /** Roles alternate, the first is the user's, none is empty. */
  readonly turns: readonly Turn[]
}

/** Said by the user where a conversation begins with the assistant: the API wants the user first. */
const BEGINNING = '(The conversation begins here.)'
/** A result without a word: the API wants one. */
const NOTHING = '(no output)'

/** Blocks of one message: results of tools come before all else in their turn, right after the calls. */
interface Said {
  readonly results: Block[]
  readonly rest: Block[]
}

/**
 * The messages as Converse takes them: what all system messages say in order, then turns. `prefill`: the model goes on from the beginning of
 * its answer. Throws `not_translatable`.
 */
export function writeMessages(messages: readonly Message[], prefill: boolean, writing: Writing): Conversation {
  const { dropped } = writing
  const system: Block[] = []
  const turns: (Turn & { readonly results: Block[] })[] = []
  for (const [i, message] of messages.entries()) {
    const at = `messages.${i}`
    if (message.role === 'system') {
      for (const { text, cache } of message.content)
        if (text.trim() !== '') system.push({ text }, ...points(cache, at, writing))
      continue
    }
    if (message.role !== 'tool' && message.name !== undefined) dropped.push(`${at}.name`)
    const { results, rest } = blocksOf(message, at, writing)
    if (results.length + rest.length === 0) continue
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const last = turns.at(-1)
    if (last?.role === role) {
      last.results.push(...results)
      last.content.push(...rest)
    } else turns.push({ role, results, content: rest })
  }
  for (const { results, content } of turns) content.unshift(...results)
  // An app that says all it has to say in the system prompt still wants an answer: its last words are the user's.
  if (turns.length === 0 && system.some((block) => block['text'] !== undefined)) {
    const from = system.findLastIndex((block) => block['text'] !== undefined)
    turns.push({ role: 'user', results: [], content: system.splice(from) })
  }
  if (turns.length === 0) throw new Failure('not_translatable', { detail: 'No message says anything.' })
  if (turns[0]?.role === 'assistant') turns.unshift({ role: 'user', results: [], content: [{ text: BEGINNING }] })
  for (const turn of turns) nameDocuments(turn)
  finish(turns, prefill, messages.length - 1)
  return { system, turns: turns.map(({ role, content }) => ({ role, content })) }
}

/** Whether calls or results of tools stand in a conversation: it then needs a `toolConfig`. */
export function hasTools(turns: readonly Turn[]): boolean {
  return turns.some(({ content }) => content.some((block) => 'toolUse' in block || 'toolResult' in block))
}

function blocksOf(message: Exclude<Message, { readonly role: 'system' }>, at: string, writing: Writing): Said {
  const results: Block[] = []
  const rest: Block[] = []
  switch (message.role) {
    case 'user':
      for (const [i, part] of message.content.entries()) {
        const block = writeInput(part, `${at}.content.${i}`, writing)
        rest.push(...(block ? [block] : []), ...points(part.cache, at, writing))
      }
      break
    case 'assistant':
      for (const [i, part] of message.content.entries()) {
        const block = writeOutput(part, `${at}.content.${i}`, writing)
        rest.push(...(block ? [block] : []), ...points('cache' in part ? part.cache : undefined, at, writing))
      }
      break
    case 'tool': {
      const parts = message.content.flatMap<Block>((part, i) => writeInput(part, `${at}.content.${i}`, writing) ?? [])
      const content: readonly Block[] = parts.length === 0 ? [{ text: NOTHING }] : parts
      if (message.isError && !writing.traits.status) writing.dropped.push(`${at}.isError`)
      results.push({
        toolResult: {
          toolUseId: useId(message.callId),
          content: writing.traits.jsonResults ? content.map(asJson) : content,
          ...(message.isError && writing.traits.status ? { status: 'error' } : {}),
        },
      })
      const marks = [message.cache, ...message.content.map(({ cache }) => cache)].filter((cache) => cache !== undefined)
      results.push(...points(marks.includes('1h') ? '1h' : marks[0], at, writing))
    }
  }
  return { results, rest }
}

/** The text of a result as an object, which is all that some models take. */
function asJson(block: Block): Block {
  const { text } = block
  if (typeof text !== 'string') return block
  try {
    const json: unknown = JSON.parse(text)
    if (isObject(json)) return { json }
  } catch {
    // It is words.
  }
  return { json: { result: text } }
}

function points(cache: CacheMark | undefined, at: string, { traits, dropped }: Writing): Block[] {
  if (cache === undefined) return []
  if (traits.caching !== 'none') return [cachePoint(cache)]
  dropped.push(`${at}.cache`)
  return []
}

/** A turn with a document has to have a text: where it has none, the documents' names are. */
function nameDocuments({ role, content }: Turn): void {
  if (role !== 'user' || content.some((block) => 'text' in block)) return
  const names = content.flatMap(({ document }) => (isObject(document) ? [String(document['name'])] : []))
  if (names.length > 0) content.push({ text: names.join(', ') })
}

/** The last turn: the beginning of an answer must not end in white space, and not every model goes on from one. */
function finish(turns: readonly Turn[], prefill: boolean, index: number): void {
  const last = turns.at(-1)
  const block = last?.content.at(-1)
  if (last?.role !== 'assistant' || typeof block?.['text'] !== 'string') return
  if (!prefill)
    throw untranslatable(
      `messages.${index}`,
      'is the assistant’s, and the model does not go on from one: end with a message of the user',
    )
  block['text'] = block['text'].trimEnd()
}
