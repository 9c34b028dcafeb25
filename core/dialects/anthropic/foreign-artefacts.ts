import type { Bytes } from '../../bytes.ts'
import { fieldValue } from '../../json-fields.ts'
import type { Edit, RequestFields } from '../../json-fields.ts'
import { record } from '../../openai-usage.ts'
import type { Json } from '../dialect.ts'
import { readArtefact } from './artefact.ts'

/** Words without which a body has no artefacts. */
const members = ['"signature"', '"redacted_thinking"', '"encrypted_index"'].map((word) => Buffer.from(word))

const LONGEST = Math.max(...members.map(({ length }) => length))

/**
 * The edit of a Messages body that takes out what other providers signed, or what nobody did: answers of theirs, said in this dialect, come
 * back in the conversation, and the API refuses a signature that is not its own. None where there is none, which most bodies are told by a
 * search for three words.
 */
export function foreignArtefacts(body: Bytes, { fields }: RequestFields): readonly Edit[] {
  if (!mayHaveArtefacts(body)) return []
  const messages = fieldValue(body, fields, 'messages')
  if (!Array.isArray(messages)) return []
  let changed = false
  const kept = messages.flatMap((item: unknown) => {
    const message = record(item)
    const content = message?.['content']
    if (!message || message['role'] !== 'assistant' || !Array.isArray(content)) return [item]
    const blocks = content.map(own).filter((block) => block !== undefined)
    if (blocks.length === content.length && blocks.every((block, i) => block === content[i])) return [item]
    changed = true
    return blocks.length === 0 ? [] : [{ ...message, content: blocks }]
  })
  return changed ? [{ name: 'messages', json: JSON.stringify(kept) }] : []
}

/** Whether one of the words stands in the body, or across two of its pieces. */
function mayHaveArtefacts({ pieces }: Bytes): boolean {
  return pieces.some((piece, i) => {
    const seam = Buffer.concat([pieces[i - 1]?.subarray(-LONGEST) ?? piece.subarray(0, 0), piece.subarray(0, LONGEST)])
    return members.some((word) => piece.includes(word) || seam.includes(word))
  })
}

/** The block as Anthropic takes it; undefined for thought that is not its own. */
function own(item: unknown): unknown {
  const block = record(item)
  if (!block) return item
  switch (block['type']) {
    case 'thinking':
      return isOwn(block['signature']) ? item : undefined
    case 'redacted_thinking':
      return isOwn(block['data']) ? item : undefined
    case 'text':
      return withoutForeignCitations(block, item)
    default:
      return item
  }
}

function withoutForeignCitations(block: Json, item: unknown): unknown {
  const citations = block['citations']
  if (!Array.isArray(citations)) return item
  const kept = citations.filter((citation) => record(citation)?.['encrypted_index'] !== '')
  return kept.length === citations.length ? item : { ...block, citations: kept.length > 0 ? kept : null }
}

const isOwn = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && readArtefact(value).format === 'anthropic'
