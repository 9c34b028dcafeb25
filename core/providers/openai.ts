import { openaiTarget } from '../dialects/openai/target.ts'
import { openaiEmbeddingsTarget } from '../dialects/openai/embeddings.ts'
import { openaiCall } from './openai-family.ts'
import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'

const served = new Set(['chat', 'completions', 'embeddings', 'responses'])

/** https://platform.openai.com/docs/api-reference */
export const openai = {
  type: 'OpenAI',
  genAi: 'openai',
  url: () => 'https://api.openai.com/v1',
  auth: bearer,
  native: (surface) => openaiCall(surface, served),
  embeddings: () => openaiEmbeddingsTarget,
  chat: () => openaiTarget,
} as const satisfies Provider
