import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRoot } from './certificates.ts'
import { bundle, fromSecret, nextStep, promote, toSecret, type Roots } from './roots.ts'

const NOW = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000
const rotation = { validity: 30 * HOUR, overlap: HOUR }
const current = await makeRoot(rotation.validity, NOW)
const next = await makeRoot(rotation.validity, NOW + 20 * HOUR)
const previous = { certificate: next.certificate, replaced: NOW }

for (const [what, roots, asked, hours, expected] of [
  ['a young root', { current }, false, 19.9, undefined],
  ['a root of which two thirds are over', { current }, false, 20.1, 'announce'],
  ['a root that somebody wants replaced', { current }, true, 1, 'announce'],
  ['a root that is announced and not published', { current, next }, true, 25, undefined],
  ['a root that was published a moment ago', { current, next: { ...next, published: NOW } }, true, 0.9, undefined],
  ['a root that was published for the overlap', { current, next: { ...next, published: NOW } }, false, 1.1, 'promote'],
  ['an old root within the overlap', { current, previous }, false, 0.9, undefined],
  ['an old root after it', { current, previous }, false, 1.1, 'forget'],
] as const satisfies readonly (readonly [string, Roots, boolean, number, string | undefined])[])
  test(`roots: the next step with ${what} is ${expected ?? 'none'}`, () =>
    assert.equal(nextStep(roots, asked, NOW + hours * HOUR, rotation), expected))

test('roots: after a promotion the new one signs, and the old one is trusted', () => {
  const after = promote({ current, next: { ...next, published: NOW } }, NOW + 2 * HOUR)
  assert.deepEqual(after, {
    current: next,
    previous: { certificate: current.certificate, replaced: NOW + 2 * HOUR },
  })
  assert.equal(bundle(after), next.certificate + current.certificate)
})

test('roots: a Secret holds them all, and one without its parts is none', () => {
  const roots: Roots = { current, next: { ...next, published: 5 }, previous: { certificate: 'old', replaced: 7 } }
  assert.deepEqual(fromSecret(toSecret(roots)), roots)
  assert.deepEqual(fromSecret(toSecret({ current, next })), { current, next })
  assert.equal(fromSecret({}), undefined)
})
