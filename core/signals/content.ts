import type { ChatRequest } from '../chat.ts'
import type { EmbeddingsRequest } from '../embeddings.ts'
import type { Turn } from '../learning/text.ts'
import type { RerankRequest } from '../rerank.ts'

/** What a model is given to look at, beside what the request says of it. */
export type Medium = 'Text' | 'Image' | 'Audio' | 'File'

/** What a request says, whatever the dialect. */
export interface Content {
  /** With a text, oldest first: role as the canonical chat has it (`system`, `user`, `assistant`, `tool`). */
  readonly turns: readonly Turn[]
  readonly media: ReadonlySet<Medium>
  /** How many tools the model may call. */
  readonly tools: number
  /** The answer is to follow a JSON schema. */
  readonly jsonSchema: boolean
  /** What the caller lets the answer come to. */
  readonly maxTokens: number | undefined
}

export const EMPTY: Content = { turns: [], media: new Set(), tools: 0, jsonSchema: false, maxTokens: undefined }

/** Of a canonical chat. */
export function ofChat({ messages, tools, format, maxTokens }: ChatRequest): Content {
  const media = new Set<Medium>()
  const turns: Turn[] = []
  for (const { role, content } of messages) {
    let text = ''
    for (const part of content)
      switch (part.type) {
        case 'text':
        case 'refusal':
          text = text === '' ? part.text : `${text}\n${part.text}`
          break
        case 'image':
          media.add('Image')
          break
        case 'audio':
          media.add('Audio')
          break
        case 'file':
          media.add('File')
          break
        // Nobody has written these for a model to work on.
        case 'reasoning':
        case 'redacted':
        case 'tool-call':
          break
      }
    if (text !== '') turns.push({ role, text })
  }
  if (turns.length > 0) media.add('Text')
  return { turns, media, tools: tools.length, jsonSchema: format?.type === 'schema', maxTokens }
}

/** Of texts to be embedded: each is a turn of its own. Those that came as tokens are no text. */
export function ofEmbeddings({ input }: EmbeddingsRequest): Content {
  return ofTexts(input.filter((it) => typeof it === 'string'))
}

/** Of documents to be ranked: the query is what is asked, after the documents. */
export function ofRerank({ query, documents }: RerankRequest): Content {
  return { ...EMPTY, turns: [...documents.map((text) => ({ role: 'tool', text })), user(query)], media: TEXT }
}

/** Of texts without a conversation around them. */
export function ofTexts(texts: readonly string[]): Content {
  return texts.length === 0 ? EMPTY : { ...EMPTY, turns: texts.map(user), media: TEXT }
}

const TEXT: ReadonlySet<Medium> = new Set(['Text'])
const user = (text: string): Turn => ({ role: 'user', text })
