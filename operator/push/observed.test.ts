import assert from 'node:assert/strict'
import test from 'node:test'
import type { Report } from '../../api/protocol.ts'
import { Observed } from './observed.ts'

const report = (models: readonly Partial<Report['models'][number]>[]): Report => ({
  type: 'report',
  window: 5000,
  targets: [],
  models: models.map((model) => ({ endpoint: 'ai/a', model: 'm', state: 'closed', healthy: true, ...model })),
  age: 0,
})

test('observed: how sidecars find a model, each counted once, and no more when it has left', () => {
  const observed = new Observed()
  const [sparing, open, well] = [report([{ scarce: true }]), report([{ state: 'open' }]), report([{}])]
  for (const it of [sparing, open, well]) observed.add(it, undefined, 0)
  const [model] = observed.endpoints()[0]?.models ?? []
  assert.deepEqual(model, { name: 'm', healthy: 2, open: 1, scarce: 1 })
  observed.add(well, sparing, 0)
  observed.remove(open)
  const [later] = observed.endpoints()[0]?.models ?? []
  assert.deepEqual(later, { name: 'm', healthy: 2, open: 0, scarce: 0 })
})
