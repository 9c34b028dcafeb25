import { type Answer, event, json, streamed } from '../answer.ts'
import { pieces, type Prompt, type Saying, think, type Turn, type Voice } from '../mind.ts'
import { countTokens, isRecord, seedOf } from '../text.ts'
import {
  type Body,
  checkFunction,
  closed,
  count,
  onlyKnown,
  stops,
  thinks,
  thoughtOf,
  wantsUsage,
  within,
} from './fields.ts'
import { turnsOf } from './messages.ts'
import { invalid } from './words.ts'

const known = new Set(
  (
    'model messages audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens metadata modalities n ' +
    'parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_retention reasoning_effort response_format safety_identifier ' +
    'seed service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options'
  ).split(' '),
)

/** Refused by models that think: https://platform.openai.com/docs/guides/reasoning */
const unthinkable = ['top_p', 'presence_penalty', 'frequency_penalty', 'logprobs', 'top_logprobs', 'logit_bias', 'stop']

/** In what servers of the dialect differ. */
export interface Manner {
  /** A last message of the assistant is the beginning of the answer. */
  readonly continues: boolean
  /** Tokens of thought that the caller sees, as `reasoning_content`; undefined: as many as OpenAI's models hide. */
  readonly aloud?: number
}

/** `POST /v1/chat/completions`: https://platform.openai.com/docs/api-reference/chat. Deterministic in the conversation, the name and the length. */
export function chat(body: Body, voice: Voice, manner: Manner = { continues: false }): Answer {
  onlyKnown(body, known)
  const model = String(body['model'])
  const n = count(body, 'n', 1, 128, 1)
  const counted = wantsUsage(body)
  const turns = turnsOf(body)
  const prompt = {
    ...promptOf(body, model, turns, voice),
    anew: !manner.continues,
    ...(manner.aloud === undefined ? {} : { think: manner.aloud }),
  }
  const says = Array.from({ length: n }, (_, choice) => think({ ...prompt, choice }))
  const usage = usageOf(body, turns, says)
  const id = `chatcmpl-${seedOf(JSON.stringify(turns)).toString(16).padStart(8, '0')}`
  const head = { id, created: voice.created, model, service_tier: 'default', system_fingerprint: `mock-${voice.name}` }
  const format: Format = { logprobs: topOf(body), spoken: spokenOf(body), aloud: manner.aloud !== undefined }
  if (body['stream'] !== true) {
    const choices = says.map((it, index) => ({
      index,
      message: message(it, format, voice),
      logprobs: logprobsOf(it.text, format),
      finish_reason: reasonOf(it),
    }))
    return json({ ...head, object: 'chat.completion', choices, usage }, 200, {}, usage.completion_tokens)
  }
  const chunk = (index: number, delta: unknown, finish_reason: string | null, logprobs: unknown = null): unknown => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index, delta, logprobs, finish_reason }],
    ...(counted ? { usage: null } : {}),
  })
  const said = says.flatMap((it, i) => [
    ...deltas(it, format, voice).map(({ delta, logprobs }) => chunk(i, delta, null, logprobs)),
    chunk(i, {}, reasonOf(it)),
  ])
  const last = counted ? [{ ...head, object: 'chat.completion.chunk', choices: [], usage }] : []
  return streamed([...[...said, ...last].map((it) => event(it)), 'data: [DONE]\n\n'], usage.completion_tokens)
}

/** What the request asks, after the checks that OpenAI makes. */
function promptOf(body: Body, model: string, turns: readonly Turn[], voice: Voice): Prompt {
  within(body, 'temperature', 0, 2)
  within(body, 'top_p', 0, 1)
  within(body, 'presence_penalty', -2, 2)
  within(body, 'frequency_penalty', -2, 2)
  // From gpt-5.1 on, one that is told not to think is like any other.
  const thinking = thinks(model) && !(body['reasoning_effort'] === 'none' && /^gpt-5\.\d/.test(model))
  if (thinking) {
    if (body['max_tokens'] !== undefined && body['max_tokens'] !== null)
      throw invalid(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        'max_tokens',
        'unsupported_parameter',
      )
    if (typeof body['temperature'] === 'number' && body['temperature'] !== 1)
      throw invalid(
        `Unsupported value: 'temperature' does not support ${body['temperature']} with this model. Only the default (1) value is supported.`,
        'temperature',
        'unsupported_value',
      )
    const found = unthinkable.find((key) => body[key] !== undefined && body[key] !== null)
    if (found !== undefined)
      throw invalid(
        `Unsupported parameter: '${found}' is not supported with this model.`,
        found,
        'unsupported_parameter',
      )
  } else if (body['reasoning_effort'] !== undefined && body['reasoning_effort'] !== null && /^gpt-[34]/.test(model))
    throw invalid(`Unrecognized request argument supplied: reasoning_effort`)
  const most = count(body, 'max_completion_tokens', 1, 1_000_000, count(body, 'max_tokens', 1, 1_000_000, 1_000_000))
  return {
    voice,
    turns,
    ...toolsOf(body),
    json: jsonOf(body, turns),
    limit: most,
    stop: stops(body),
    think: thoughtOf(model, body['reasoning_effort']),
  }
}

function toolsOf(body: Body): Pick<Prompt, 'tools' | 'must' | 'parallel'> {
  const { tools, tool_choice: choice, parallel_tool_calls: parallel } = body
  if (tools === undefined || tools === null) {
    for (const key of ['tool_choice', 'parallel_tool_calls'])
      if (body[key] !== undefined && body[key] !== null)
        throw invalid(`Invalid value for '${key}': '${key}' is only allowed when 'tools' are specified.`, key)
    return { tools: [] }
  }
  if (!Array.isArray(tools))
    throw invalid("Invalid type for 'tools': expected an array of objects.", 'tools', 'invalid_type')
  if (tools.length === 0)
    throw invalid(
      "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'tools',
      'empty_array',
    )
  const callable = tools.map((tool: unknown, i) => {
    const at = `tools[${i}]`
    if (!isRecord(tool) || tool['type'] !== 'function')
      throw invalid(
        `Invalid value: '${isRecord(tool) ? String(tool['type']) : ''}'. Supported values are: 'function' and 'custom'.`,
        `${at}.type`,
        'invalid_value',
      )
    onlyKnown(tool, new Set(['type', 'function']), at)
    const it = tool['function']
    if (!isRecord(it))
      throw invalid(`Missing required parameter: '${at}.function'.`, `${at}.function`, 'missing_required_parameter')
    onlyKnown(it, new Set(['name', 'description', 'parameters', 'strict']), `${at}.function`)
    checkFunction(it, `${at}.function`)
    return { name: String(it['name']), schema: it['parameters'] }
  })
  const several = { parallel: parallel !== false }
  if (choice === 'none') return { tools: [] }
  if (choice === 'required') return { tools: callable, must: 'any', ...several }
  if (choice === undefined || choice === null || choice === 'auto') return { tools: callable, ...several }
  const name =
    isRecord(choice) && choice['type'] === 'function' && isRecord(choice['function'])
      ? choice['function']['name']
      : undefined
  if (typeof name !== 'string')
    throw invalid(
      `Invalid value: '${typeof choice === 'string' ? choice : 'object'}'. Supported values are: 'none', 'auto', and 'required'.`,
      'tool_choice',
      'invalid_value',
    )
  if (!callable.some((it) => it.name === name))
    throw invalid(
      `Invalid value for 'tool_choice': 'tool_choice' name '${name}' was not found in 'tools'.`,
      'tool_choice',
    )
  return { tools: callable, must: { name }, ...several }
}

function jsonOf(body: Body, turns: readonly Turn[]): Prompt['json'] {
  const format = body['response_format']
  if (format === undefined || format === null) return undefined
  if (!isRecord(format))
    throw invalid("Invalid type for 'response_format': expected an object.", 'response_format', 'invalid_type')
  if (format['type'] === 'text') return undefined
  if (format['type'] === 'json_object') {
    if (!turns.some(({ text }) => /json/i.test(text)))
      throw invalid(
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        'messages',
      )
    return {}
  }
  const schema = format['json_schema']
  if (format['type'] !== 'json_schema')
    throw invalid(
      `Invalid value: '${String(format['type'])}'. Supported values are: 'json_object', 'json_schema', and 'text'.`,
      'response_format.type',
      'invalid_value',
    )
  if (!isRecord(schema) || typeof schema['name'] !== 'string')
    throw invalid(
      "Missing required parameter: 'response_format.json_schema.name'.",
      'response_format.json_schema.name',
      'missing_required_parameter',
    )
  onlyKnown(schema, new Set(['name', 'description', 'schema', 'strict']), 'response_format.json_schema')
  if (schema['strict'] === true)
    closed(schema['schema'], `response_format '${schema['name']}'`, 'response_format', null)
  return { schema: schema['schema'] ?? {} }
}

interface Format {
  /** How many alternatives each token is shown with; undefined: no log-probabilities. */
  readonly logprobs: number | undefined
  /** The answer is spoken, in that format. */
  readonly spoken: string | undefined
  /** Thoughts are shown. */
  readonly aloud: boolean
}

function topOf(body: Body): number | undefined {
  if (body['top_logprobs'] !== undefined && body['top_logprobs'] !== null && body['logprobs'] !== true)
    throw invalid("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", 'top_logprobs')
  return body['logprobs'] === true ? count(body, 'top_logprobs', 0, 20, 0) : undefined
}

function spokenOf(body: Body): string | undefined {
  const { modalities, audio } = body
  if (!Array.isArray(modalities) || !modalities.includes('audio')) return undefined
  if (!isRecord(audio) || typeof audio['voice'] !== 'string' || typeof audio['format'] !== 'string')
    throw invalid("Missing required parameter: 'audio'.", 'audio', 'missing_required_parameter')
  if (body['stream'] === true && audio['format'] !== 'pcm16')
    throw invalid(
      "Unsupported value: 'audio.format' does not support this value when stream=true. Supported values are: 'pcm16'.",
      'audio.format',
      'unsupported_value',
    )
  return audio['format']
}

const reasonOf = ({ finish }: Saying): string =>
  finish === 'calls' ? 'tool_calls' : finish === 'sequence' ? 'stop' : finish
const callId = (seed: number, i: number): string =>
  `call_${seed.toString(16).padStart(8, '0')}${i === 0 ? '' : `_${i}`}`

/** A probability for each token, drawn from its letters. */
function logprobsOf(tokens: readonly string[], { logprobs: top }: Format): unknown {
  if (top === undefined || tokens.length === 0) return null
  const one = (token: string, i: number): unknown => ({
    token,
    logprob: -((seedOf(token) % 1000) / 1000) - i,
    bytes: [...Buffer.from(token)],
  })
  const content = tokens.map((token) => ({
    ...Object(one(token, 0)),
    top_logprobs: Array.from({ length: top }, (_, i) => one(i === 0 ? token : `${token}${i}`, i)),
  }))
  return { content, refusal: null }
}

/** Sound of a text: bytes that say it, which is enough to know them again. */
const sound = (text: string): string => Buffer.from(text).toString('base64')

function message(said: Saying, { spoken, aloud }: Format, voice: Voice): unknown {
  const text = said.text.join('')
  const thought = aloud && said.thought.length > 0 ? { reasoning_content: said.thought.join('') } : {}
  const head = { role: 'assistant', refusal: null, annotations: [], ...thought }
  if (said.calls.length > 0) {
    const tool_calls = said.calls.map((it, i) => ({ id: callId(said.seed, i), type: 'function', function: it }))
    return { ...head, content: text === '' ? null : text, tool_calls }
  }
  if (spoken === undefined) return { ...head, content: text }
  const audio = {
    id: `audio_${said.seed.toString(16)}`,
    expires_at: voice.created + 3600,
    data: sound(text),
    transcript: text,
  }
  return { ...head, content: null, audio }
}

interface Delta {
  readonly delta: unknown
  readonly logprobs?: unknown
}

function deltas(said: Saying, format: Format, voice: Voice): readonly Delta[] {
  const { text, calls, seed } = said
  if (format.spoken !== undefined && calls.length === 0) {
    const id = `audio_${seed.toString(16)}`
    return [
      { delta: { role: 'assistant', content: null, refusal: null, audio: { id, transcript: '' } } },
      ...text.flatMap((it) => [{ delta: { audio: { transcript: it } } }, { delta: { audio: { data: sound(it) } } }]),
      { delta: { audio: { expires_at: voice.created + 3600 } } },
    ]
  }
  const called = calls.flatMap((it, index) => [
    {
      delta: {
        tool_calls: [{ index, id: callId(seed, index), type: 'function', function: { name: it.name, arguments: '' } }],
      },
    },
    ...pieces(it.arguments).map((piece) => ({ delta: { tool_calls: [{ index, function: { arguments: piece } }] } })),
  ])
  const thoughts = format.aloud ? said.thought.map((it) => ({ delta: { reasoning_content: it } })) : []
  const spoken = text.map((content) => ({ delta: { content }, logprobs: logprobsOf([content], format) }))
  // The role comes with the first piece of a call where no words go before it.
  const [first, ...rest] = [...spoken, ...called]
  if (text.length === 0 && first && thoughts.length === 0)
    return [{ delta: { role: 'assistant', content: null, ...first.delta, refusal: null } }, ...rest]
  return [{ delta: { role: 'assistant', content: '', refusal: null } }, ...thoughts, ...spoken, ...called]
}

interface OpenAIUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details: unknown
  readonly completion_tokens_details: unknown
}

function usageOf(body: Body, turns: readonly Turn[], says: readonly Saying[]): OpenAIUsage {
  const prompt_tokens = countTokens(turns.map(({ text }) => text).join('\n'))
  const completion_tokens = says.reduce((sum, { tokens }) => sum + tokens, 0)
  // From 1024 tokens on the prompt is cached in steps of 128; here only for who names a key, so that answers do not depend on what went before.
  const cached_tokens = prompt_tokens >= 1024 && body['prompt_cache_key'] ? Math.floor(prompt_tokens / 128) * 128 : 0
  const reasoning_tokens = says.reduce((sum, { thought }) => sum + thought.length, 0)
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { cached_tokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}
