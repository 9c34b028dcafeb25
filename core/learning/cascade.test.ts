import assert from 'node:assert/strict'
import test from 'node:test'
import { cascadeOrDirect } from './cascade.ts'
import type { CascadeCosts } from './cascade.ts'

const costs: CascadeCosts = {
  escalates: 0.2,
  weak: 1,
  strong: 10,
  judging: 0,
  weakMs: 300,
  strongMs: 1000,
  sloMs: Infinity,
}

test('cascade: direct where P(escalate) > 1 - weak ÷ strong, what judging costs counted', () => {
  assert.equal(cascadeOrDirect(costs), 'Cascade')
  assert.equal(cascadeOrDirect({ ...costs, escalates: 0.9 }), 'Cascade')
  assert.equal(cascadeOrDirect({ ...costs, escalates: 0.91 }), 'DearerThanDirect')
  assert.equal(cascadeOrDirect({ ...costs, escalates: 0.85, judging: 1 }), 'DearerThanDirect')
})

test('cascade: direct where the objective would be passed', () => {
  assert.equal(cascadeOrDirect({ ...costs, sloMs: 500 }), 'Cascade')
  assert.equal(cascadeOrDirect({ ...costs, sloMs: 499 }), 'SlowerThanObjective')
})
