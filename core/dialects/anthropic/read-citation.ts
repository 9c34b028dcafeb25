import type { Citation } from '../../chat.ts'
import type { Json } from '../dialect.ts'

const word = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
const place = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

/** A citation of a document, a search result or a web page: https://platform.claude.com/docs/en/build-with-claude/citations */
export function readCitation(citation: Json): Citation {
  const url =
    word(citation['url']) ?? (citation['type'] === 'search_result_location' ? word(citation['source']) : undefined)
  const title = word(citation['title']) ?? word(citation['document_title'])
  const text = word(citation['cited_text'])
  const start = place(citation['start_char_index'])
  const end = place(citation['end_char_index'])
  return {
    ...(url === undefined ? {} : { url }),
    ...(title === undefined ? {} : { title }),
    ...(text === undefined ? {} : { text }),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
  }
}
