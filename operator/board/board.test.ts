import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sketch } from '../../core/evidence/sketch.ts'
import { writeSketch } from '../../core/evidence/wire.ts'
import { TestWorld } from '../../test/local/fleet.ts'
import type { ObservedTarget } from '../fleet.ts'
import { NO_FLEET } from '../fleet.ts'
import { board, routeDetail } from './board.ts'

function world(): TestWorld {
  const made = new TestWorld()
  for (const name of ['ai/a', 'ai/b']) made.endpoint(name)
  made.route('ai/chat', 'chat', { a: 75, b: 25 })
  return made
}
const of = (endpoint: string, rest: Partial<ObservedTarget>): ObservedTarget => ({
  ...{ route: 'ai/chat', rule: '0', endpoint, model: 'm', requests: 0, errors: 0 },
  ...rest,
})
const sketched = (...values: readonly number[]) => {
  const sketch = new Sketch()
  for (const value of values) sketch.add(value)
  return writeSketch(sketch)
}

test('board: shares as configured and as observed, and what replicas were told added up', () => {
  const made = world()
  const compiled = made.compiler.compile(made)
  const history = [0, 30, 30, 30, 5]
  const targets = [
    of('ai/a', { requests: 60, errors: 6, cost: 1e12, latency: sketched(100, 100, 100), history }),
    of('ai/a', { requests: 20, errors: 0, cost: 1e12, latency: sketched(100), history }),
    of('ai/b', { requests: 20, errors: 0, cost: 0, latency: sketched(900), history }),
  ]
  const [row] = board(compiled, { ...NO_FLEET, targets }).routeRows
  assert.deepEqual(row?.split, [
    { target: 'a', configured: 0.75, observed: 0.8 },
    { target: 'b', configured: 0.25, observed: 0.2 },
  ])
  assert.deepEqual(row.history, [0, 90, 90, 90, 15])
  // 270 attempts in 15 s; two dollars in a minute.
  assert.deepEqual([row.rate.requests, row.rate.errors, row.rate.cost], [18, 0.06, 120])
  assert.ok(Math.abs((row.rate.p50 ?? 0) - 100) < 2 && Math.abs((row.rate.p95 ?? 0) - 100) < 2)
  const [a, b] = board(compiled, { ...NO_FLEET, targets }).endpointRows
  assert.deepEqual([a?.rate.cost, b?.rate.cost], [120, 0])
  assert.ok(Math.abs((b?.rate.p50 ?? 0) - 900) < 10)
})

test('board: of sidecars that do not tell, times and costs are not known', () => {
  const made = world()
  const compiled = made.compiler.compile(made)
  const [row] = board(compiled, { ...NO_FLEET, targets: [of('ai/a', { requests: 60, errors: 3 })] }).routeRows
  assert.deepEqual(row?.rate, { requests: 1, errors: 0.05, p50: null, p95: null, cost: null })
})

test('board: a target that is not there has no share, and an object that does not parse says why', () => {
  const made = world()
  made.route('ai/half', 'half', { a: 50, gone: 50 })
  const problems = [{ path: 'spec.rules', message: 'It must be a list.' }]
  for (const name of ['ModelRoute ai/broken', 'ModelEndpoint ai/shattered'])
    made.invalid.set(name, { kind: name.split(' ')[0], name: name.split(' ')[1], generation: 3, problems })
  const compiled = made.compiler.compile(made)
  const { routeRows, endpointRows } = board(compiled, NO_FLEET)
  const half = routeRows.find(({ name }) => name === 'ai/half')
  assert.deepEqual(
    half?.split.map(({ target, configured }) => [target, configured]),
    [
      ['a', 1],
      ['gone', 0],
    ],
  )
  assert.equal(half.problem?.reason, 'EndpointNotFound')
  const broken = [
    routeRows.find(({ name }) => name === 'ai/broken'),
    endpointRows.find(({ name }) => name === 'ai/shattered'),
  ]
  for (const row of broken) {
    assert.equal(row?.generation, 3)
    assert.match(row.problem?.message ?? '', /It must be a list/)
  }
  assert.equal(
    routeDetail(compiled, NO_FLEET, 'ai/broken', () => undefined),
    undefined,
  )
})
