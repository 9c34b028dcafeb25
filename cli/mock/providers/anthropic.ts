import { timingSafeEqual } from 'node:crypto'
import { type Answer, event, json } from '../answer.ts'
import { anthropicError, anthropicErrorBody, invalid } from '../anthropic/words.ts'
import { countMessages, messages } from '../anthropic/messages.ts'
import type { Body } from '../anthropic/fields.ts'
import type { Voice } from '../mind.ts'
import { isRecord } from '../text.ts'
import type { MockProvider, MockRequest } from './provider.ts'

const posts: Readonly<Record<string, (body: Body, version: string, voice: Voice) => Answer>> = {
  '/v1/messages': messages,
  '/v1/messages/count_tokens': countMessages,
}

const VERSIONS = ['2023-01-01', '2023-06-01', '2026-10-21']

/** https://platform.claude.com/docs/en/api/overview */
export const anthropic: MockProvider = {
  name: 'anthropic',
  basePath: '',
  example: (model) => ({
    path: '/v1/messages',
    body: { model, max_tokens: 256, messages: [{ role: 'user', content: 'Hello' }] },
  }),
  authorised({ headers }, key) {
    const shown = headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '') ?? ''
    const [given, wanted] = [Buffer.from(String(shown)), Buffer.from(key)]
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  },
  answer({ method, path, body: sent, headers }, { models, voice }) {
    const version = versionOf(headers)
    if (path === '/v1/models') return json(list(models, voice))
    const surface = Object.hasOwn(posts, path) ? posts[path] : undefined
    if (!surface) throw invalid('Not found', 404)
    if (method !== 'POST') throw invalid('Method Not Allowed', 405)
    if (!isRecord(sent)) throw invalid('The request body is not valid JSON: expected value at line 1 column 1')
    const { model } = sent
    if (models.length > 0 && !models.includes(String(model))) throw invalid(`model: ${String(model)}`, 404)
    return surface(sent, version, voice)
  },
  error: anthropicError,
  errorPart: (trouble, _, form) => event(anthropicErrorBody(trouble), form === 'event' ? 'error' : undefined),
  finishes: (part) => /"stop_reason":"/.test(String(part)),
  terminates: (part) => String(part).startsWith('event: message_stop'),
  filtered: (answer) => ({
    ...answer,
    parts: answer.parts.map((part) => String(part).replace(/"stop_reason":"\w+"/g, '"stop_reason":"refusal"')),
  }),
}

/** The version that the request names, which it has to; 400 where it does not, or where there is no such version. */
function versionOf(headers: MockRequest['headers']): string {
  const version = headers['anthropic-version']
  if (version === undefined) throw invalid('anthropic-version: header is required')
  if (typeof version !== 'string' || !VERSIONS.includes(version))
    throw invalid(`anthropic-version: "${String(version)}" is not a valid version`)
  return version
}

function list(models: readonly string[], { created }: Voice): unknown {
  const data = (models.length > 0 ? models : ['mock']).map((id) => ({
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(created * 1000).toISOString(),
  }))
  return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
}
