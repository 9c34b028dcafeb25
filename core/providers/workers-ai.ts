import { openaiEmbeddingsTarget } from '../dialects/openai/embeddings.ts'
import { compatibleOptions } from '../dialects/openai/options.ts'
import { openaiChat } from '../dialects/openai/target.ts'
import { object, string } from '../schema.ts'
import { openaiCall } from './openai-family.ts'
import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'

const target = openaiChat(compatibleOptions)
const served = new Set(['chat', 'embeddings'])

/** https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility */
export const workersAI = {
  type: 'WorkersAI',
  genAi: 'cloudflare.workers_ai',
  settings: {
    name: 'workersAI',
    required: true,
    schema: object(
      {
        account: string({ maxLength: 64, minLength: 1, pattern: '^[0-9a-f]+$', description: 'The id of the account.' }),
      },
      { description: 'Settings of Cloudflare Workers AI.' },
    ),
  },
  url: ({ account }) => `https://api.cloudflare.com/client/v4/accounts/${String(account)}/ai/v1`,
  auth: bearer,
  native: (surface) => openaiCall(surface, served),
  chat: () => target,
  embeddings: () => openaiEmbeddingsTarget,
} as const satisfies Provider
