import type { Answer } from '../answer.ts'
import { converse } from '../bedrock/converse.ts'
import { frame, read } from '../bedrock/frames.ts'
import { invoke } from '../bedrock/invoke.ts'
import { checkSignature } from '../bedrock/signature.ts'
import { asksSts, sts } from '../bedrock/sts.ts'
import { bedrockError, invalid, streamError } from '../bedrock/words.ts'
import { isRecord } from '../text.ts'
import type { MockProvider, MockRequest, Served } from './provider.ts'

const PATH = /^\/model\/([^/]+)\/(converse|converse-stream|invoke)$/

/**
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html, with STS beside it at `/`. Its key is
 * `ACCESSKEYID:SECRET`, with which requests have to be signed, or an API key.
 */
export const bedrock: MockProvider = {
  name: 'bedrock',
  basePath: '',
  example: (model) => ({
    path: `/model/${encodeURIComponent(model)}/converse`,
    body: { messages: [{ role: 'user', content: [{ text: 'Hello' }] }] },
  }),
  modelOf: ({ path }) => modelOf(path),
  authorised(request, key) {
    if (!asksSts(request)) checkSignature(request, key, Date.now())
    return true
  },
  answer: (request, served) => (asksSts(request) ? sts(request, Date.now()) : answer(request, served)),
  error: bedrockError,
  errorPart(trouble) {
    const [name, message] = streamError(trouble)
    return frame('exception', name, { message })
  },
  finishes: (part) => typeof part !== 'string' && read(part).type === 'messageStop',
  // The last event has the usage, too.
  terminates: () => false,
  filtered: (it) => ({
    ...it,
    parts: it.parts.map((part) => {
      if (typeof part === 'string') return part.replace(/"stopReason":"\w+"/, '"stopReason":"content_filtered"')
      const { type, payload } = read(part)
      return type === 'messageStop' ? frame('event', type, { ...payload, stopReason: 'content_filtered' }) : part
    }),
  }),
}

function modelOf(path: string): string | undefined {
  const name = PATH.exec(path)?.[1]
  return name === undefined ? undefined : decodeURIComponent(name)
}

function answer({ method, path, body }: MockRequest, { models, voice }: Served): Answer {
  const model = modelOf(path)
  const operation = PATH.exec(path)?.[2]
  if (model === undefined || method !== 'POST')
    throw invalid('Unable to determine service/operation name to be authorized', 'UnknownOperationException', 404)
  if (models.length > 0 && !models.includes(model)) throw invalid('The provided model identifier is invalid.')
  if (!isRecord(body)) throw invalid('Request body is not valid JSON', 'SerializationException')
  return operation === 'invoke' ? invoke(body, model) : converse(body, model, operation === 'converse-stream', voice)
}
