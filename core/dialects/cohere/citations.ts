import type { Citation } from '../../chat.ts'
import { record } from '../../openai-usage.ts'

/**
 * The sources of one of Cohere's citations, one each: a document's address and title where it has them, else its id. Places in a plan or in
 * thoughts are none in the answer's text, and are left out.
 */
export function readCitation(value: unknown): readonly Citation[] {
  const citation = record(value)
  if (!citation) return []
  const { start, end, text, type = 'TEXT_CONTENT', sources } = citation
  const place = {
    ...(typeof text === 'string' ? { text } : {}),
    ...(type === 'TEXT_CONTENT' && typeof start === 'number' && typeof end === 'number' ? { start, end } : {}),
  }
  const from = Array.isArray(sources) ? sources.map((source: unknown) => sourceOf(source)) : []
  return from.length > 0 ? from.map((source) => ({ ...source, ...place })) : [place]
}

function sourceOf(value: unknown): Citation {
  const source = record(value)
  const held = record(source?.['document']) ?? record(source?.['tool_output'])
  const url = held?.['url']
  const title = held?.['title'] ?? source?.['id']
  return { ...(typeof url === 'string' ? { url } : {}), ...(typeof title === 'string' ? { title } : {}) }
}

/** A citation as Cohere's chat has it; `index` counts them from 0. */
export function writeCitation({ url, title, text, start, end }: Citation, index: number): unknown {
  const id = url ?? title ?? `doc:${index}`
  return {
    start,
    end,
    text: text ?? '',
    sources: [
      {
        type: 'document',
        id,
        document: { ...(title === undefined ? {} : { title }), ...(url === undefined ? {} : { url }) },
      },
    ],
    type: 'TEXT_CONTENT',
  }
}
