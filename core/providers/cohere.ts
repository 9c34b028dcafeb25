import { cohereEmbedTarget } from '../dialects/cohere/embed.ts'
import { cohereRerankTarget } from '../dialects/cohere/rerank.ts'
import { cohereTarget } from '../dialects/cohere/target.ts'
import { classify } from '../openai-errors.ts'
import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'

const paths: ReadonlyMap<string, string> = new Map([
  ['cohere_chat', '/v2/chat'],
  ['cohere_embed', '/v2/embed'],
  ['rerank', '/v1/rerank'],
  ['rerank_v2', '/v2/rerank'],
])

/** A trial key's thousand calls a month are not a matter of waiting: https://docs.cohere.com/docs/rate-limits */
const MONTH = /calls ?\/ ?month/i

/** https://docs.cohere.com/reference/about */
export const cohere = {
  type: 'Cohere',
  genAi: 'cohere',
  url: () => 'https://api.cohere.com',
  auth: bearer,
  native(surface) {
    const path = paths.get(surface)
    return path === undefined ? undefined : { path }
  },
  chat: () => cohereTarget,
  embeddings: () => cohereEmbedTarget,
  rerank: () => cohereRerankTarget,
  /** 498 and 499 are Cohere's own: https://docs.cohere.com/reference/errors */
  classify(status, headers, body, wall) {
    const verdict = classify(status, headers, body, wall)
    if (status === 498) return { ...verdict, code: 'content_refused' }
    if (status === 499) return { ...verdict, code: 'upstream_error' }
    if (status === 429 && MONTH.test(body))
      return { code: 'quota_exhausted', retryAfter: undefined, shouldRetry: false }
    return verdict
  },
} as const satisfies Provider
