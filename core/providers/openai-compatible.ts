import { compatibleTarget } from '../dialects/openai/target.ts'
import { openaiCall } from './openai-family.ts'
import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'

const served = new Set(['chat', 'completions', 'embeddings'])

/** Servers that speak OpenAI's dialect at an address of their own: vLLM, Ollama, TGI, and many hosted ones. */
export const openaiCompatible = {
  type: 'OpenAICompatible',
  genAi: 'openai_compatible',
  auth: bearer,
  native: (surface) => openaiCall(surface, served),
  chat: () => compatibleTarget,
} as const satisfies Provider
