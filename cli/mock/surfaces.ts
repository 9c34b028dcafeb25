import { type Answer, events, invalid, json, Refusal } from './answer.ts'
import { chat, count, type Voice, wantsUsage } from './chat.ts'
import { countTokens, isRecord, seedOf, tokensOf } from './text.ts'

type Body = Readonly<Record<string, unknown>>

/** A list of strings from a member that may be one string or several; 400 for anything else. */
function strings(body: Body, key: string): readonly string[] {
  const value = body[key]
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || !list.every((it) => typeof it === 'string'))
    throw invalid(`'${key}' must be a string or a list of strings.`, key)
  return list
}

/** `POST /v1/completions`: https://platform.openai.com/docs/api-reference/completions. */
function completions(body: Body, voice: Voice): Answer {
  const prompts = strings(body, 'prompt')
  const most = count(body, 'max_tokens', 1, 1_000_000, voice.tokens)
  const says = prompts.map((prompt) => tokensOf(voice.name, prompt, seedOf(prompt), Math.min(most, voice.tokens)))
  const finish = voice.tokens > most ? 'length' : 'stop'
  const prompt_tokens = prompts.reduce((sum, it) => sum + countTokens(it), 0)
  const completion_tokens = says.reduce((sum, it) => sum + it.length, 0)
  const usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
  const id = `cmpl-${seedOf(prompts.join('\n')).toString(16).padStart(8, '0')}`
  const head = { id, object: 'text_completion', created: voice.created, model: String(body['model']) }
  const choice = (index: number, text: string, finish_reason: string | null): unknown => ({
    index,
    text,
    logprobs: null,
    finish_reason,
  })
  if (body['stream'] !== true) {
    const choices = says.map((tokens, i) => choice(i, tokens.join(''), finish))
    return json({ ...head, choices, usage }, 200, {}, completion_tokens)
  }
  const said = says.flatMap((tokens, i) => [
    ...tokens.map((text) => ({ ...head, choices: [choice(i, text, null)] })),
    { ...head, choices: [choice(i, '', finish)] },
  ])
  return events(wantsUsage(body) ? [...said, { ...head, choices: [], usage }] : said, completion_tokens)
}

/** `POST /v1/embeddings`: unit vectors drawn from the text; `encoding_format: base64` is what the SDKs ask for. */
function embeddings(body: Body): Answer {
  const inputs = strings(body, 'input')
  const dimensions = count(body, 'dimensions', 1, 4096, 8)
  const data = inputs.map((text, index) => {
    const raw = Array.from({ length: dimensions }, (_, i) => seedOf(`${i}:${text}`) / 2 ** 31 - 1)
    const norm = Math.hypot(...raw) || 1
    const vector = raw.map((x) => x / norm)
    const embedding =
      body['encoding_format'] === 'base64' ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector
    return { object: 'embedding', index, embedding }
  })
  const prompt_tokens = inputs.reduce((sum, it) => sum + countTokens(it), 0)
  return json({
    object: 'list',
    data,
    model: String(body['model']),
    usage: { prompt_tokens, total_tokens: prompt_tokens },
  })
}

const posts: Readonly<Record<string, (body: Body, voice: Voice) => Answer>> = {
  '/v1/chat/completions': chat,
  '/v1/completions': completions,
  '/v1/embeddings': embeddings,
}

/** What the mock serves; an empty list takes every name. */
export interface Served {
  readonly models: readonly string[]
  readonly voice: Voice
}

/**
 * The honest answer to a request, before any fault; `sent` is its parsed body, undefined where that is no JSON. Throws `Refusal` in OpenAI's words: 400 for a body that is no JSON object or lacks a
 * member, 404 `model_not_found`, 404 for another path, 405 for another method.
 */
export function answerTo(method: string, path: string, sent: unknown, { models, voice }: Served): Answer {
  if (path === '/health') return json({ status: 'ok', name: voice.name })
  if (path === '/v1/models') {
    const data = (models.length > 0 ? models : ['mock']).map((id) => ({
      id,
      object: 'model',
      created: voice.created,
      owned_by: voice.name,
    }))
    return json({ object: 'list', data })
  }
  const surface = posts[path]
  const wrong = { type: 'invalid_request_error', code: 'unknown_url' }
  if (!surface) throw new Refusal({ ...wrong, status: 404, message: `Unknown request URL: ${method} ${path}.` })
  if (method !== 'POST')
    throw new Refusal({
      ...wrong,
      status: 405,
      code: 'method_not_supported',
      message: `Not allowed to ${method} on ${path}.`,
    })
  if (!isRecord(sent)) throw invalid('We could not parse the JSON body of your request.')
  const { model } = sent
  if (typeof model !== 'string' || model === '') throw invalid('you must provide a model parameter', 'model')
  if (models.length > 0 && !models.includes(model))
    throw new Refusal({
      status: 404,
      message: `The model \`${model}\` does not exist or you do not have access to it.`,
      type: 'invalid_request_error',
      code: 'model_not_found',
    })
  return surface(sent, voice)
}
