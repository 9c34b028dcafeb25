import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'

/** https://platform.openai.com/docs/api-reference */
export const openai = {
  type: 'OpenAI',
  dialect: 'openai',
  url: 'https://api.openai.com/v1',
  authorize: bearer,
} as const satisfies Provider
