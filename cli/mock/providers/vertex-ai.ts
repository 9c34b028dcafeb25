import { type Answer } from '../answer.ts'
import { anthropicError } from '../anthropic/words.ts'
import { messages } from '../anthropic/messages.ts'
import { countTokensOf, generate } from '../google/answer.ts'
import { predict } from '../google/embed.ts'
import { asksForToken, grant, showsToken } from '../google/tokens.ts'
import { googleTrouble, invalid } from '../google/words.ts'
import type { Voice } from '../mind.ts'
import { isRecord } from '../text.ts'
import { anthropic } from './anthropic.ts'
import { gemini } from './gemini.ts'
import type { MockProvider, MockRequest, Served } from './provider.ts'

const PATH =
  /^\/v1(?:beta1)?\/projects\/([^/]+)\/locations\/([^/]+)\/publishers\/(google|anthropic)\/models\/([^/:]+):(\w+)$/
const claude = ({ path }: MockRequest): boolean => path.includes('/publishers/anthropic/')

/**
 * https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest, with a server of tokens at `/token` beside it. Its key is the public
 * half, in PEM, of a service account's key: assertions have to be signed with the other.
 */
export const vertexAI: MockProvider = {
  ...gemini,
  name: 'vertex-ai',
  example: (model) => ({
    path: `/v1/projects/mock-project/locations/global/publishers/google/models/${model}:generateContent`,
    body: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
  }),
  modelOf: ({ path }) => modelOf(path),
  authorised: (request) => asksForToken(request) || showsToken(request),
  answer: (request, served) => (asksForToken(request) ? grant(request, served.key) : answer(request, served)),
  ...googleTrouble('token'),
  finishes: (part) => gemini.finishes(part) || anthropic.finishes(part),
  terminates: (part) => anthropic.terminates(part),
  filtered: (it) => gemini.filtered(anthropic.filtered(it)),
}

function modelOf(path: string): string | undefined {
  const name = PATH.exec(path)?.[4]
  return name === undefined ? undefined : decodeURIComponent(name)
}

function answer(request: MockRequest, { models, voice }: Served): Answer {
  const { method, path, query, body } = request
  const [, project, location, publisher, , call] = PATH.exec(path) ?? []
  const model = modelOf(path)
  if (model === undefined || method !== 'POST') throw invalid('The requested URL was not found on this server.', 404)
  if (models.length > 0 && !models.includes(model))
    throw invalid(
      `Publisher Model \`projects/${project}/locations/${location}/publishers/${publisher}/models/${model}\` was not found or your project does not have access to it.`,
      404,
    )
  if (!isRecord(body)) throw invalid('Invalid JSON payload received. Unexpected token.')
  if (claude(request)) return predicted(body, model, call, voice)
  if (call === 'predict') return predict(body, model)
  if (call === 'countTokens') return countTokensOf(body, true)
  if (call !== 'generateContent' && call !== 'streamGenerateContent')
    throw invalid('The requested URL was not found on this server.', 404)
  const stream = call === 'streamGenerateContent'
  return generate(body, { model, stream, sse: query.get('alt') === 'sse', vertex: true }, voice)
}

const VERSION = 'vertex-2023-10-16'

/** Anthropic's Messages API, with its version in the body and its model in the path: https://docs.anthropic.com/en/api/claude-on-vertex-ai */
function predicted(
  sent: Readonly<Record<string, unknown>>,
  model: string,
  call: string | undefined,
  voice: Voice,
): Answer {
  const { anthropic_version: version, ...body } = sent
  const refuse = (message: string): Answer => anthropicError({ kind: 'invalid', status: 400, message })
  if (call !== 'rawPredict' && call !== 'streamRawPredict')
    throw invalid('The requested URL was not found on this server.', 404)
  if (version !== VERSION) return refuse(`anthropic_version: "${String(version)}" is not a valid version`)
  if ('model' in body) return refuse('model: Extra inputs are not permitted')
  if (call === 'rawPredict' && body['stream'] === true) return refuse('stream: not supported by rawPredict')
  return messages({ ...body, model }, '2023-06-01', voice)
}
