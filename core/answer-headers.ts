import type { Facts } from './exchange.ts'

/** What every answer says of how it came about; a flat list of names and values. */
export function answerHeaders(facts: Facts): string[] {
  const { requestId, route, rule, endpoint, model, attempts } = facts
  const headers = ['x-request-id', requestId, 'x-tradewind-attempts', String(attempts.length)]
  if (route !== '') headers.push('x-tradewind-route', route, 'x-tradewind-rule', rule)
  if (endpoint !== '') headers.push('x-tradewind-endpoint', endpoint)
  if (model !== '') headers.push('x-tradewind-model', PLAIN.test(model) ? model : encodeURIComponent(model))
  if (facts.dropped.length > 0) headers.push('x-tradewind-dropped', facts.dropped.join(', ').replace(UNPRINTABLE, '?'))
  return headers
}

/** What a header's value may hold. */
const PLAIN = /^[\x20-\x7e]*$/
const UNPRINTABLE = /[^\x20-\x7e]/g
