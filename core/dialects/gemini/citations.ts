import type { Citation } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import type { Json } from '../dialect.ts'

/**
 * What a candidate points to: passages it repeats (`citationMetadata`, whose list has another name on Vertex AI), and the pages that a
 * search of Google's own found (`groundingMetadata`). Offsets there count bytes, and are left out.
 */
export function readCitations(candidate: Json): readonly Citation[] {
  const metadata = record(candidate['citationMetadata'])
  const cited = objects(metadata?.['citationSources'] ?? metadata?.['citations']).map((it) =>
    citation(text(it['uri']), text(it['title']), undefined, number(it['startIndex']), number(it['endIndex'])),
  )
  const grounding = record(candidate['groundingMetadata'])
  const chunks = objects(grounding?.['groundingChunks']).map((it) => record(it['web'] ?? it['retrievedContext']) ?? {})
  const supports = objects(grounding?.['groundingSupports'])
  const found = chunks.flatMap((chunk, i) => {
    const uses = supports.filter(({ groundingChunkIndices: used }) => Array.isArray(used) && used.includes(i))
    const said = uses.length > 0 ? uses.map((it) => text(record(it['segment'])?.['text'])) : [undefined]
    return said.map((words) => citation(text(chunk['uri']), text(chunk['title']), words))
  })
  return [...cited, ...found].filter((it) => Object.keys(it).length > 0)
}

/** `citationMetadata` for a caller; empty where nothing is cited. */
export function writeCitations(citations: readonly Citation[]): Json {
  const citationSources = citations.flatMap(({ url, title, start, end }) =>
    url === undefined && title === undefined
      ? []
      : [
          {
            ...(start === undefined ? {} : { startIndex: start }),
            ...(end === undefined ? {} : { endIndex: end }),
            ...(url === undefined ? {} : { uri: url }),
            ...(title === undefined ? {} : { title }),
          },
        ],
  )
  return citationSources.length > 0 ? { citationMetadata: { citationSources } } : {}
}

function citation(
  url: string | undefined,
  title: string | undefined,
  words: string | undefined,
  start?: number,
  end?: number,
): Citation {
  return {
    ...(url === undefined ? {} : { url }),
    ...(title === undefined ? {} : { title }),
    ...(words === undefined ? {} : { text: words }),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
const objects = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.map(record).filter((it) => it !== undefined) : []
