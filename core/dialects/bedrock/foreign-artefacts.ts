import type { Bytes } from '../../bytes.ts'
import { fieldValue } from '../../json-fields.ts'
import type { Edit, RequestFields } from '../../json-fields.ts'
import { record } from '../../openai-usage.ts'
import { readArtefact } from '../anthropic/artefact.ts'
import { readRedactedOfApp } from './artefacts.ts'
import { traitsOf } from './model-traits.ts'

/** Words without which a body has no artefacts. */
const members = ['"reasoningContent"', '"citationsContent"'].map((word) => Buffer.from(word))

/**
 * The edit of a Converse body that takes out what other providers signed, or what nobody did: answers of theirs, said in this dialect, come
 * back in the conversation, and the model refuses a signature that is not its own. None where there is none, which most bodies are told by
 * a search for two words.
 */
export function foreignArtefacts(body: Bytes, { fields }: RequestFields, model: string): readonly Edit[] {
  if (!body.pieces.some((piece) => members.some((word) => piece.includes(word)))) return []
  const messages = fieldValue(body, fields, 'messages')
  if (!Array.isArray(messages)) return []
  const { claude } = traitsOf(model)
  let changed = false
  const kept = messages.map((item: unknown) => {
    const message = record(item)
    const content = message?.['content']
    if (message?.['role'] !== 'assistant' || !Array.isArray(content)) return item
    const own = content.filter((block: unknown) => isOwn(block, claude))
    // A turn that is all another's thought stays, empty turns being refused too: there is nothing better to be said.
    if (own.length === content.length || own.length === 0) return item
    changed = true
    return { ...message, content: own }
  })
  return changed ? [{ name: 'messages', json: JSON.stringify(kept) }] : []
}

/** Claude takes no thought without a signature; other models make none. */
function isOwn(item: unknown, claude: boolean): boolean {
  const block = record(item)
  const cited = record(block?.['citationsContent'])
  // Bedrock's own are around a text.
  if (cited) return cited['content'] !== undefined
  const reasoning = record(block?.['reasoningContent'])
  if (!reasoning) return true
  const redacted = reasoning['redactedContent']
  if (typeof redacted === 'string') return ['anthropic', 'bedrock'].includes(readRedactedOfApp(redacted).format)
  const signature = record(reasoning['reasoningText'])?.['signature']
  if (typeof signature !== 'string' || signature === '') return !claude
  return readArtefact(signature).format === 'anthropic'
}
