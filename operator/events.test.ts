import assert from 'node:assert/strict'
import { test } from 'node:test'
import { happenings } from './events.ts'

const condition = (type: string, status: 'True' | 'False' | 'Unknown', reason: string) => ({
  type,
  status,
  reason,
  message: 'Why.',
  lastTransitionTime: '2026-01-01T00:00:00Z',
})
const was = (...conditions: ReturnType<typeof condition>[]) => ({ conditions })
const accepted = condition('Accepted', 'True', 'Accepted')

for (const [what, before, after, expected] of [
  ['a new object that is accepted', undefined, was(accepted), ['Normal Accepted: Accepted is True.']],
  ['a new object whose references are there', undefined, was(condition('ResolvedRefs', 'True', 'ResolvedRefs')), []],
  [
    'a reference that is lost',
    was(condition('ResolvedRefs', 'True', 'ResolvedRefs')),
    was(condition('ResolvedRefs', 'False', 'EndpointNotFound')),
    ['Warning EndpointNotFound: ResolvedRefs: Why.'],
  ],
  [
    'a reference that is found',
    was(condition('ResolvedRefs', 'False', 'EndpointNotFound')),
    was(condition('ResolvedRefs', 'True', 'ResolvedRefs')),
    ['Normal ResolvedRefs: ResolvedRefs is True.'],
  ],
  [
    'another reason',
    was(condition('Accepted', 'False', 'Invalid')),
    was(condition('Accepted', 'False', 'Conflicted')),
    ['Warning Conflicted: Accepted: Why.'],
  ],
  [
    'faults that begin',
    was(accepted),
    was(accepted, condition('FaultsInjected', 'True', 'FaultsInjected')),
    ['Warning FaultsInjected: FaultsInjected: Why.'],
  ],
  [
    'faults that have ended',
    was(accepted, condition('FaultsInjected', 'True', 'FaultsInjected')),
    was(accepted),
    ['Normal FaultsEnded: Failures are injected on purpose no longer.'],
  ],
  [
    'what passes by itself',
    was(condition('Programmed', 'True', 'Programmed')),
    was(condition('Programmed', 'False', 'Pending')),
    [],
  ],
  [
    'a refusal',
    was(condition('Programmed', 'False', 'Pending')),
    was(condition('Programmed', 'False', 'Rejected')),
    ['Warning Rejected: Programmed: Why.'],
  ],
  [
    'a part that is wrong',
    was(accepted),
    was(accepted, condition('PartiallyInvalid', 'True', 'X')),
    ['Warning X: PartiallyInvalid: Why.'],
  ],
  ['nothing', was(accepted), was(accepted), []],
  [
    'a breaker that opens',
    { models: [{ name: 'm', open: 0 }] },
    { models: [{ name: 'm', open: 2 }] },
    ['Warning BreakerOpen: The circuit breaker on m is open in one or more sidecars.'],
  ],
  ['a breaker that opens in one more', { models: [{ name: 'm', open: 1 }] }, { models: [{ name: 'm', open: 2 }] }, []],
  [
    'a breaker that closes',
    { models: [{ name: 'm', open: 2 }] },
    { models: [{ name: 'm', open: 0 }] },
    ['Normal BreakerClosed: The circuit breaker on m is closed in all sidecars.'],
  ],
] as const)
  test(`events: of ${what}`, () =>
    assert.deepEqual(
      happenings(before, after).map(({ type, reason, note }) => `${type} ${reason}: ${note}`),
      expected,
    ))
