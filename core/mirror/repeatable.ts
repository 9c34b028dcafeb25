import type { Json } from '../dialects/dialect.ts'
import type { Exchange } from '../exchange.ts'
import type { Skip } from './skip.ts'

/** What is kept at a provider, or was: a request that rests on it means nothing elsewhere, and one that adds to it would add twice. */
const STATE = [
  'previous_response_id',
  'conversation',
  'conversation_id',
  'background',
  'container',
  'cachedContent',
  'cached_content',
  'mcp_servers',
] as const
/** What the provider does besides answering, for money or to something: searches, connectors, guardrails, other models. */
const DOES = ['web_search_options', 'search_parameters', 'connectors', 'plugins', 'models', 'guardrailConfig'] as const
/** For another price than the list's, or for more tokens than its limit: faster or nearer machines, predictions that did not come true, other hosts. */
const DEARER = ['speed', 'inference_geo', 'performanceConfig', 'prediction', 'provider'] as const
/** Tools that the caller runs, by their type: functions, and Anthropic's that are run at home. */
const CALLERS = /^(function|custom)$|^(bash|text_editor|computer|memory)_\d/
/** Larger bodies are not sent twice, bytes. */
const LARGEST = 1024 * 1024

/** Why a request cannot be sent once more with nothing but an answer to come of it, at a price that is known; undefined where it can. */
export function unrepeatable(exchange: Exchange): Skip | undefined {
  const { surface, body, fields } = exchange
  if ((!surface.chat && !surface.embeddings) || !fields || fields.form) return 'operation'
  if (body.length > LARGEST) return 'too_large'
  const { json, signals } = exchange
  const { store } = json
  if (store === true || (surface.operation === 'responses' && store !== false)) return 'stateful'
  // A prompt by its id at the provider.
  if (surface.operation === 'responses' && isObject(json['prompt'])) return 'stateful'
  if ([...STATE, ...DOES].some((name) => isSet(json[name]))) return 'stateful'
  if (hosted(json)) return 'stateful'
  const tier = json['service_tier'] ?? json['serviceTier']
  if (DEARER.some((name) => isSet(json[name])) || (typeof tier === 'string' && /priority|scale/.test(tier)))
    return 'unbounded'
  // What these come to in tokens, no size of theirs says.
  for (const medium of ['Image', 'Audio', 'File'] as const) if (signals.inputs.has(medium)) return 'unbounded'
  return undefined
}

/** Whether a tool is run by the provider. */
function hosted(json: Json): boolean {
  const { tools, toolConfig } = json
  const inside = isObject(toolConfig) ? toolConfig['tools'] : undefined
  return [...listOf(tools), ...listOf(inside)].some((tool) => {
    if (!isObject(tool)) return true
    const { type } = tool
    if (typeof type === 'string') return !CALLERS.test(type)
    // Anthropic's and Cohere's have a name, Gemini's and Bedrock's say what they are by their member.
    if ('name' in tool) return false
    return Object.keys(tool).some((name) => !OWN.has(name))
  })
}
const OWN: ReadonlySet<string> = new Set([
  'functionDeclarations',
  'function_declarations',
  'function',
  'toolSpec',
  'cachePoint',
])

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== false
