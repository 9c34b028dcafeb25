import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { canonical, digest, EMPTY_DIGEST, toggle } from './digest.ts'

test('digest: the order of keys does not matter, the order of lists does', () => {
  assert.equal(
    canonical({ b: 1, a: { d: [1, { y: 1, x: 2 }], c: null } }),
    '{"a":{"c":null,"d":[1,{"x":2,"y":1}]},"b":1}',
  )
  assert.equal(digest({ a: 1, b: 2 }), digest({ b: 2, a: 1 }))
  assert.notEqual(digest([1, 2]), digest([2, 1]))
  assert.match(digest('x'), /^[0-9a-f]{32}$/)
})

test('digest: canonical text parses back to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) =>
      assert.deepEqual(JSON.parse(canonical(value)), JSON.parse(JSON.stringify(value))),
    ),
  )
})

test('digest: a whole configuration’s digest does not depend on the order of edits, and an edit undone leaves none', () => {
  const member = fc.tuple(fc.string(), fc.string())
  fc.assert(
    fc.property(fc.uniqueArray(member, { selector: ([key]) => key }), fc.infiniteStream(fc.nat()), (members, order) => {
      const sum = (list: readonly (readonly [string, string])[]) =>
        list.reduce((whole, [key, value]) => toggle(whole, key, value), EMPTY_DIGEST)
      const shuffled = members.map((m) => [order.next().value ?? 0, m] as const).sort(([a], [b]) => a - b)
      assert.equal(sum(members), sum(shuffled.map(([, m]) => m)))
      assert.equal(sum([...members, ...members]), EMPTY_DIGEST)
    }),
  )
})

test('digest: key and value do not run into each other', () => {
  assert.notEqual(toggle(EMPTY_DIGEST, 'ab', 'c'), toggle(EMPTY_DIGEST, 'a', 'bc'))
})
