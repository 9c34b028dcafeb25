import { totalCost, usd } from './cost.ts'
import type { Facts } from './exchange.ts'
import type { GateFacts } from './gate/facts.ts'

/** What every answer says of how it came about; a flat list of names and values. What a stream cost is known when it has ended. */
export function answerHeaders(facts: Facts, streamed: boolean): string[] {
  const { requestId, route, rule, endpoint, model, attempts } = facts
  const headers = ['x-request-id', requestId, 'x-tradewind-attempts', String(attempts.length)]
  if (route !== '') headers.push('x-tradewind-route', route, 'x-tradewind-rule', rule)
  if (endpoint !== '') headers.push('x-tradewind-endpoint', endpoint)
  if (model !== '') headers.push('x-tradewind-model', PLAIN.test(model) ? model : encodeURIComponent(model))
  if (facts.experiment !== undefined) headers.push('x-tradewind-experiment', facts.experiment)
  const reason = reasonOf(facts)
  if (reason !== '') headers.push('x-tradewind-reason', reason)
  if (facts.dropped.length > 0) headers.push('x-tradewind-dropped', facts.dropped.join(', ').replace(UNPRINTABLE, '?'))
  const cost = streamed ? undefined : totalCost(attempts)
  if (cost !== undefined) headers.push(COST, usd(cost))
  return headers
}

/** Why this target answered: what put the first one first, then why others were asked after it; and that something failed on purpose. */
function reasonOf({ reason, attempts, gate }: Facts): string {
  const words: string[] = gate ? [reason, ...gateWords(gate)] : [reason]
  if (attempts.some(({ injected }) => injected)) words.push('fault_injected')
  if (words[0] === '') words.shift()
  if (attempts.length < 2) return words.join(', ')
  const whys = new Set(attempts.map(({ why }) => why))
  whys.delete('chosen')
  return [...words, ...whys].join(', ')
}

/** What the gate did that nobody would expect: it left the cheap target out, or gave an answer that it found wanting. */
function gateWords({ direct, reason, answers, final }: GateFacts): readonly string[] {
  const last = answers.at(-1)
  const wanting = last?.target === final && last.findings.some(({ failed }) => failed) && reason !== 'audited'
  return [...(direct ? [direct] : []), ...(wanting ? [`gate_${reason}`] : [])]
}

/** USD, of all calls that were made for the request. */
const COST = 'x-tradewind-cost'

/** What became of an answer that stopped after its first byte. */
const RESCUE = 'x-tradewind-rescue'

/** The names of what `answerTrailers` may say, for the `trailer` header. */
export const TRAILERS = `${COST}, ${RESCUE}`

/** What is known of a streamed answer only when it has ended; a flat list of names and values. */
export function answerTrailers({ attempts, rescue }: Facts): string[] {
  const cost = totalCost(attempts)
  const trailers = cost === undefined ? [] : [COST, usd(cost)]
  if (rescue !== undefined) trailers.push(RESCUE, rescue)
  return trailers
}

/** What a header's value may hold. */
const PLAIN = /^[\x20-\x7e]*$/
const UNPRINTABLE = /[^\x20-\x7e]/g
