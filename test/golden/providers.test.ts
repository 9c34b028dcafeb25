/**
 * Golden cases of what is said to providers and how their answers are read: `test/golden/providers/FOLDER/CASE.yaml` (or `.json`), a case a
 * file. A folder belongs to a dialect of `dialects` below: a new one is one line there and one folder. `UPDATE=1` writes the outputs anew,
 * `UPDATE=FOLDER` those of one folder; review the difference, since what is written is what will be held to. An output that a case lacks
 * fails, so write inputs and run that.
 *
 * Every case has
 *   about        what it shows, as a sentence
 *   provenance   `recorded` (a real answer, trimmed), `documented` (from the provider's reference) or `constructed` (made up to its rules)
 *   source       where that is from: a URL, a published cassette, or the row of the design that asks for it
 * and may have
 *   target       another dialect than the folder's, for what we say to a provider and how its answers are read
 *   model        the provider's name of the model (`FOLDER-model`), `settings` of the provider, `capabilities` of the model
 * and one of these inputs, with its outputs:
 *
 *   request      a caller's body in the dialect `caller` (default `openai`); `asked` is what its path says ({model, stream})
 *     → sent       {path, headers?, body} for the provider, and `dropped`, the names of what could not be said (left out where empty)
 *     → canonical  in place of `sent` where the folder's dialect has no target; beside it where the case has the key already
 *     → refused    in place of both: the code and words of the failure
 *
 *   passes       {surface, body: text} of a caller that speaks the provider's own surface
 *     → sent       {path, body: text}, and `dropped`; nothing but "translated" where this very request is said anew
 *
 *   answer       a whole answer of the provider, as JSON
 *   stream       a streamed one as text (`stream: |+`, in double quotes where it has CRs), or
 *   base64       the same where it is binary
 *     → events     the canonical events in short: {type: what it holds}, without `choice: 0`, and usage without its zeros; a name alone
 *                  where the event holds nothing. Streams are read whole, byte by byte, and in two pieces, and must give the same.
 *     → malformed  after the events that came before it: the words of `Malformed`
 *     → callers    for each dialect that the case names under it (with any value): the caller's JSON, or its stream as text (or {base64});
 *                  `asking` has members of the canonical request that matter for it, such as {includeUsage: false}
 *
 *   error        {status, headers: {name: value}, body: text or JSON} of a provider that failed
 *     → code, retryAfter (ms), shouldRetry
 */
import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import test from 'node:test'
import { dump, load } from 'js-yaml'
import { Bytes } from '../../core/bytes.ts'
import type { ChatEvent, ChatRequest } from '../../core/chat.ts'
import { collect } from '../../core/collect.ts'
import { Malformed } from '../../core/dialects/dialect.ts'
import type { AnswerContext, ChatCaller, ChatTarget, Frame, Json, TargetContext } from '../../core/dialects/dialect.ts'
import type { Provider } from '../../core/providers/provider.ts'
import { Failure } from '../../core/errors.ts'
import { requestFields, splice } from '../../core/json-fields.ts'
import { classify } from '../../core/openai-errors.ts'
import { frameParser } from '../../core/framing.ts'
import { NO_USAGE } from '../../core/usage.ts'

interface Dialect {
  /** Loaded only where a case needs it. */
  readonly caller?: () => Promise<ChatCaller>
  readonly target?: (model: string, settings: Json) => Promise<ChatTarget>
  /** Whose failures have words of their own, or that wants what passes otherwise. */
  readonly provider?: () => Promise<Pick<Provider, 'classify' | 'native' | 'edits' | 'anew'>>
}

/** By the name of the folder: one line each. */
const dialects: Readonly<Record<string, Dialect>> = {
  bedrock: {
    caller: async () => (await import('../../core/dialects/bedrock/caller.ts')).bedrockCaller,
    target: async (model) => (await import('../../core/dialects/bedrock/target.ts')).bedrockTarget(model),
    provider: async () => (await import('../../core/providers/bedrock.ts')).bedrock,
  },
  cohere: {
    caller: async () => (await import('../../core/dialects/cohere/caller.ts')).cohereCaller,
    target: async () => (await import('../../core/dialects/cohere/target.ts')).cohereTarget,
    provider: async () => (await import('../../core/providers/cohere.ts')).cohere,
  },
  openai: {
    caller: async () => (await import('../../core/dialects/openai/caller.ts')).openaiCaller,
    target: async () => (await import('../../core/dialects/openai/target.ts')).openaiTarget,
  },
  anthropic: {
    caller: async () => (await import('../../core/dialects/anthropic/caller.ts')).anthropicCaller,
    target: async () => (await import('../../core/dialects/anthropic/target.ts')).anthropicTarget,
  },
  gemini: {
    caller: async () => (await import('../../core/dialects/gemini/caller.ts')).geminiCaller,
    target: async () => (await import('../../core/providers/gemini.ts')).gemini.chat(),
  },
  'vertex-ai': {
    target: async (model) => (await import('../../core/providers/vertex-ai.ts')).vertexAI.chat(model),
  },
  responses: {
    caller: async () => (await import('../../core/dialects/responses/caller.ts')).responsesCaller,
  },
  completions: {
    caller: async () => (await import('../../core/dialects/completions/caller.ts')).completionsCaller,
  },
  'azure-openai': {
    target: async (model, settings) =>
      (await import('../../core/providers/azure-openai.ts')).azureOpenAI.chat(model, settings),
    provider: async () => (await import('../../core/providers/azure-openai.ts')).azureOpenAI,
  },
  mistral: {
    target: async (model) => (await import('../../core/dialects/mistral/target.ts')).mistralChat(model),
    provider: async () => (await import('../../core/providers/mistral.ts')).mistral,
  },
  presets: {
    target: async (model, settings) =>
      (await import('../../core/providers/openai-compatible.ts')).openaiCompatible.chat(model, settings),
    provider: async () => (await import('../../core/providers/openai-compatible.ts')).openaiCompatible,
  },
  'openai-compatible': {
    target: async () => (await import('../../core/dialects/openai/target.ts')).compatibleTarget,
  },
}

const folder = join(import.meta.dirname, 'providers')
/** 2026-01-01T00:00:00Z. */
const WALL = 1_767_225_600_000
const PROVENANCES = ['recorded', 'documented', 'constructed']
const OUTPUTS = [
  'canonical',
  'sent',
  'dropped',
  'refused',
  'events',
  'malformed',
  'callers',
  'code',
  'retryAfter',
  'shouldRetry',
]
const INPUTS = ['request', 'passes', 'answer', 'stream', 'base64', 'error']
const KEYS = [
  'about',
  'provenance',
  'source',
  'target',
  'caller',
  'model',
  'settings',
  'capabilities',
  'asked',
  'asking',
  ...INPUTS,
  ...OUTPUTS,
]

for (const path of globSync('*/*.{yaml,json}', { cwd: folder }).sort()) {
  const name = dirname(path).split(sep)[0] ?? ''
  const file = join(folder, path)
  const given = load(readFileSync(file, 'utf8'))
  if (!isObject(given)) throw new Error(`${path} is no case`)
  test(`golden: ${path.replace(/\.\w+$/, '')}: ${text(given['about'])}`, async () => {
    const unknown = Object.keys(given).filter((key) => !KEYS.includes(key))
    assert.deepEqual(unknown, [], 'a case has only the keys that the comment of this test names')
    assert.ok(PROVENANCES.includes(text(given['provenance'])), `provenance is one of ${PROVENANCES.join(', ')}`)
    assert.ok(text(given['source']), 'a case names its source')
    const [input, ...others] = INPUTS.filter((key) => key in given)
    assert.ok(input !== undefined && others.length === 0, `a case has one of ${INPUTS.join(', ')}`)
    // What is compared is what JSON says.
    const output: unknown = JSON.parse(JSON.stringify(await outputs(input, given, name)))
    assert.ok(isObject(output))
    const inputs = Object.fromEntries(Object.entries(given).filter(([key]) => !OUTPUTS.includes(key)))
    if (process.env['UPDATE'] === '1' || process.env['UPDATE'] === name) {
      const whole = { ...inputs, ...output }
      const written = file.endsWith('.json')
        ? `${JSON.stringify(whole, undefined, 2)}\n`
        : dump(whole, { lineWidth: -1, noRefs: true })
      // Only where something is new: what a person wrote keeps its form and comments.
      if (!same(whole, given)) writeFileSync(file, written)
    }
    const held = load(readFileSync(file, 'utf8'))
    assert.ok(isObject(held))
    assert.deepEqual(output, Object.fromEntries(Object.entries(held).filter(([key]) => OUTPUTS.includes(key))))
  })
}

test('golden: every dialect that has golden cases is known', () => {
  const folders = new Set(globSync('*/*.{yaml,json}', { cwd: folder }).map((path) => dirname(path)))
  for (const name of folders) assert.ok(dialects[name], `add a line for ${name} to \`dialects\``)
})

async function outputs(input: string, given: Json, name: string): Promise<unknown> {
  const dialect = known(text(given['target']) || name)
  const model = text(given['model']) || `${name}-model`
  if (input === 'error') return failed(given['error'], dialect, object(given['settings']))
  if (input === 'passes') return passed(object(given['passes']), dialect, model, object(given['settings']))
  const context: TargetContext = {
    model,
    settings: object(given['settings']),
    capabilities: {
      contextWindow: undefined,
      maxOutputTokens: undefined,
      prefill: undefined,
      ...object(given['capabilities']),
    },
    requestId: 'req_golden',
  }
  if (input === 'request') return requested(given, dialect, context)
  const { target } = dialect
  assert.ok(target, 'answers are read by a target')
  const { events, malformed } = await read(input, given, await target(model, context.settings), context)
  const callers: Record<string, unknown> = {}
  for (const caller of Object.keys(object(given['callers'])))
    callers[caller] = await answered(caller, input === 'answer', events, given)
  return {
    events: events.map(short),
    ...(malformed === undefined ? {} : { malformed }),
    ...(Object.keys(callers).length > 0 ? { callers } : {}),
  }
}

async function requested(given: Json, dialect: Dialect, context: TargetContext): Promise<unknown> {
  const { caller } = known(text(given['caller']) || 'openai')
  assert.ok(caller, 'requests are read by a caller')
  const asked = object(given['asked'])
  try {
    const canonical = (await caller()).read(object(given['request']), {
      model: typeof asked['model'] === 'string' ? asked['model'] : undefined,
      stream: typeof asked['stream'] === 'boolean' ? asked['stream'] : undefined,
    })
    if (!dialect.target) return { canonical }
    const {
      path,
      headers = [],
      body,
      dropped,
    } = (await dialect.target(context.model, context.settings)).write(canonical, context)
    const pairs = headers.flatMap((value, i) => (i % 2 === 0 ? [[value, headers[i + 1]]] : []))
    return {
      ...('canonical' in given ? { canonical } : {}),
      sent: { path, ...(pairs.length > 0 ? { headers: Object.fromEntries(pairs) } : {}), body },
      ...(dropped.length > 0 ? { dropped } : {}),
    }
  } catch (error) {
    if (error instanceof Failure) return { refused: { code: error.code, words: error.message } }
    throw error
  }
}

interface Read {
  readonly events: readonly ChatEvent[]
  readonly malformed?: string
}

async function read(input: string, given: Json, target: ChatTarget, context: TargetContext): Promise<Read> {
  if (input === 'answer')
    try {
      return { events: target.read(given['answer'], context) }
    } catch (error) {
      if (error instanceof Malformed) return { events: [], malformed: error.message }
      throw error
    }
  const bytes = Buffer.from(text(given[input]), input === 'base64' ? 'base64' : 'utf8')
  const whole = streamed(target, context, [bytes])
  assert.deepEqual(
    streamed(
      target,
      context,
      [...bytes].map((byte) => Buffer.of(byte)),
    ),
    whole,
    'byte by byte',
  )
  const step = Math.max(1, Math.floor(bytes.length / 100))
  for (let at = 1; at < bytes.length; at += step)
    assert.deepEqual(
      streamed(target, context, [bytes.subarray(0, at), bytes.subarray(at)]),
      whole,
      `split at byte ${at}`,
    )
  return whole
}

function streamed(target: ChatTarget, context: TargetContext, chunks: readonly Buffer[]): Read {
  const events: ChatEvent[] = []
  try {
    const reader = target.reader(context)
    for (const frame of frames(target, chunks)) events.push(...reader.read(frame))
    events.push(...reader.end())
    return { events }
  } catch (error) {
    if (error instanceof Malformed) return { events, malformed: error.message }
    throw error
  }
}

function* frames(target: ChatTarget, chunks: readonly Buffer[]): Generator<Frame> {
  const parser = frameParser(target.framing)
  for (const chunk of chunks) for (const frame of parser.push(chunk)) if (!frame.empty) yield frame
  const rest = parser.end()
  if (rest && !rest.empty) yield rest
}

async function answered(name: string, whole: boolean, events: readonly ChatEvent[], given: Json): Promise<unknown> {
  const { caller } = known(name)
  assert.ok(caller, `${name} has no caller`)
  const request: ChatRequest = {
    model: 'asked-model',
    messages: [],
    tools: [],
    stream: !whole,
    includeUsage: true,
    unread: [],
    ...object(given['asking']),
  }
  const context: AnswerContext = { request, requestId: 'req_golden', now: WALL / 1000 }
  if (whole) return (await caller()).answer(collect(events), context)
  const writer = (await caller()).writer(context)
  const error = events.find(({ type }) => type === 'error')
  const parts = events.filter(({ type }) => type !== 'error').map((event) => writer.write(event))
  const last = error
    ? writer.fail(new Failure('upstream_error'), 'The target answered with an error.', 'req_golden')
    : writer.end()
  const bytes = Buffer.concat([...parts, last])
  return isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') }
}

async function passed(given: Json, { provider }: Dialect, model: string, settings: Json): Promise<unknown> {
  const own = await provider?.()
  assert.ok(own, 'bodies pass to a provider')
  const [surface, body] = [text(given['surface']), new Bytes([Buffer.from(text(given['body']))])]
  const fields = requestFields(body)
  const native = own.native(surface, model, fields.stream, settings)
  if (own.anew?.(surface, model, body, fields, settings) || !native) return { sent: 'translated' }
  const edits = own.edits?.(surface, body, fields, settings, model) ?? []
  const said = splice(body, fields.fields, edits)
  const dropped = edits.flatMap(({ lost = [] }) => lost)
  const sent = { path: native.path, body: said.slice(0, said.length).toString() }
  return { sent, ...(dropped.length > 0 ? { dropped } : {}) }
}

async function failed(error: unknown, { provider }: Dialect, settings: Json): Promise<unknown> {
  const { status, headers, body } = object(error)
  assert.ok(typeof status === 'number', 'an error has a status')
  const flat = Object.entries(object(headers)).flatMap(([name, value]) => [name, String(value)])
  const words = typeof body === 'string' ? body : JSON.stringify(body ?? '')
  const own = await provider?.()
  return own?.classify?.(status, flat, words, WALL, settings) ?? classify(status, flat, words, WALL)
}

function short(event: ChatEvent): unknown {
  const { type, ...rest } = event
  const entries = Object.entries(rest).filter(
    ([key, value]) => value !== undefined && !(key === 'choice' && value === 0),
  )
  const [only] = entries
  if (!only) return type
  if (event.type === 'usage')
    return { usage: Object.fromEntries(Object.entries(event.usage).filter(([key, value]) => !isZero(key, value))) }
  return { [type]: entries.length === 1 && only[0] !== 'choice' ? only[1] : Object.fromEntries(entries) }
}

/** Input and output are always shown. */
const isZero = (key: string, value: unknown): boolean =>
  value === 0 && key in NO_USAGE && key !== 'input' && key !== 'output'

function known(name: string): Dialect {
  const dialect = dialects[name]
  assert.ok(dialect, `add a line for ${name} to \`dialects\``)
  return dialect
}

function same(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b)
    return true
  } catch {
    return false
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function object(value: unknown): Json {
  return isObject(value) ? value : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
