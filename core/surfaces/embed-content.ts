import { batchEmbedContentsCaller, embedContentCaller, embedUsage } from '../dialects/gemini/embeddings.ts'
import { googleErrors } from '../dialects/gemini/error.ts'
import { foundAt } from '../dialects/gemini/paths.ts'
import type { Surface } from './surface.ts'
import { wholeOnly } from './whole-only.ts'

const common = {
  operation: 'embeddings',
  paths: [],
  watch: wholeOnly((answer) => embedUsage(answer['usageMetadata'])),
  ...googleErrors,
} as const

/** https://ai.google.dev/api/embeddings */
export const embedContent = {
  ...common,
  name: 'embed_content',
  find: (path) => foundAt(path, 'embedContent', false),
  embeddings: embedContentCaller,
} as const satisfies Surface

/** The same for several texts, which is what SDKs use for one too. */
export const batchEmbedContents = {
  ...common,
  name: 'batch_embed_contents',
  find: (path) => foundAt(path, 'batchEmbedContents', false),
  embeddings: batchEmbedContentsCaller,
} as const satisfies Surface
