import { cohereEmbedCaller } from '../dialects/cohere/embed.ts'
import { cohereErrors } from '../dialects/cohere/error.ts'
import { usageOf } from '../dialects/cohere/usage.ts'
import type { Surface } from './surface.ts'
import { wholeOnly } from './whole-only.ts'

/** https://docs.cohere.com/reference/embed */
export const cohereEmbed = {
  name: 'cohere_embed',
  operation: 'embeddings',
  paths: ['/v2/embed'],
  embeddings: cohereEmbedCaller,
  watch: wholeOnly((answer) => usageOf(answer['meta'])),
  ...cohereErrors,
} as const satisfies Surface
