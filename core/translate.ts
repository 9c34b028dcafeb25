import type { Call } from './deps.ts'
import type { Exchange } from './exchange.ts'
import { requestHeaders } from './headers.ts'
import { askForUsage, splice } from './json-fields.ts'
import type { Edit } from './json-fields.ts'
import type { Target } from './target.ts'

/** What goes to a target, from the caller's own bytes each time: never from what went to another. */
export interface Translated {
  readonly call: Call
  /** The model's name as the provider gets it; empty where it gets none. */
  readonly model: string
  /** Usage was asked for on our own account, and its event is not the caller's to see. */
  readonly hideUsage: boolean
}

/** The call of a target: its path, its headers, and the body with the model's name and parameters spliced in. */
export function translate(exchange: Exchange, target: Target, traceparent: string | undefined): Translated {
  const { endpoint, model } = target
  const { facts, fields, surface } = exchange
  const headers = requestHeaders(exchange.headers, endpoint, {
    requestId: facts.requestId,
    traceparent,
    tracestate: facts.tracestate,
  })
  if (endpoint.dialect === 'opaque' || !fields) {
    const path = endpoint.basePath + exchange.path + exchange.query
    return { call: { method: exchange.method, path, headers, body: exchange.body }, model: '', hideUsage: false }
  }
  const asked = facts.requestedModel
  const name = model.name === '*' ? asked : model.name
  const hideUsage = fields.stream && !fields.includeUsage && surface !== 'embeddings'
  const edits: Edit[] = []
  if (name !== asked) edits.push({ name: 'model', json: JSON.stringify(name) })
  // A default for the options of a stream gives way to ours, as it would to the caller's.
  for (const edit of model.defaults) if (!hideUsage || edit.name !== 'stream_options') edits.push(edit)
  for (const edit of model.force) edits.push(edit)
  if (hideUsage && !model.force.some((edit) => edit.name === 'stream_options'))
    edits.push(askForUsage(exchange.body, fields.fields))
  const body = edits.length === 0 ? exchange.body : splice(exchange.body, fields.fields, edits)
  // The base URL is what the provider's SDK takes, `/v1` included: the surface's own path comes after it.
  const path = endpoint.basePath + exchange.path.slice('/v1'.length) + exchange.query
  return { call: { method: exchange.method, path, headers, body }, model: name, hideUsage }
}
