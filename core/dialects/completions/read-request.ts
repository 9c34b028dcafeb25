import type { ChatRequest } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import type { Asked as PathAsked, Json } from '../dialect.ts'
import { Asked } from '../openai/asked.ts'
import { readBias, readStop, readStreamOptions } from '../openai/read-request.ts'
import { given } from '../given.ts'
import type { Draft } from '../given.ts'

/**
 * Reads a request of OpenAI's completions (https://platform.openai.com/docs/api-reference/completions) as a chat of one message. Throws
 * `not_translatable` for what a chat cannot do: several prompts at once, tokens, a suffix to meet.
 */
export function readRequest(body: Json, path: PathAsked): ChatRequest {
  const asked = new Asked(body)
  if (asked.text('suffix')) throw impossible('"suffix" needs a model that fills in: leave it out.')
  const n = asked.whole('n', 1, 128)
  const best = asked.whole('best_of', 1, 20)
  const echo = asked.flag('echo')
  const probable = asked.whole('logprobs', 0, 5)
  const request: Draft<ChatRequest> = {
    model: path.model ?? asked.need('model'),
    messages: [{ role: 'user', content: [{ type: 'text', text: promptOf(asked) }] }],
    tools: [],
    maxTokens: asked.whole('max_tokens', 1),
    temperature: asked.number('temperature', 0, 2),
    topP: asked.number('top_p', 0, 1),
    stop: readStop(asked),
    n,
    seed: asked.whole('seed'),
    frequencyPenalty: asked.number('frequency_penalty', -2, 2),
    presencePenalty: asked.number('presence_penalty', -2, 2),
    logprobs: probable === undefined ? undefined : true,
    topLogprobs: probable,
    logitBias: readBias(asked),
    user: asked.text('user'),
    stream: path.stream ?? asked.flag('stream') ?? false,
    includeUsage: readStreamOptions(asked) ?? false,
    unread: [],
  }
  if (echo) asked.leave('echo')
  if ((best ?? 1) > (n ?? 1)) asked.leave('best_of')
  request.unread = asked.unread
  return given(request)
}

function promptOf(asked: Asked): string {
  const prompt = asked.any('prompt')
  const list: readonly unknown[] = Array.isArray(prompt) ? prompt : [prompt]
  const [only] = list
  if (prompt === undefined || list.length === 0)
    throw new Failure('invalid_request', { detail: '"prompt" is missing: give a string.' })
  if (list.length > 1) throw impossible('"prompt" must be one string: ask for each of them by itself.')
  if (typeof only !== 'string') throw impossible('"prompt" must be a string: tokens are of one model only.')
  return only
}

function impossible(detail: string): Failure {
  return new Failure('not_translatable', { detail })
}
