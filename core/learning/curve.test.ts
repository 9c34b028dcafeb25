import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { costAt, frontier, pointOf, sweep } from './curve.ts'

const judging = {
  predicted: [Float64Array.of(0.9, 0.2, 0.5), Float64Array.of(0.95, 0.9, 0.9)],
  outcome: [Float64Array.of(1, 0, 1), Float64Array.of(1, 1, 0)],
  cost: [1, 10],
  strong: 1,
}

test('curve: the more cost weighs, the less is spent: from the best that is predicted to the cheapest', () => {
  const policies = sweep(judging)
  assert.deepEqual([...(policies[0]?.choice ?? [])], [1, 1, 1])
  assert.deepEqual([...(policies.at(-1)?.choice ?? [])], [0, 0, 0])
  const costs = policies.map(({ choice }) => pointOf(judging, choice).cost)
  assert.deepEqual(
    costs,
    costs.toSorted((a, b) => b - a),
  )
  assert.ok(policies.some(({ choice }) => choice.join() === '0,1,0'))
})

test('curve: a model that gave no answer to a row is never chosen for it', () => {
  const outcome = [Float64Array.of(1, Number.NaN, 1), Float64Array.of(1, 1, 0)]
  for (const { choice } of sweep({ ...judging, outcome })) assert.equal(choice[1], 1)
})

test('curve: by the outcomes themselves it is the oracle', () => {
  const points = sweep(judging, judging.outcome).map(({ choice }) => pointOf(judging, choice))
  assert.ok(points.some(({ quality, cost }) => quality === 1 && cost === 4))
})

test('frontier: no point lies above it, and cost rises with quality along it', () => {
  const point = fc.record({ cost: fc.integer({ min: 1, max: 50 }), quality: fc.integer({ min: 0, max: 20 }) })
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 12 }), (points) => {
      const hull = frontier(points)
      for (const { cost, quality } of points) assert.ok(costAt(hull, quality) <= cost + 1e-9)
      for (const [at, { cost, quality }] of hull.entries()) {
        const before = hull[at - 1]
        assert.ok(!before || (before.cost < cost && before.quality < quality))
      }
      assert.ok(Number.isNaN(costAt(hull, 21)))
    }),
  )
})

test('frontier: between two points a mixture by lot', () => {
  const hull = frontier([
    { cost: 1, quality: 0.5 },
    { cost: 11, quality: 1 },
    { cost: 6, quality: 0.6 },
  ])
  assert.equal(hull.length, 2)
  assert.equal(costAt(hull, 0.75), 6)
})
