import { timingSafeEqual } from 'node:crypto'
import { type Answer, json } from '../answer.ts'
import { countTokensOf, generate } from '../google/answer.ts'
import { batchEmbedContents, embedContent } from '../google/embed.ts'
import { googleTrouble, invalid } from '../google/words.ts'
import { isRecord } from '../text.ts'
import type { MockProvider, MockRequest, Served } from './provider.ts'

const PATH = /^\/v1(?:alpha|beta)?\/models\/([^/:]+):(\w+)$/

/** https://ai.google.dev/api */
export const gemini: MockProvider = {
  name: 'gemini',
  basePath: '',
  example: (model) => ({
    path: `/v1beta/models/${model}:generateContent`,
    body: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
  }),
  modelOf: ({ path }) => modelOf(path),
  authorised({ headers, query }, key) {
    const [given, wanted] = [Buffer.from(String(headers['x-goog-api-key'] ?? query.get('key') ?? '')), Buffer.from(key)]
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  },
  answer: (request, served) => answer(request, served),
  ...googleTrouble('key'),
  finishes: (part) => /"finishReason":"/.test(String(part)),
  // Its streams have no word for that.
  terminates: () => false,
  filtered: (it) => ({
    ...it,
    parts: it.parts.map((part) => String(part).replace(/"finishReason":"\w+"/g, '"finishReason":"SAFETY"')),
  }),
}

function modelOf(path: string): string | undefined {
  const name = PATH.exec(path)?.[1]
  return name === undefined ? undefined : decodeURIComponent(name)
}

function answer({ method, path, query, body }: MockRequest, { models, voice }: Served): Answer {
  if (path === '/v1beta/models' && method === 'GET')
    return json({
      models: (models.length > 0 ? models : ['mock']).map((name) => ({
        name: `models/${name}`,
        displayName: name,
        supportedGenerationMethods: ['generateContent', 'embedContent'],
      })),
    })
  const model = modelOf(path)
  const call = PATH.exec(path)?.[2]
  if (model === undefined || method !== 'POST') throw invalid('The requested URL was not found on this server.', 404)
  if (models.length > 0 && !models.includes(model))
    throw invalid(
      `models/${model} is not found for API version v1beta, or is not supported for ${call}. Call ListModels to see the list of available models and their supported methods.`,
      404,
    )
  if (!isRecord(body)) throw invalid('Invalid JSON payload received. Unexpected token.')
  switch (call) {
    case 'generateContent':
    case 'streamGenerateContent': {
      const stream = call === 'streamGenerateContent'
      return generate(body, { model, stream, sse: query.get('alt') === 'sse', vertex: false }, voice)
    }
    case 'countTokens':
      return countTokensOf(body, false)
    case 'embedContent':
      return embedContent(body, model)
    case 'batchEmbedContents':
      return batchEmbedContents(body, model)
    default:
      throw invalid('The requested URL was not found on this server.', 404)
  }
}
