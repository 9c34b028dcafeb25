import type { ChatEvent, ChatRequest } from '../../chat.ts'
import { Malformed } from '../dialect.ts'
import type { ChatTarget, Json, Outgoing, TargetContext } from '../dialect.ts'
import { traitsOf } from './model-traits.ts'
import { GeminiReader } from './reader.ts'
import { writeContents } from './write-contents.ts'
import { generationConfig, writeTools } from './write-request.ts'

/** Where the same API lives. */
export interface Host {
  /** The path of a model, from the slash on. */
  path(model: string, settings: Json): string
  /** It has to be told the type of what a URL holds, and takes labels. */
  readonly vertex: boolean
}

/** `serviceTier`: https://ai.google.dev/gemini-api/docs/flex-inference */
const tiers: Readonly<Record<string, string>> = { flex: 'flex', priority: 'priority', default: 'standard' }

/** The Gemini API's `generateContent` and `streamGenerateContent`: https://ai.google.dev/api/generate-content */
export function geminiTarget(host: Host): ChatTarget {
  return {
    artefacts: ['gemini'],
    framing: 'sse',
    write: (request, context) => write(request, context, host),
    read: (body, { requestId }) => readWhole(body, requestId),
    reader: ({ requestId }) => new GeminiReader(requestId),
  }
}

/** The events of a whole answer, which may be a list of chunks. Throws `Malformed`. */
export function readWhole(body: unknown, requestId: string): readonly ChatEvent[] {
  const reader = new GeminiReader(requestId)
  const chunks: readonly unknown[] = Array.isArray(body) ? body : [body]
  const events = chunks.flatMap((chunk) => reader.chunk(chunk))
  if (events.some(({ type }) => type === 'error')) return events
  const end = reader.end()
  if (end.length === 0) throw new Malformed('It has no candidate with a finish reason.')
  return [...events, ...end]
}

function write(request: ChatRequest, { model, settings }: TargetContext, host: Host): Outgoing {
  const traits = traitsOf(model)
  const dropped: string[] = []
  const { contents, systemInstruction } = writeContents(request.messages, { traits, strict: host.vertex, dropped })
  const config = generationConfig(request, traits, dropped)
  const tier = request.serviceTier === undefined ? undefined : tiers[request.serviceTier]
  if (request.serviceTier !== undefined && request.serviceTier !== 'auto' && !tier) dropped.push('serviceTier')
  const labels = host.vertex ? labelsOf(request.metadata) : undefined
  if (request.metadata && !labels) dropped.push('metadata')
  const method = request.stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
  return {
    path: `${host.path(model, settings)}:${method}`,
    body: {
      ...(systemInstruction ? { systemInstruction } : {}),
      contents,
      ...writeTools(request, traits, dropped),
      ...(config ? { generationConfig: config } : {}),
      ...(tier ? { serviceTier: tier } : {}),
      ...(labels ? { labels } : {}),
    },
    dropped,
  }
}

/** https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/projects.locations.endpoints/generateContent#request-body */
const LABEL = /^[\p{Ll}\p{Lo}\d_-]{0,63}$/u

/** Metadata as the labels that bills are told apart by, where all of it keeps their rules. */
function labelsOf(metadata: ChatRequest['metadata']): Json | undefined {
  const all = Object.entries(metadata ?? {})
  const good = all.every(([name, value]) => LABEL.test(name) && /^[\p{Ll}\p{Lo}]/u.test(name) && LABEL.test(value))
  return all.length > 0 && all.length <= 64 && good ? metadata : undefined
}

/** The path of a model of the Gemini API, which callers may name with its kind (`tunedModels/…`). */
export function modelPath(model: string): string {
  const [kind, name] = /^(models|tunedModels)\/(.+)$/.exec(model)?.slice(1) ?? ['models', model]
  return `/v1beta/${kind}/${encodeURIComponent(name ?? model)}`
}
