import type { Answering, Keep } from './answering.ts'
import { converting, passing, translating } from './answering.ts'
import { Bytes } from './bytes.ts'
import type { Call } from './deps.ts'
import { Malformed } from './dialects/dialect.ts'
import type { Json, Outgoing, TargetContext } from './dialects/dialect.ts'
import { Failure } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { overheard } from './gate/overhear.ts'
import { headerOf, requestHeaders } from './headers.ts'
import { askForUsage, requestFields, splice } from './json-fields.ts'
import type { Edit, Removal, RequestFields } from './json-fields.ts'
import { InvalidForm, spliceForm } from './multipart.ts'
import type { NativeCall } from './providers/provider.ts'
import { joinQuery } from './query.ts'
import { ownKey } from './own-key.ts'
import { refusesEmpty } from './rescue/empty.ts'
import { rejoin } from './rescue/rejoin.ts'
import type { Rejoining } from './rescue/rejoin.ts'
import type { Surface } from './surfaces/surface.ts'
import type { Endpoint, Target } from './target.ts'

/** What goes to a target, from the caller's own bytes each time: never from what went to another. */
export interface Translated {
  readonly call: Call
  /** The model's name as the provider gets it; empty where it gets none. */
  readonly model: string
  /** Undefined: the answer passes on unseen. */
  readonly answering: Answering | undefined
  /** Request fields that could not be said to the target. */
  readonly dropped: readonly string[]
}

type Clock = () => number

const NOTHING: readonly string[] = []

/**
 * The call of a target. Where it speaks the caller's own surface, the body keeps its bytes but for the model's name and the endpoint's
 * parameters; otherwise all is said anew in its dialect. `now` is the clock that `facts.started` is of, ms. Throws `invalid_request`, `not_translatable`, `operation_not_supported`, `key_elsewhere`.
 */
export function translate(exchange: Exchange, target: Target, now: Clock): Translated {
  const { endpoint, model } = target
  const { facts, fields, surface } = exchange
  const { provider, settings } = endpoint
  if (provider.opaque || !fields) {
    const headers = headersFor(exchange, endpoint)
    const path = endpoint.basePath + exchange.path + exchange.query
    const call = { method: exchange.method, path, headers, body: exchange.body }
    return { call, model: '', answering: undefined, dropped: NOTHING }
  }
  const name = model.name === '*' ? facts.requestedModel : model.name
  const native = provider.anew?.(surface.name, name, exchange.body, fields, settings)
    ? undefined
    : provider.native(surface.name, name, facts.stream, settings, exchange.found)
  const again = exchange.resume && rejoin(exchange, target, name)
  // Of an answer that two targets have a part in, nobody hears all.
  if (again) exchange.ear?.lose()
  else exchange.ear?.begin()
  return native ? pass(exchange, target, name, native, again) : convert(exchange, target, name, again, now)
}

/** The caller's bytes with the model's name and parameters spliced in. */
function pass(
  exchange: Exchange,
  { id, endpoint, model }: Target,
  name: string,
  native: NativeCall,
  again: Rejoining | undefined,
): Translated {
  const { facts, surface, found } = exchange
  const { fields, sent } = beginning(exchange, again)
  const { provider, settings } = endpoint
  const headers = headersFor(exchange, endpoint)
  if (native.headers) headers.push(...native.headers)
  const { unlessGiven = [] } = native
  for (let i = 0; i < unlessGiven.length; i += 2)
    if (headerOf(headers, unlessGiven[i] ?? '') === '') headers.push(unlessGiven[i] ?? '', unlessGiven[i + 1] ?? '')
  const hideUsage = surface.usageOption === true && facts.stream && !fields.includeUsage
  const { usageUnasked } = provider
  const asks = hideUsage && !(typeof usageUnasked === 'function' ? usageUnasked(settings) : usageUnasked)
  const path = endpoint.basePath + joinQuery(native.path, exchange.query)
  // What is only asked about has no body to edit.
  if (found.method === 'GET') {
    const call = { method: exchange.method, path, headers, body: sent }
    const answering = passing(surface, { hideUsage, choices: fields.choices })
    return { call, model: name, answering, dropped: NOTHING }
  }
  let edits: (Edit | Removal)[] = []
  if (found.model === undefined && !native.modelInPath && name !== fields.model)
    edits.push({ name: 'model', json: JSON.stringify(name) })
  // A default for the options of a stream gives way to ours, as it would to the caller's.
  for (const edit of model.defaults) if (!asks || edit.name !== 'stream_options') edits.push(edit)
  for (const edit of model.force) edits.push(edit)
  if (asks && !model.force.some((edit) => edit.name === 'stream_options')) edits.push(askForUsage(sent, fields.fields))
  const { ear } = exchange
  // OpenAI's chat is the only dialect that callers speak whose log-probabilities are one field.
  const hides = ear?.wantsLogprobs === true && surface.name === 'chat'
  if (hides && !edits.some((edit) => edit.name === 'logprobs')) edits.push({ name: 'logprobs', json: 'true' })
  let dropped = NOTHING
  if (provider.edits) {
    const own = provider.edits(surface.name, sent, fields, settings, name)
    if (own.length > 0) {
      edits = together(own, edits)
      dropped = own.flatMap(({ lost = NOTHING }) => lost)
      refuse(dropped, exchange, id)
    }
  }
  const passes = passing(surface, { hideUsage, choices: fields.choices, keep: keeping(exchange) })
  const body = edits.length === 0 ? sent : fields.form ? form(sent, fields, edits) : splice(sent, fields.fields, edits)
  return {
    call: { method: exchange.method, path, headers, body },
    model: name,
    answering: again
      ? rejoined(surface, again)
      : passes && ear && surface.watch
        ? overheard(passes, surface.watch, { ear, hides })
        : passes,
    dropped,
  }
}

/** Those of the caller and the endpoint, and the caller's own key where that is passed through. Throws `key_elsewhere`. */
function headersFor(exchange: Exchange, endpoint: Endpoint, foreign = false): string[] {
  const headers = requestHeaders(exchange.headers, endpoint, exchange.facts.requestId, foreign)
  if (endpoint.authorization === 'passthrough') headers.push(...ownKey(exchange, endpoint))
  return headers
}

/** The caller's body; with the beginning of the answer in it where the target is to go on with that. */
function beginning(
  { fields, body }: Exchange,
  again: Rejoining | undefined,
): { readonly fields: RequestFields; readonly sent: Bytes } {
  if (!fields) throw new Error('the request was not read')
  if (!again || again.edits.length === 0) return { fields, sent: body }
  const sent = splice(body, fields.fields, again.edits)
  return { fields: requestFields(sent), sent }
}

/** What comes is read as the surface's own answers are. */
function rejoined({ watch }: Surface, again: Rejoining): Answering {
  if (!watch) throw new Failure('operation_not_supported', { detail: 'Its answers cannot be joined.' })
  return again.answering(watch.framing, () => watch.reader())
}

/** What has to be kept of a streamed answer, so that another target can go on with it: nothing where there is no other. */
function keeping(exchange: Exchange): Keep | undefined {
  const { facts, candidates, rule, surface, until } = exchange
  if (!facts.stream || !surface.chat || candidates.length < 2) return undefined
  return rule?.rescue === 'Off' && until === 'event' ? undefined : { refusesEmpty: () => refusesEmpty(exchange) }
}

/** The provider's edits of what the caller said, and the endpoint's own, which are in the provider's words and win over them. */
function together(provider: readonly (Edit | Removal)[], own: readonly (Edit | Removal)[]): (Edit | Removal)[] {
  const edits = new Map(provider.map((edit) => [edit.name, edit]))
  for (const edit of own) {
    const before = edits.get(edit.name)
    const absent = edit.json !== undefined && edit.onlyIfAbsent
    // A default stands where the caller's field was taken out.
    if (!absent || !before) edits.set(edit.name, edit)
    else if (before.json === undefined) edits.set(edit.name, { name: edit.name, json: edit.json })
  }
  return [...edits.values()]
}

function form(sent: Bytes, fields: RequestFields, edits: readonly (Edit | Removal)[]): Bytes {
  try {
    return spliceForm(sent, fields, edits)
  } catch (error) {
    if (error instanceof InvalidForm)
      throw new Failure('invalid_request', { detail: `${error.message}.`, cause: error })
    throw error
  }
}

/** Throws where the rule wants nothing left out. */
function refuse(dropped: readonly string[], { rule }: Exchange, target: string): void {
  if (dropped.length > 0 && rule?.onUnsupported === 'Fail')
    throw new Failure('not_translatable', {
      detail: `${target} does not take: ${dropped.join(', ')}. The rule has onUnsupported: Fail.`,
    })
}

/** The request in the target's own dialect. */
function convert(
  exchange: Exchange,
  target: Target,
  name: string,
  again: Rejoining | undefined,
  now: Clock,
): Translated {
  const { endpoint, model } = target
  const { facts } = exchange
  const asked: TargetContext = {
    model: name,
    settings: endpoint.settings,
    capabilities: model.capabilities,
    requestId: facts.requestId,
  }
  const { out, answering, unread } = say(exchange, target, asked, again, now)
  const lost = [...unread, ...out.dropped]
  // What the caller did not ask for is nothing that it misses.
  const dropped = exchange.ear?.wantsLogprobs ? lost.filter((field) => field !== 'logprobs') : lost
  refuse(dropped, exchange, target.id)
  // Parameters are the provider's own words.
  const written = out.body as Json // writers make objects
  const body: Record<string, unknown> = { ...(again ? again.body(written) : written) }
  for (const { name: field, json } of model.defaults) body[field] ??= JSON.parse(json)
  for (const { name: field, json } of model.force) body[field] = JSON.parse(json)
  const headers = headersFor(exchange, endpoint, true)
  headers.push('content-type', 'application/json')
  if (out.headers) headers.push(...out.headers)
  const bytes = new Bytes([Buffer.from(JSON.stringify(body))])
  return {
    call: { method: 'POST', path: endpoint.basePath + out.path, headers, body: bytes },
    model: name,
    answering,
    dropped,
  }
}

interface Said {
  readonly out: Outgoing
  readonly answering: Answering
  readonly unread: readonly string[]
}

function say(
  exchange: Exchange,
  { id, endpoint }: Target,
  asked: TargetContext,
  again: Rejoining | undefined,
  now: Clock,
): Said {
  const { surface, facts } = exchange
  const { provider, settings } = endpoint
  const { model } = asked
  if (surface.chat && provider.chat) {
    const caller = surface.chat
    const { ear } = exchange
    const asks = again?.request ?? exchange.read(caller)
    const request = ear?.wantsLogprobs ? { ...asks, logprobs: true } : asks
    const target = provider.chat(model, settings)
    // Whichever attempt says it, it is one answer.
    const elapsed = () => Math.round(now() - facts.started)
    const answer = { request, requestId: facts.requestId, now: Math.floor(facts.wall / 1000), elapsed }
    return {
      out: target.write(request, asked),
      answering: again
        ? again.answering(target.framing, () => target.reader(asked))
        : translating({ caller, target, answer, asked, surface, keep: keeping(exchange), ear }),
      unread: request.unread,
    }
  }
  const embeddings = surface.embeddings && provider.embeddings?.(model, settings)
  if (surface.embeddings && embeddings) {
    const caller = surface.embeddings
    const request = exchange.read(caller)
    const answering = converting((body) => {
      const answer = embeddings.read(body, request, asked)
      if (answer.vectors.length !== request.input.length) throw new Malformed('It has not one vector for each input.')
      return { said: caller.answer(answer, request, facts.requestId), usage: answer.usage }
    })
    return { out: embeddings.write(request, asked), answering, unread: request.unread }
  }
  const rerank = surface.rerank && provider.rerank?.(model, settings)
  if (surface.rerank && rerank) {
    const caller = surface.rerank
    const request = exchange.read(caller)
    const answering = converting((body) => {
      const answer = rerank.read(body, request, asked)
      return { said: caller.answer(answer, request, facts.requestId), usage: answer.usage }
    })
    return { out: rerank.write(request, asked), answering, unread: request.unread }
  }
  throw new Failure('operation_not_supported', { detail: `${id} (${provider.type}) has nothing for ${exchange.path}.` })
}
