import type { Bytes } from '../bytes.ts'
import type { Json } from '../dialects/dialect.ts'
import type { Exchange } from '../exchange.ts'
import { splice } from '../json-fields.ts'
import type { Target } from '../target.ts'
import { LIMIT_FIELDS } from './bound.ts'

/** Where each dialect that callers speak says how long an answer may be; what stands behind the point is a member of the field. */
const PLACES: Readonly<Record<string, readonly [field: string, member?: string]>> = {
  completions: ['max_tokens'],
  responses: ['max_output_tokens'],
  messages: ['max_tokens'],
  cohere_chat: ['max_tokens'],
  generate_content: ['generationConfig', 'maxOutputTokens'],
  generate_content_list: ['generationConfig', 'maxOutputTokens'],
  converse: ['inferenceConfig', 'maxTokens'],
}

/** The body with a limit on the length of its answer, where neither the caller nor the endpoint sets one; undefined: it is as it should be. */
export function capped(exchange: Exchange, target: Target, most: number): Bytes | undefined {
  const { surface, fields, body, json, signals } = exchange
  const place = surface.name === 'chat' ? chatPlace(exchange, target) : PLACES[surface.name]
  if (!fields || !place || signals.maxTokens !== undefined) return undefined
  const { defaults, force } = target.model
  if ([...defaults, ...force].some(({ name }) => LIMIT_FIELDS.has(name))) return undefined
  const [field, member] = place
  const before = json[field]
  const inside = typeof before === 'object' && before !== null ? (before as Json) : {} // an object, or it is replaced by one
  const value = member === undefined ? most : { ...inside, [member]: most }
  return splice(body, fields.fields, [{ name: field, json: JSON.stringify(value) }])
}

/** Models that think take `max_completion_tokens` alone, and many servers know `max_tokens` alone: as the provider itself would be told. */
function chatPlace({ facts }: Exchange, { endpoint, model }: Target): readonly [field: string] {
  const name = model.name === '*' ? facts.requestedModel : model.name
  const { provider, settings } = endpoint
  const asked = { model: name, settings, capabilities: model.capabilities, requestId: '' }
  const written = provider.chat?.(name, settings).write(PROBE, asked).body
  const says = typeof written === 'object' && written !== null && 'max_completion_tokens' in written
  return [says ? 'max_completion_tokens' : 'max_tokens']
}

const PROBE = {
  model: '',
  messages: [{ role: 'user', content: [{ type: 'text', text: '.' }] }],
  tools: [],
  maxTokens: 1,
  stream: false,
  includeUsage: false,
  unread: [],
} as const
