import type { Bytes } from '../bytes.ts'
import { Failure } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { InvalidJson, requestFields } from '../json-fields.ts'
import { modelReply } from '../models.ts'
import type { Handler, Prepared } from '../pipeline.ts'
import type { RouteTable } from '../routes.ts'

/** Finds the rule for a request and hands it to the rule's own layers. Reads no more of the body than its top-level fields. */
export const route =
  (table: RouteTable<Prepared>): Handler =>
  (exchange) => {
    try {
      const { operation } = exchange.surface
      if (operation === 'models') return Promise.resolve(modelReply(table, exchange.path))
      const handler = operation === 'opaque' ? passThrough(table, exchange) : byModel(table, exchange)
      return handler(exchange)
    } catch (error) {
      return Promise.reject(error)
    }
  }

function byModel(table: RouteTable<Prepared>, exchange: Exchange): Handler {
  const { facts } = exchange
  exchange.fields = readFields(exchange.body)
  const { found: asked, fields } = exchange
  const model = asked.model ?? fields.model
  if (model === undefined || model === '') throw new Failure('model_required')
  facts.requestedModel = model
  facts.stream = asked.stream ?? fields.stream
  // A path that is passed through needs no route that has the model.
  if (!table.has(model) && table.findPassThrough(exchange)) return passThrough(table, exchange)
  const found = table.routeOf(model)
  facts.route = found.name
  return table.ruleOf(found, exchange).entry.handle
}

function passThrough(table: RouteTable<Prepared>, exchange: Exchange): Handler {
  const found = table.passThrough(exchange)
  exchange.facts.route = found.route.name
  return found.rule.entry.handle
}

function readFields(body: Bytes) {
  try {
    return requestFields(body)
  } catch (error) {
    if (error instanceof InvalidJson) throw new Failure('invalid_json', { detail: `${error.message}.`, cause: error })
    throw error
  }
}
