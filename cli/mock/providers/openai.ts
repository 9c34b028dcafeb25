import { timingSafeEqual } from 'node:crypto'
import { type Answer, json } from '../answer.ts'
import { media, mediaModel } from '../media.ts'
import type { Voice } from '../mind.ts'
import { chat } from '../openai/chat.ts'
import { completions } from '../openai/completions.ts'
import { embeddings } from '../openai/embeddings.ts'
import type { Body } from '../openai/fields.ts'
import { compact, filteredResponse, inputTokens, responses } from '../openai/responses.ts'
import { realtime } from '../openai/realtime.ts'
import { invalid, openaiError, openaiErrorPart } from '../openai/words.ts'
import { isRecord } from '../text.ts'
import type { MockProvider, Served } from './provider.ts'

const posts: Readonly<Record<string, (body: Body, voice: Voice) => Answer>> = {
  '/v1/chat/completions': chat,
  '/v1/completions': completions,
  '/v1/responses': responses,
  '/v1/responses/input_tokens': inputTokens,
  '/v1/responses/compact': compact,
  '/v1/embeddings': embeddings,
}

/** https://platform.openai.com/docs/api-reference */
export const openai: MockProvider = {
  name: 'openai',
  basePath: '/v1',
  example: (model) => ({
    path: '/v1/chat/completions',
    body: { model, messages: [{ role: 'user', content: 'Hello' }] },
  }),
  authorised({ headers }, key) {
    const [given, wanted] = [Buffer.from(headers.authorization ?? ''), Buffer.from(`Bearer ${key}`)]
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  },
  modelOf: (request) => quietly(() => mediaModel(request.path.replace(/^\/v1/, ''), request)) || undefined,
  answer(request, { models, voice }) {
    const { method, path, body: sent } = request
    if (path === '/v1/models') return json(list(models, voice))
    const named = openai.modelOf?.(request)
    if (named !== undefined) known(named, models)
    const shown = media(path.replace(/^\/v1/, ''), request, voice)
    if (shown) return shown
    const surface = Object.hasOwn(posts, path) ? posts[path] : undefined
    if (!surface) throw invalid(`Unknown request URL: ${method} ${path}.`, null, 'unknown_url', 404)
    if (method !== 'POST') throw invalid(`Not allowed to ${method} on ${path}.`, null, 'method_not_supported', 405)
    if (!isRecord(sent)) throw invalid('We could not parse the JSON body of your request.')
    const { model } = sent
    if (typeof model !== 'string' || model === '') throw invalid('you must provide a model parameter', 'model')
    known(model, models)
    return surface(sent, voice)
  },
  converse({ path, query }, { models, voice }) {
    const model = query.get('model') ?? ''
    if (path !== '/v1/realtime') throw invalid(`Unknown request URL: GET ${path}.`, null, 'unknown_url', 404)
    if (model === '') throw invalid('you must provide a model parameter', 'model')
    if (models.length > 0 && !models.includes(model))
      throw invalid(`The model \`${model}\` does not exist.`, null, 'model_not_found', 404)
    return realtime(model, voice)
  },
  error: openaiError,
  errorPart: openaiErrorPart,
  finishes: (part) =>
    /^event: image_\w+\.completed\n|"type":"(speech\.audio|transcript\.text)\.done"/.test(String(part)) ||
    /^event: response\.(completed|incomplete)\n|"finish_reason":"/.test(String(part)),
  terminates: (part) => part === 'data: [DONE]\n\n',
  filtered: (answer) => ({
    ...answer,
    parts: answer.parts.map((part) =>
      filteredResponse(String(part).replace(/"finish_reason":"\w+"/g, '"finish_reason":"content_filter"')),
    ),
  }),
}

function known(model: string, models: Served['models']): void {
  if (models.length > 0 && !models.includes(model))
    throw invalid(
      `The model \`${model}\` does not exist or you do not have access to it.`,
      null,
      'model_not_found',
      404,
    )
}

/** What is wrong with a request is told when it is answered. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

function list(models: Served['models'], { name, created }: Voice): unknown {
  const data = (models.length > 0 ? models : ['mock']).map((id) => ({ id, object: 'model', created, owned_by: name }))
  return { object: 'list', data }
}
