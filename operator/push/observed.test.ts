import assert from 'node:assert/strict'
import test from 'node:test'
import type { Report } from '../../api/protocol.ts'
import { Sketch } from '../../core/evidence/sketch.ts'
import { writeSketch } from '../../core/evidence/wire.ts'
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

const counted = (target: Partial<Report['targets'][number]>): Report => ({
  ...report([]),
  targets: [{ route: 'ai/chat', rule: 'all', endpoint: 'ai/a', model: 'm', requests: 0, errors: 0, ...target }],
})
const sketched = (...values: readonly number[]) => {
  const sketch = new Sketch()
  for (const value of values) sketch.add(value)
  return writeSketch(sketch)
}

test('observed: what several sidecars tell of a target adds up for a minute, and its attempts are known for two', () => {
  const observed = new Observed()
  observed.add(counted({ requests: 3, errors: 1, cost: 5, latency: sketched(10, 20) }), undefined, 0)
  observed.add(counted({ requests: 1, cost: 2, latency: sketched(40) }), undefined, 30_000)
  const [now] = observed.targets(30_000)
  assert.deepEqual([now?.requests, now?.errors, now?.cost], [4, 1, 7])
  assert.deepEqual(now?.latency, sketched(10, 20, 40))
  assert.deepEqual(now?.history?.slice(-7), [3, 0, 0, 0, 0, 0, 1])
  const [later] = observed.targets(70_000)
  assert.deepEqual([later?.requests, later?.errors, later?.cost], [1, 0, 2])
  assert.deepEqual(later?.latency, sketched(40))
  assert.equal(
    later?.history?.reduce((sum, count) => sum + count),
    4,
  )
  assert.deepEqual([...observed.expire(70_000)], ['ai/chat'])
  assert.deepEqual([...observed.expire(75_000)], [])
  assert.deepEqual([...observed.expire(95_000)], ['ai/chat'])
  assert.equal(observed.targets(95_000)[0]?.requests, 0)
  observed.expire(150_000)
  assert.deepEqual(observed.targets(150_000), [])
})

test('observed: of sidecars that tell nothing of costs and times, nothing is known', () => {
  const observed = new Observed()
  observed.add(counted({ requests: 3 }), undefined, 0)
  const [now] = observed.targets(0)
  assert.deepEqual([now?.requests, now?.cost, now?.latency], [3, undefined, undefined])
})
