import { type Answer, event, json, Refusal } from '../answer.ts'
import { chat } from '../openai/chat.ts'
import { completions } from '../openai/completions.ts'
import { embeddings } from '../openai/embeddings.ts'
import type { Body } from '../openai/fields.ts'
import type { Voice } from '../mind.ts'
import { waitHeaders, waitHint } from '../rate-limit.ts'
import { isRecord } from '../text.ts'
import { openai } from './openai.ts'
import type { MockProvider, Trouble } from './provider.ts'

/** Fields of OpenAI's that mean something to it; all others are taken and mean nothing, as vLLM has it. */
const heard = new Set(
  (
    'model messages prompt input frequency_penalty logit_bias logprobs max_completion_tokens max_tokens n parallel_tool_calls presence_penalty ' +
    'response_format seed stop stream stream_options temperature tool_choice tools top_logprobs top_p user echo suffix best_of dimensions encoding_format'
  ).split(' '),
)
/** Members of messages, parts, calls and tools that other servers of the dialect have. */
const foreign = new Set([
  'reasoning_content',
  'reasoning',
  'reasoning_details',
  'cache_control',
  'extra_content',
  'prefix',
])

function refused(message: string, status = 400, type = 'BadRequestError'): Refusal {
  return new Refusal(message, complaint(status, type, message))
}

/** Its errors have a number for a code. */
function complaint(
  status: number,
  type: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return json({ error: { message, type, param: null, code: status } }, status, headers)
}

function without(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(without)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, it]) => (foreign.has(key) ? [] : [[key, without(it)]])),
  )
}

/** What OpenAI's own server would take of a request. */
function plain(body: Body): Body {
  const kept = Object.entries(body).filter(([key, value]) => heard.has(key) && value !== null)
  const { tools, ...rest } = Object.fromEntries(kept)
  const some = Array.isArray(tools) && tools.length > 0
  if (!some) {
    delete rest['tool_choice']
    delete rest['parallel_tool_calls']
  }
  return { ...rest, ...(some ? { tools: without(tools) } : {}), messages: without(body['messages']) }
}

function talk(body: Body, voice: Voice): Answer {
  const continues = body['continue_final_message'] === true
  if (continues && body['add_generation_prompt'] !== false)
    throw refused('Cannot set both `continue_final_message` and `add_generation_prompt` to True.')
  const { messages } = body
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined
  if (continues && isRecord(last) && last['role'] !== 'assistant')
    throw refused('Cannot set `continue_final_message` to True when the last message is not from the assistant.')
  const aloud = /think|reason|-r1|qwq|gpt-oss/i.test(String(body['model'])) ? 8 : 0
  return chat(plain(body), voice, { continues, aloud })
}

const posts: Readonly<Record<string, (body: Body, voice: Voice) => Answer>> = {
  '/v1/chat/completions': talk,
  '/v1/completions': (body, voice) =>
    completions(Object.fromEntries(Object.entries(plain(body)).filter(([key]) => key !== 'messages')), voice),
  '/v1/embeddings': (body) =>
    embeddings(Object.fromEntries(Object.entries(plain(body)).filter(([key]) => key !== 'messages'))),
}

function worded(trouble: Trouble): readonly [status: number, type: string, message: string] {
  switch (trouble.kind) {
    case 'unauthorised':
      return [401, 'AuthenticationError', 'Unauthorized']
    case 'invalid':
      return [trouble.status, 'BadRequestError', trouble.message]
    case 'failed':
      return [trouble.status, trouble.status < 500 ? 'BadRequestError' : 'InternalServerError', trouble.message]
    case 'rate-limit':
      return [429, 'RateLimitError', `Too many requests.${waitHint(trouble)}`]
    case 'quota':
      return [402, 'PaymentRequiredError', 'Insufficient balance.']
    case 'context-length':
      return [
        400,
        'BadRequestError',
        `This model's maximum context length is ${trouble.limit} tokens. However, you requested ${trouble.limit * 2} tokens in the messages, Please reduce the length of the messages.`,
      ]
    case 'content-refused':
      return [400, 'BadRequestError', 'The request was rejected by the content filter.']
  }
}

/** vLLM's server of OpenAI's dialect: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html. A last message of the assistant is gone on with where the request says so; else it is history. */
export const vllm: MockProvider = {
  ...openai,
  name: 'vllm',
  answer(request, { models, voice }) {
    const { method, path, body } = request
    if (path === '/v1/models') return openai.answer(request, { models, voice })
    const surface = Object.hasOwn(posts, path) ? posts[path] : undefined
    // The web framework's own words.
    if (!surface) return json({ detail: 'Not Found' }, 404)
    if (method !== 'POST') return json({ detail: 'Method Not Allowed' }, 405)
    if (!isRecord(body)) throw refused('[{"type":"json_invalid","loc":["body",0],"msg":"JSON decode error"}]')
    const { model } = body
    if (typeof model !== 'string' || (models.length > 0 && !models.includes(model)))
      throw refused(`The model \`${String(model)}\` does not exist.`, 404, 'NotFoundError')
    try {
      return surface(body, voice)
    } catch (error) {
      // What both refuse, each says in words of its own.
      throw error instanceof Refusal ? refused(error.message, error.answer.status) : error
    }
  },
  error(trouble) {
    const [status, type, message] = worded(trouble)
    return complaint(status, type, message, trouble.kind === 'rate-limit' ? waitHeaders(trouble) : {})
  },
  /** After an error it says that nothing follows, as if all were well. */
  errorPart(trouble) {
    const [code, type, message] = worded(trouble)
    return `${event({ error: { message, type, param: null, code } })}data: [DONE]\n\n`
  },
}
