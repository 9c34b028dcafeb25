import { openaiEmbeddingsCaller } from '../dialects/openai/embeddings.ts'
import { judgeWhole } from '../judge.ts'
import { OpenAIStream } from '../openai-stream.ts'
import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'

/** https://platform.openai.com/docs/api-reference/embeddings */
export const embeddings = {
  name: 'embeddings',
  operation: 'embeddings',
  paths: ['/v1/embeddings'],
  embeddings: openaiEmbeddingsCaller,
  fast: { stream: ({ hideUsage, choices }) => new OpenAIStream({ hideUsage, choices }), whole: judgeWhole },
  ...openaiErrors,
} as const satisfies Surface
