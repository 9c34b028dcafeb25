import { timingSafeEqual } from 'node:crypto'
import { type Answer, event, json, type Part } from '../answer.ts'
import { realtime } from '../openai/realtime.ts'
import { invalid, openaiError } from '../openai/words.ts'
import { waitHeaders, waitHint } from '../rate-limit.ts'
import { isRecord } from '../text.ts'
import { Refusal } from '../answer.ts'
import { openai } from './openai.ts'
import type { MockProvider, MockRequest, Trouble } from './provider.ts'

const DATED = /^20\d\d-\d\d-\d\d(-preview)?$/
/** Of the dated API, with the deployment in the path; the others have it in the body. */
const DEPLOYED =
  /^\/openai\/deployments\/([^/]+)(\/(?:chat\/completions|completions|embeddings|images\/(?:generations|edits)|audio\/(?:speech|transcriptions|translations)))$/

const complaint = (status: number, code: string, message: string, more: object = {}): Answer =>
  json({ error: { code, message, ...more } }, status)
const notFound = (): Refusal => new Refusal('not found', complaint(404, '404', 'Resource not found'))
const noDeployment = (): Refusal =>
  new Refusal(
    'no deployment',
    complaint(
      404,
      'DeploymentNotFound',
      'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.',
    ),
  )

/** Where a request goes: a path of OpenAI's API and the deployment that the path names. */
function placeOf({ path, query }: MockRequest): {
  readonly path: string
  readonly deployment: string | undefined
  readonly version: string
} {
  const version = query.get('api-version') ?? ''
  if (path.startsWith('/openai/v1/')) {
    if (version !== '' && version !== 'preview' && version !== 'v1' && version !== 'latest')
      throw new Refusal('version', complaint(400, 'BadRequest', 'API version not supported'))
    return { path: path.slice('/openai'.length), deployment: undefined, version }
  }
  const [, deployment, rest] = DEPLOYED.exec(path) ?? []
  // Without a version the dated API has nothing anywhere.
  if (!DATED.test(version)) throw notFound()
  if (deployment !== undefined) return { path: `/v1${rest}`, deployment: decodeURIComponent(deployment), version }
  if (path === '/openai/responses') return { path: '/v1/responses', deployment: undefined, version }
  throw notFound()
}

/** https://learn.microsoft.com/azure/foundry/openai/reference: OpenAI's API under other paths, with what its content filter found. */
export const azure: MockProvider = {
  ...openai,
  name: 'azure',
  basePath: '',
  example: (model) => ({
    path: `/openai/deployments/${encodeURIComponent(model)}/chat/completions?api-version=2024-10-21`,
    body: { messages: [{ role: 'user', content: 'Hello' }] },
  }),
  modelOf(request) {
    const deployment = DEPLOYED.exec(request.path)?.[1]
    if (deployment !== undefined) return decodeURIComponent(deployment)
    return openai.modelOf?.({ ...request, path: request.path.replace(/^\/openai/, '') })
  },
  authorised({ headers }, key) {
    const [given, wanted] = [Buffer.from(String(headers['api-key'] ?? '')), Buffer.from(key)]
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  },
  answer(request, served) {
    const { path, deployment, version } = placeOf(request)
    if (path === '/v1/moderations' || path === '/v1/images/variations') throw notFound()
    const { models } = served
    const model = deployment ?? azure.modelOf?.(request) ?? (isRecord(request.body) ? request.body['model'] : undefined)
    if (typeof model === 'string' && models.length > 0 && !models.includes(model)) throw noDeployment()
    // The deployment is the model, whatever the body says.
    const body =
      deployment !== undefined && isRecord(request.body) ? { ...request.body, model: deployment } : request.body
    if (DATED.test(version) && version < '2024-09-01' && isRecord(body) && body['stream_options'] !== undefined)
      throw invalid('Unrecognized request argument supplied: stream_options')
    const answer = openai.answer({ ...request, path, body }, served)
    return { ...filteredParts(answer, path, String(model)), headers: { ...answer.headers, ...about(String(model)) } }
  },
  converse(request, served) {
    const { path, query } = request
    const dated = path === '/openai/realtime' && DATED.test(query.get('api-version') ?? '')
    if (!dated && path !== '/openai/v1/realtime') throw notFound()
    const model = query.get(dated ? 'deployment' : 'model') ?? ''
    if (served.models.length > 0 && !served.models.includes(model)) throw noDeployment()
    return realtime(model, served.voice)
  },
  error: azureError,
  errorPart: (trouble, _, form) => {
    const { body } = said(trouble)
    return event({ error: body }, form === 'event' ? 'error' : undefined)
  },
}

const about = (model: string): Readonly<Record<string, string>> => ({
  'apim-request-id': 'b1e5a1c4-mock',
  'x-ms-region': 'Sweden Central',
  'x-ms-deployment-name': model,
  'x-ratelimit-remaining-requests': '99',
  'x-ratelimit-remaining-tokens': '99000',
})

const SAFE = Object.fromEntries(
  ['hate', 'self_harm', 'sexual', 'violence'].map((kind) => [kind, { filtered: false, severity: 'safe' }]),
)
const PROMPT = [
  { prompt_index: 0, content_filter_results: { ...SAFE, jailbreak: { filtered: false, detected: false } } },
]

/**
 * An answer of chat with what the filter found: of the prompt in an event of its own before all others, of the answer with its chunks; a
 * deployment called async has it after them instead (https://learn.microsoft.com/azure/foundry/openai/concepts/content-streaming).
 */
function filteredParts(answer: Answer, path: string, model: string): Answer {
  if (path !== '/v1/chat/completions') return answer
  if (!answer.stream) {
    const body: unknown = JSON.parse(answer.parts.join(''))
    if (!isRecord(body) || !Array.isArray(body['choices'])) return answer
    const choices = body['choices'].map((choice: unknown) => ({ ...Object(choice), content_filter_results: SAFE }))
    return { ...answer, parts: [JSON.stringify({ ...body, choices, prompt_filter_results: PROMPT })] }
  }
  const nobody = { id: '', object: '', created: 0, model: '' }
  const first = event({ choices: [], ...nobody, prompt_filter_results: PROMPT })
  if (!/async/.test(model)) return { ...answer, parts: [first, ...answer.parts.map(safe)] }
  const offsets = { check_offset: 44, start_offset: 44, end_offset: 198 }
  const found = { index: 0, finish_reason: null, content_filter_results: SAFE, content_filter_offsets: offsets }
  const last = event({ ...nobody, choices: [found], usage: null })
  return { ...answer, parts: [first, ...answer.parts.slice(0, -1), last, ...answer.parts.slice(-1)] }
}

const safe = (part: Part): Part =>
  typeof part === 'string'
    ? part.replace(/"delta":\{"content"/, `"content_filter_results":${JSON.stringify(SAFE)},$&`)
    : part

interface Said {
  readonly status: number
  readonly body: object
}

function said(trouble: Trouble): Said {
  switch (trouble.kind) {
    case 'unauthorised':
      return {
        status: 401,
        body: {
          code: '401',
          message:
            'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
        },
      }
    case 'rate-limit':
    case 'quota':
      return {
        status: 429,
        body: {
          code: '429',
          message: `Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier.${trouble.kind === 'quota' ? ' Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.' : waitHint(trouble)}`,
        },
      }
    case 'content-refused':
      return {
        status: 400,
        body: {
          message:
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.",
          type: null,
          param: 'prompt',
          code: 'content_filter',
          status: 400,
          innererror: {
            code: 'ResponsibleAIPolicyViolation',
            content_filter_result: { ...SAFE, violence: { filtered: true, severity: 'high' } },
          },
        },
      }
    case 'failed':
      return {
        status: trouble.status,
        body: {
          code: trouble.status === 500 ? 'InternalServerError' : String(trouble.status),
          message: trouble.message,
        },
      }
    default: {
      const answer = openaiError(trouble)
      const { error }: { error: object } = JSON.parse(answer.parts.join('')) // as OpenAI's words are made
      return { status: answer.status, body: error }
    }
  }
}

function azureError(trouble: Trouble): Answer {
  const { status, body } = said(trouble)
  return json({ error: body }, status, trouble.kind === 'rate-limit' ? waitHeaders(trouble) : {})
}
