import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'

/** Servers that speak OpenAI's dialect at an address of their own: vLLM, Ollama, TGI, and many hosted ones. */
export const openaiCompatible = {
  type: 'OpenAICompatible',
  dialect: 'openai',
  authorize: bearer,
} as const satisfies Provider
