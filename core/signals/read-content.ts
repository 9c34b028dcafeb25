import { Failure } from '../errors.ts'
import { EMPTY, ofChat, ofEmbeddings, ofRerank, ofTexts } from './content.ts'
import type { Content, Medium } from './content.ts'
import { looseContent } from './loose-content.ts'
import { plainChat } from './plain-chat.ts'
import type { SignalSource } from './signals.ts'

/** Whose bodies are bytes of their own kind, or none. */
const OPAQUE: ReadonlySet<string> = new Set(['infer', 'health', 'feedback', 'models', 'opaque', 'realtime'])
/** What the files of a form are, by its operation. */
const FORMS: Readonly<Record<string, Medium>> = { images: 'Image', transcriptions: 'Audio' }

/** Whether the content of a request is looked into. */
export function isReadable({ surface, body }: SignalSource): boolean {
  return body.length > 0 && !OPAQUE.has(surface.operation)
}

/**
 * What a request says, by the canonical form of its surface. What that refuses may still be good for a target of the same dialect, which
 * has it as it came, so that it is read loosely rather than refused here. Throws `invalid_json`.
 */
export function readContent(source: SignalSource): Content {
  const { fields } = source
  if (!isReadable(source)) return EMPTY
  if (fields?.form) return ofForm(source)
  const { json } = source
  const plain = source.surface.name === 'chat' ? plainChat(json) : undefined
  if (plain) return plain
  try {
    return canonical(source) ?? looseContent(json)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return looseContent(json)
  }
}

function canonical(source: SignalSource): Content | undefined {
  const { chat, embeddings, rerank } = source.surface
  if (chat) return ofChat(source.read(chat))
  if (embeddings) return ofEmbeddings(source.read(embeddings))
  return rerank && ofRerank(source.read(rerank))
}

function ofForm({ surface, fields, body }: SignalSource): Content {
  const prompt = fields?.fields.findLast(({ name }) => name === 'prompt')
  const said = prompt ? ofTexts([body.slice(prompt.start, prompt.end).toString()]) : EMPTY
  const medium = FORMS[surface.operation]
  return medium ? { ...said, media: new Set([...said.media, medium]) } : said
}
