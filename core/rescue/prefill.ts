import type { ChatRequest } from '../chat.ts'
import type { Json } from '../dialects/dialect.ts'
import type { Edit } from '../json-fields.ts'
import type { Transcript } from './transcript.ts'

/** How a target is told that the last message is the beginning of its answer, to go on from. */
export interface Prefill {
  /** Members of that message besides. */
  readonly message?: Json
  /** Fields of the request besides. */
  readonly fields?: Json
  /** It must not end in white space. */
  readonly trims?: true
  /** The answer says it again. */
  readonly echoes?: true
}

/**
 * The text from which another target can go on, if all that the caller has is text: not within calls of tools, thoughts, or JSON that is held to a
 * schema, and not where the answer is asked for in several versions or aloud.
 */
export function textSoFar(said: Transcript, request: ChatRequest): string | undefined {
  const [piece, ...more] = said.pieces
  if (piece?.type !== 'text' || more.length > 0 || piece.choice !== 0 || piece.text.trim() === '') return undefined
  const { n = 1, format, reasoning, modalities, messages, toolChoice = 'auto' } = request
  if (n !== 1 || (format && format.type !== 'text') || modalities?.includes('audio')) return undefined
  if (reasoning && reasoning.effort !== 'none') return undefined
  if (toolChoice !== 'auto' && toolChoice !== 'none') return undefined
  // Of an answer whose beginning the caller gave, only the caller's provider knows what it makes.
  return messages.at(-1)?.role === 'assistant' ? undefined : piece.text
}

/** What is left of a bound on tokens for the rest of an answer. */
const left = (most: number, said: Transcript): number => Math.max(1, most - said.tokens)

/** The canonical request with the text as the beginning of the answer. */
export function continued(request: ChatRequest, text: string, said: Transcript): ChatRequest {
  const { maxTokens } = request
  return {
    ...request,
    messages: [...request.messages, { role: 'assistant', content: [{ type: 'text', text }] }],
    ...(maxTokens === undefined ? {} : { maxTokens: left(maxTokens, said) }),
  }
}

/** A translated body with what the target wants besides. */
export function marked(body: Json, { message, fields }: Prefill): Json {
  const { messages } = body
  if (!message || !Array.isArray(messages)) return { ...body, ...fields }
  const last: unknown = messages.at(-1)
  return { ...body, ...fields, messages: [...messages.slice(0, -1), { ...Object(last), ...message }] }
}

/** The same for a body in the caller's own words, as edits of it. */
export function nativeEdits(surface: string, body: Json, text: string, prefill: Prefill, said: Transcript): Edit[] {
  if (surface === 'generate_content') return geminiEdits(body, text, said)
  const content = surface === 'converse' ? [{ text }] : text
  const { messages, inferenceConfig } = body
  const beginning = { role: 'assistant', content, ...prefill.message }
  const edits: Edit[] = [
    { name: 'messages', json: JSON.stringify([...(Array.isArray(messages) ? messages : []), beginning]) },
  ]
  for (const name of ['max_tokens', 'max_completion_tokens']) {
    const most = body[name]
    if (typeof most === 'number') edits.push({ name, json: JSON.stringify(left(most, said)) })
  }
  const limits: Json = Object(inferenceConfig)
  const most = limits['maxTokens']
  if (typeof most === 'number')
    edits.push({ name: 'inferenceConfig', json: JSON.stringify({ ...limits, maxTokens: left(most, said) }) })
  for (const [name, value] of Object.entries(prefill.fields ?? {})) edits.push({ name, json: JSON.stringify(value) })
  return edits
}

/** The same for Google's `generateContent`, whose members come in camelCase or in snake_case. */
function geminiEdits({ contents, generationConfig, generation_config }: Json, text: string, said: Transcript): Edit[] {
  const beginning = { role: 'model', parts: [{ text }] }
  const edits: Edit[] = [
    { name: 'contents', json: JSON.stringify([...(Array.isArray(contents) ? contents : []), beginning]) },
  ]
  const name = generationConfig === undefined ? 'generation_config' : 'generationConfig'
  const config: Json = Object(generationConfig ?? generation_config)
  for (const limit of ['maxOutputTokens', 'max_output_tokens']) {
    const most = config[limit]
    if (typeof most === 'number') edits.push({ name, json: JSON.stringify({ ...config, [limit]: left(most, said) }) })
  }
  return edits
}
