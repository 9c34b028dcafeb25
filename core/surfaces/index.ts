import { speech, transcriptions, translations } from './audio.ts'
import { chat } from './chat.ts'
import { cohereChat } from './cohere-chat.ts'
import { cohereEmbed } from './cohere-embed.ts'
import { completions } from './completions.ts'
import { compact } from './compact.ts'
import { converse } from './converse.ts'
import { batchEmbedContents, embedContent } from './embed-content.ts'
import { countContentTokens } from './count-content-tokens.ts'
import { countTokens } from './count-tokens.ts'
import { embeddings } from './embeddings.ts'
import { generateContentList } from './generate-content-list.ts'
import { generateContent } from './generate-content.ts'
import { feedback } from './feedback.ts'
import { health } from './health.ts'
import { imageEdits, imageGenerations, imageVariations } from './images.ts'
import { inputTokens } from './input-tokens.ts'
import { infer } from './infer.ts'
import { messages } from './messages.ts'
import { models } from './models.ts'
import { moderations } from './moderations.ts'
import { rerank, rerankV2 } from './rerank.ts'
import { responses } from './responses.ts'
import type { Found, Surface } from './surface.ts'

/** Every surface; where several have a path, the first. */
export const surfaces: readonly Surface[] = [
  chat,
  completions,
  responses,
  inputTokens,
  compact,
  embeddings,
  messages,
  countTokens,
  // Their paths are below that of models.
  generateContent,
  generateContentList,
  embedContent,
  batchEmbedContents,
  countContentTokens,
  models,
  rerank,
  rerankV2,
  cohereChat,
  cohereEmbed,
  converse,
  imageGenerations,
  imageEdits,
  imageVariations,
  speech,
  transcriptions,
  translations,
  moderations,
  infer,
  health,
  feedback,
]

/** A surface with what a path says. */
export interface Place {
  readonly surface: Surface
  readonly found: Found
}

const VERSION = '/v1'

/** Fixed paths as callers write them: with the version or without, since base URLs end in it or not. */
export const fixedPaths: ReadonlyMap<string, Place> = new Map(
  surfaces.flatMap((surface) =>
    surface.paths.flatMap((path) => {
      const place: Place = { surface, found: { path, method: 'POST' } }
      const bare = path.startsWith(`${VERSION}/`) ? [[path.slice(VERSION.length), place] as const] : []
      return [[path, place] as const, ...bare]
    }),
  ),
)

const patterns = surfaces.filter((surface) => surface.find !== undefined)

/** The surface of a path, with or without a slash at the end. Undefined for anything else, which may be passed through. `query` with its `?`. */
export function surfaceOf(path: string, query = ''): Place | undefined {
  const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
  const fixed = fixedPaths.get(bare)
  if (fixed) return fixed
  for (const surface of patterns) {
    const found = surface.find?.(bare, query)
    if (found) return { surface, found }
  }
  return undefined
}
