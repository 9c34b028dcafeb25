import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { winners } from './claims.ts'
import type { Claim } from './claims.ts'

const claim = (name: string, rest: Partial<Claim> = {}): Claim => ({
  name,
  models: ['chat'],
  selective: false,
  created: 0,
  ...rest,
})

const cases: readonly [title: string, claims: readonly Claim[], model: string, winner: string | undefined][] = [
  ['alone', [claim('a')], 'chat', 'a'],
  ['nobody asks', [claim('a')], 'other', undefined],
  [
    'a selector before all of the namespace',
    [claim('a', { created: 1 }), claim('b', { created: 2, selective: true })],
    'chat',
    'b',
  ],
  ['the older', [claim('a', { created: 2 }), claim('b', { created: 1 })], 'chat', 'b'],
  ['the first by name', [claim('b'), claim('a')], 'chat', 'a'],
  ['any model is a claim of its own', [claim('a', { models: ['*'], selective: true }), claim('b')], 'chat', 'b'],
]
for (const [title, claims, model, winner] of cases)
  test(`claims: ${title}`, () => assert.equal(winners(claims).get(model)?.name, winner))

test('claims: the order in which they are given does not matter', () => {
  const any = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    models: fc.subarray(['x', 'y', '*'], { minLength: 1 }),
    selective: fc.boolean(),
    created: fc.integer({ min: 0, max: 2 }),
  })
  fc.assert(
    fc.property(fc.uniqueArray(any, { selector: ({ name }) => name }), (claims) => {
      const names = (won: ReadonlyMap<string, Claim>) => [...won].map(([model, { name }]) => `${model} ${name}`).sort()
      assert.deepEqual(names(winners(claims)), names(winners(claims.toReversed())))
    }),
  )
})
