import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CompiledTarget } from '../../api/compiled.ts'
import type { ModelRouteSpec } from '../../api/model-route.ts'
import type { InForce } from '../../core/rollout/in-force.ts'
import { sharedOut } from './rollout.ts'

type Rule = Parameters<typeof sharedOut>[0]

/** A rule whose first target is the canary; weights and priorities of all its targets. */
function ruleOf(targets: readonly (readonly [weight: number, priority?: number])[], cohort?: object) {
  const named = targets.map(([weight, priority = 0], i) => ({ endpoint: { name: `e${i}` }, weight, priority }))
  // Of a rule only these are looked at.
  const rule = { targets: named, rollout: { canary: { name: 'e0' }, cohort } } as unknown as Rule &
    ModelRouteSpec['rules'][number]
  const compiled = named.map(({ weight, priority }, i): CompiledTarget => ({
    endpoint: `ai/e${i}`,
    model: '',
    weight,
    priority,
  }))
  return { rule, compiled }
}

const decided = (weight: number | undefined, canary = 'ai/e0'): InForce => ({
  rule: '0',
  canary,
  version: 'v',
  weight,
  gathers: weight !== 0 && weight !== 100,
})

test('rollout: the canary has exactly its share, the others theirs among themselves, and later priorities are left alone', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 99 }),
      (stable, percent) => {
        const { rule, compiled } = ruleOf([[7], ...stable.map((weight) => [weight] as const), [5, 1]])
        const { targets, evidence } = sharedOut(rule, compiled, 'ai', decided(percent))
        const [canary = 0, ...rest] = targets.map(({ weight }) => weight)
        const beside = rest.slice(0, -1)
        const sum = beside.reduce((a, b) => a + b, 0)
        assert.ok(Math.abs(canary / (canary + sum) - percent / 100) < 1e-3 * percent)
        assert.ok([canary, ...rest].every((weight) => Number.isInteger(weight) && weight >= 1 && weight <= 1_000_000))
        const total = stable.reduce((a, b) => a + b, 0)
        for (const [i, weight] of beside.entries())
          assert.ok(Math.abs(weight / sum - (stable[i] ?? 0) / total) < 1e-3 + 2 / sum)
        assert.equal(rest.at(-1), 5)
        assert.deepEqual(evidence, { version: 'v' })
      },
    ),
  )
})

test('rollout: simple ratios stay exact', () => {
  const { rule, compiled } = ruleOf([[1], [90], [10]])
  const weights = sharedOut(rule, compiled, 'ai', decided(5)).targets.map(({ weight }) => weight)
  assert.deepEqual(weights, [10, 171, 19])
})

test('rollout: a canary about which nothing was decided, and one rolled back, has no weight at all', () => {
  const { rule, compiled } = ruleOf([[50], [50]], { headers: [{ name: 'X-Staff', value: '1' }] })
  for (const it of [undefined, decided(0), decided(25, 'ai/another')]) {
    const { targets, evidence, adjust } = sharedOut(rule, compiled, 'ai', it)
    assert.deepEqual(
      targets.map(({ weight }) => weight),
      [0, 50],
    )
    assert.equal(evidence, undefined)
    assert.deepEqual(adjust, [], 'nor does the cohort get it')
  }
})

test('rollout: promoted, it takes all, and the others come next, before what comes later', () => {
  const { rule, compiled } = ruleOf([[0], [90], [3, 1], [4, 15]])
  const { targets } = sharedOut(rule, compiled, 'ai', decided(100))
  assert.deepEqual(
    targets.map(({ weight, priority }) => [weight, priority]),
    [
      [1, 0],
      [90, 1],
      [3, 2],
      [4, 3],
    ],
  )
})

test('rollout: set by hand, the weights of the manifest are in force', () => {
  const { rule, compiled } = ruleOf([[3], [97]])
  assert.deepEqual(sharedOut(rule, compiled, 'ai', decided(undefined)).targets, compiled)
})

test('rollout: the cohort is given the canary from the first step on, until everybody is', () => {
  const { rule, compiled } = ruleOf([[1], [99]], { headers: [{ name: 'X-Staff', value: '1' }] })
  const pinned = [{ when: { headers: [{ name: 'x-staff', type: 'Exact', value: '1' }] }, pin: { endpoint: 'ai/e0' } }]
  assert.deepEqual(sharedOut(rule, compiled, 'ai', decided(1)).adjust, pinned)
  assert.deepEqual(sharedOut(rule, compiled, 'ai', decided(100)).adjust, [])
})
