import type { Deps } from '../deps.ts'
import { Failure } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { feedbackReply } from '../feedback/reply.ts'
import { modelReply } from '../models.ts'
import type { Handler, Prepared } from '../pipeline.ts'
import { readFields } from '../read-body.ts'
import type { RouteTable } from '../routes.ts'
import { healthReply } from '../surfaces/health.ts'

/** Finds the rule for a request and hands it to the rule's own layers. Reads no more of the body than its top-level fields. */
export const route =
  (table: RouteTable<Prepared>, deps: Pick<Deps, 'feedback' | 'now'>): Handler =>
  (exchange) => {
    try {
      const { operation } = exchange.surface
      if (operation === 'models') return Promise.resolve(modelReply(table, exchange.path))
      if (operation === 'feedback') return Promise.resolve(feedbackReply(exchange, deps))
      if (operation === 'health') return Promise.resolve(healthReply(exchange.path))
      const { handle } = operation === 'opaque' ? passThrough(table, exchange) : routeByModel(table, exchange)
      return handle(exchange)
    } catch (error) {
      return Promise.reject(error)
    }
  }

/** The rule's entry for a request that names a model; throws what says why there is none. */
export function routeByModel<Entry>(table: RouteTable<Entry>, exchange: Exchange): Entry {
  const { facts } = exchange
  exchange.fields = readFields(exchange)
  const { found: asked, fields, surface } = exchange
  const model = asked.model ?? fields.model ?? surface.defaultModel
  if (model === undefined || model === '') throw new Failure('model_required')
  facts.requestedModel = model
  facts.stream = asked.stream ?? fields.stream
  // A path that is passed through needs no route that has the model.
  if (!table.has(model) && table.findPassThrough(exchange)) return passThrough(table, exchange)
  const found = table.routeOf(model)
  facts.route = found.name
  return table.ruleOf(found, exchange).entry
}

function passThrough<Entry>(table: RouteTable<Entry>, exchange: Exchange): Entry {
  const found = table.passThrough(exchange)
  exchange.facts.route = found.route.name
  return found.rule.entry
}
