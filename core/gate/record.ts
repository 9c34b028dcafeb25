import type { Exchange } from '../exchange.ts'
import type { Target } from '../target.ts'
import type { Finding, GateFacts, GateMode } from './facts.ts'

/** Opens the record of a request behind a gate. */
export function opened(exchange: Exchange, mode: GateMode): GateFacts {
  const first = exchange.candidates[0]?.id ?? ''
  const facts: GateFacts = {
    mode,
    first,
    final: first,
    direct: undefined,
    reason: 'unjudged',
    escalations: 0,
    wrong: undefined,
    answers: [],
  }
  exchange.facts.gate = facts
  return facts
}

/** Writes down what was found of an answer. */
export function note({ answers }: GateFacts, { id, endpoint, model }: Target, findings: readonly Finding[]): void {
  answers.push({ target: id, endpoint: endpoint.name, model: model.name, findings })
}

/** Writes down whose answer was given. */
export function given(facts: GateFacts, { id }: Target, reason: GateFacts['reason']): void {
  facts.final = id
  facts.reason = reason
  const findings = facts.answers.findLast(({ target }) => target === id)?.findings
  facts.wrong = findings?.find(({ check }) => check === 'Learned')?.score
}
