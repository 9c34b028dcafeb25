import { timingSafeEqual } from 'node:crypto'
import { type Answer, json } from '../answer.ts'
import { chat } from '../cohere/chat.ts'
import { embed } from '../cohere/embed.ts'
import { rerank } from '../cohere/rerank.ts'
import { type Body, cohereError, cohereErrorPart, invalid } from '../cohere/words.ts'
import type { Voice } from '../mind.ts'
import { isRecord } from '../text.ts'
import type { MockProvider } from './provider.ts'

const posts: Readonly<Record<string, (body: Body, voice: Voice) => Answer>> = {
  '/v2/chat': chat,
  '/v2/embed': embed,
  '/v2/rerank': (body) => rerank(body, 2),
  '/v1/rerank': (body) => rerank(body, 1),
}

/** https://docs.cohere.com/reference/about */
export const cohere: MockProvider = {
  name: 'cohere',
  basePath: '',
  example: (model) => ({ path: '/v2/chat', body: { model, messages: [{ role: 'user', content: 'Hello' }] } }),
  authorised({ headers }, key) {
    const [given, wanted] = [Buffer.from(headers.authorization ?? ''), Buffer.from(`Bearer ${key}`)]
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  },
  answer({ method, path, body: sent }, { models, voice }) {
    if (path === '/v1/models' && method === 'GET')
      return json({
        models: (models.length > 0 ? models : ['mock']).map((name) => ({
          name,
          endpoints: ['chat', 'embed', 'rerank'],
        })),
      })
    const surface = Object.hasOwn(posts, path) ? posts[path] : undefined
    if (!surface) throw invalid(`resource not found: ${path}`, 404)
    if (method !== 'POST') throw invalid('method not allowed', 405)
    if (!isRecord(sent)) throw invalid('invalid json syntax in the request body')
    const { model } = sent
    if (typeof model !== 'string' || model === '') throw invalid('a model parameter is required for this endpoint.')
    if (models.length > 0 && !models.includes(model))
      throw invalid(
        `model '${model}' not found, make sure the correct model ID was used and that you have access to the model.`,
        404,
      )
    return surface(sent, voice)
  },
  error: cohereError,
  errorPart: (trouble, _answer, form) => cohereErrorPart(trouble, form),
  finishes: (part) => /"finish_reason":"/.test(String(part)),
  terminates: (part) => part === 'data: [DONE]\n\n',
  // It has no reason of its own for it.
  filtered: (answer) => ({
    ...answer,
    parts: answer.parts.map((part) => String(part).replace(/"finish_reason":"\w+"/g, '"finish_reason":"ERROR"')),
  }),
}
