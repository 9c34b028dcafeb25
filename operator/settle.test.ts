import assert from 'node:assert/strict'
import { test } from 'node:test'
import { difference, settle } from './settle.ts'

const condition = {
  type: 'Programmed',
  status: 'True',
  reason: 'Programmed',
  message: 'All.',
  observedGeneration: 2,
} as const
const stored = { conditions: [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }], programmed: '1/1' }
const NOW = '2026-06-01T00:00:00Z'

test('settle: the time of a transition stays while the status does, whatever else changes', () => {
  const wanted = { conditions: [{ ...condition, reason: 'Else', message: 'Other.', observedGeneration: 3 }] }
  assert.equal(Object(settle(wanted, stored, NOW).conditions?.[0]).lastTransitionTime, '2026-01-01T00:00:00Z')
})

test('settle: a status that differs, or a condition that is new, is of now', () => {
  for (const wanted of [
    { ...condition, status: 'False' as const },
    { ...condition, type: 'Accepted' },
  ])
    assert.equal(Object(settle({ conditions: [wanted] }, stored, NOW).conditions?.[0]).lastTransitionTime, NOW)
})

for (const [what, wanted, expected] of [
  ['the same', { conditions: [condition], programmed: '1/1' }, 'none'],
  ['a count', { conditions: [condition], programmed: '2/2' }, 'count'],
  ['a message', { conditions: [{ ...condition, message: 'Other.' }], programmed: '1/1' }, 'count'],
  ['another status', { conditions: [{ ...condition, status: 'False' as const }], programmed: '1/1' }, 'transition'],
  ['another reason', { conditions: [{ ...condition, reason: 'Else' }], programmed: '1/1' }, 'transition'],
  ['another generation', { conditions: [{ ...condition, observedGeneration: 3 }], programmed: '1/1' }, 'transition'],
  ['a condition more', { conditions: [condition, { ...condition, type: 'Accepted' }] }, 'transition'],
  ['a condition less', { conditions: [] }, 'transition'],
] as const)
  test(`difference: ${what} is ${expected}`, () => assert.equal(difference(wanted, stored), expected))

test('difference: an object without a status differs by a transition', () =>
  assert.equal(difference({ conditions: [condition] }, undefined), 'transition'))

test('difference: what others of our own write is not compared, and is no reason to write', () => {
  const promoted = { ...condition, type: 'Promoted', lastTransitionTime: '2026-01-01T00:00:00Z' }
  const theirs = { ...stored, conditions: [...stored.conditions, promoted], rollout: 'Promoted', rollouts: [] }
  assert.equal(difference({ conditions: [condition], programmed: '1/1' }, theirs), 'none')
})
