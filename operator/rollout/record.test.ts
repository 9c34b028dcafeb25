import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advance } from '../../core/rollout/advance.ts'
import type { Input } from '../../core/rollout/input.ts'
import type { Plan } from '../../core/rollout/plan.ts'
import type { State } from '../../core/rollout/state.ts'
import { itemOf, recordOf, writtenItem } from './record.ts'
import { inShort, promoted } from './status.ts'
import { inForceOf } from './store.ts'

const plan: Plan = {
  canary: 'ai/new',
  ownWeight: 0,
  ownShare: 0,
  steps: [5, 100].map((weight) => ({ weight, dwell: 0, samples: 1, manual: false })),
  guardrails: [{ metric: 'ErrorRate', margin: 0.1, share: 1 }],
  alpha: 0.05,
  maxDuration: 1e9,
  cooldown: 0,
  oneByOne: true,
}
const input: Input = {
  now: 1e12,
  of: 'uid all',
  totals: undefined,
  sidecars: { inForce: true, connected: 1, behind: [] },
  canary: {},
  open: { canary: 0, stable: 0 },
}
const pending = advance(plan, undefined, input).state
const begun = advance(plan, pending, { ...input, now: 1e12 + 1 }).state
const written = (states: Readonly<Record<string, State>>, seq = 3) => ({
  rollouts: Object.entries(states).map(([rule, state]) => writtenItem(itemOf(rule, state, 'new/m', 2), seq, state)),
})

test('record: what was written is what is read, of every rule', () => {
  const { seq, states } = recordOf(written({ all: begun, others: pending }))
  assert.equal(seq, 3)
  assert.deepEqual(JSON.parse(JSON.stringify([...states])), [
    ['all', JSON.parse(JSON.stringify(begun))],
    ['others', JSON.parse(JSON.stringify(pending))],
  ])
})

test('record: what is not ours is as if it were not there', () => {
  const item = { ...itemOf('all', begun, 'new/m', 2), memory: '' }
  for (const memory of [
    '',
    '{',
    '[]',
    'null',
    '{"seq":1}',
    '{"seq":"1","state":{"phase":"Pending"}}',
    '{"seq":1,"state":{"phase":"Gone"}}',
  ])
    assert.equal(recordOf({ rollouts: [{ ...item, memory }] }).states.size, 0, memory)
  for (const status of [undefined, null, {}, { conditions: [] }]) assert.equal(recordOf(status).states.size, 0)
})

test('record: other evidence puts nothing else in force, and another step does', () => {
  const inForce = (state: State) => JSON.stringify(inForceOf(recordOf(written({ all: state })).states))
  const more: State = {
    ...begun,
    seen: { canary: 5, stable: 95 },
    waitsFor: ['ai/slow'],
    waiting: 1,
    message: 'Other.',
  }
  assert.equal(inForce(more), inForce(begun))
  assert.notEqual(inForce(pending), inForce(begun))
})

test('status: in short, with the rule where there are several', () => {
  const [item] = written({ all: begun }).rollouts
  assert.ok(item)
  assert.equal(inShort([item]), 'Progressing 1/2 5%')
  assert.equal(
    inShort([item, { ...item, rule: 'others', phase: 'Promoted' }]),
    'all: Progressing 1/2 5%, others: Promoted',
  )
})

test('status: Promoted is True once all are, False while one is rolled back, and Unknown on the way', () => {
  const state = (phase: State['phase']): State => ({ ...begun, phase })
  const of = (...phases: State['phase'][]) => {
    const it = promoted(new Map(phases.map((phase, i) => [`${i}`, state(phase)])), 7)
    return it && [it.status, it.reason, it.observedGeneration]
  }
  assert.equal(of(), undefined)
  assert.deepEqual(of('Promoted', 'Promoted'), ['True', 'Promoted', 7])
  assert.deepEqual(of('Promoted', 'Progressing'), ['Unknown', 'Progressing', 7])
  assert.deepEqual(of('Progressing', 'RolledBack'), ['False', 'RolledBack', 7])
})
