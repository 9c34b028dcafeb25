import { ownFields } from '../dialects/openai/own-fields.ts'
import { openaiTarget } from '../dialects/openai/target.ts'
import { openaiEmbeddingsTarget } from '../dialects/openai/embeddings.ts'
import { openaiCall, openaiPaths } from './openai-family.ts'
import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'

/** The whole family. */
const served = new Set(openaiPaths.keys())

/** https://platform.openai.com/docs/api-reference */
export const openai = {
  type: 'OpenAI',
  genAi: 'openai',
  url: () => 'https://api.openai.com/v1',
  auth: bearer,
  native: (surface, model) => openaiCall(surface, served, model),
  edits: (surface, body, fields) => (surface === 'chat' ? ownFields(body, fields) : []),
  embeddings: () => openaiEmbeddingsTarget,
  chat: () => openaiTarget,
} as const satisfies Provider
