import { compatibleTarget } from '../dialects/openai/target.ts'
import { openaiEmbeddingsTarget } from '../dialects/openai/embeddings.ts'
import { openaiCall } from './openai-family.ts'
import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'

const served = new Set(['chat', 'completions', 'embeddings', 'rerank', 'rerank_v2'])

/** Servers that speak OpenAI's dialect at an address of their own: vLLM, Ollama, TGI, and many hosted ones. */
export const openaiCompatible = {
  type: 'OpenAICompatible',
  genAi: 'openai_compatible',
  auth: bearer,
  native: (surface) => openaiCall(surface, served),
  embeddings: () => openaiEmbeddingsTarget,
  chat: () => compatibleTarget,
} as const satisfies Provider
