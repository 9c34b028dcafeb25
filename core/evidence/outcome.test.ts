import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptFacts, Exchange, Facts } from '../exchange.ts'
import type { GateFacts } from '../gate/facts.ts'
import type { Target } from '../target.ts'
import { sampleOf } from './outcome.ts'

// Of an exchange, its facts and targets only what is looked at.
const targetOf = (name: string) => ({ id: `${name} m`, endpoint: { name }, model: { name: 'm' } }) as unknown as Target
const [canary, strong] = [targetOf('canary'), targetOf('strong')]
const attempt = (endpoint: string, rest: Partial<AttemptFacts> = {}) =>
  ({ endpoint, model: 'm', why: 'chosen', status: 200, code: undefined, firstByte: 1, ...rest }) as AttemptFacts
const exchangeOf = (facts: Partial<Facts>, target: Target | undefined) =>
  ({ target, facts: { started: 1000, firstByte: 0, stream: false, attempts: [], ...facts } }) as unknown as Exchange

test('outcome: a gate that goes to a stronger target at once, since the answers of this one are wanting, has escalated', () => {
  const gate = { first: canary.id, direct: 'direct_cheaper', escalations: 0 } as GateFacts
  const attempts = [attempt('strong', { cost: 2e12 }), attempt('judge', { why: 'judge', cost: 1e12 })]
  const sample = (direct: GateFacts['direct'], first = canary.id) =>
    sampleOf(exchangeOf({ gate: { ...gate, direct, first }, attempts }, strong), canary, 1500)
  assert.deepEqual(sample('direct_cheaper'), { escalated: true, cost: 3 })
  assert.deepEqual(sample('direct_faster'), { escalated: true, cost: 3 })
  assert.equal(sample('direct_untaught'), undefined, 'that is nobody’s doing')
  assert.equal(sample('direct_cheaper', 'another'), undefined)
})

test('outcome: who is asked because another one failed, or to compare, is no evidence', () => {
  for (const why of ['fallback', 'rescue', 'hedge', 'escalation', 'agreement', 'judge', 'audit'] as const)
    assert.equal(sampleOf(exchangeOf({ attempts: [attempt('canary', { why })] }, canary), canary, 1500), undefined, why)
})

test('outcome: the last attempt counts, and what the caller waited for is all of it', () => {
  const attempts = [attempt('canary', { code: 'upstream_error', status: 500 }), attempt('canary', { why: 'retry' })]
  const { error, latency, firstToken, cost } = sampleOf(exchangeOf({ attempts }, canary), canary, 1500) ?? {}
  assert.deepEqual([error, latency, firstToken, cost], [false, 500, undefined, undefined])
})

test('outcome: of a stream the first token counts by when the caller had it; of one that was called off before, by then', () => {
  const streamed = (facts: Partial<Facts>, rest: Partial<AttemptFacts>) =>
    sampleOf(exchangeOf({ stream: true, attempts: [attempt('canary', rest)], ...facts }, canary), canary, 1500)
  assert.deepEqual(
    [streamed({ firstByte: 1200 }, {})?.firstToken, streamed({ firstByte: 1200 }, {})?.latency],
    [200, 500],
  )
  const left = streamed({}, { code: 'client_closed', firstByte: 0 })
  assert.deepEqual([left?.error, left?.firstToken, left?.latency], [false, 500, 500])
  const late = streamed({}, { code: 'first_token_timeout', firstByte: 1 })
  assert.deepEqual([late?.error, late?.truncated, late?.latency], [true, false, undefined])
  const time = streamed({ firstByte: 1200 }, { code: 'request_timeout' })
  assert.deepEqual([time?.error, time?.truncated], [true, true])
})
