import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { claimed, precedence, winners } from './claims.ts'
import type { Claimant } from './claims.ts'

const route = (name: string, models: string[], rest: Partial<Claimant> = {}): Claimant => ({
  name: `ai/${name}`,
  models,
  created: 100,
  selective: false,
  ...rest,
})
const settle = (...routes: Claimant[]) => {
  const claims = winners(routes)
  return {
    who: (model: string) => claimed(claims, model)?.name,
    lost: claims.lost.map(({ loser, model, winner }) => `${loser.name} ${model} ${winner.name}`),
  }
}

test('claims: each model goes to the route that names it, and the others to *', () => {
  const { who, lost } = settle(route('any', ['*']), route('gpt', ['gpt']))
  assert.deepEqual([who('gpt'), who('other'), who('*')], ['ai/gpt', 'ai/any', 'ai/any'])
  assert.deepEqual(lost, [], 'an exact model beside * is no conflict')
  assert.equal(settle(route('gpt', ['gpt'])).who('other'), undefined)
})

test('claims: an exact one beats *, however selective or old that is', () => {
  const { who } = settle(route('any', ['*'], { selective: true, created: 1 }), route('gpt', ['gpt'], { created: 999 }))
  assert.equal(who('gpt'), 'ai/gpt')
})

test('claims: of equal ones the selective beats the namespace-wide, then the older, then the name', () => {
  const old = route('old', ['m'], { created: 1 })
  const picky = route('picky', ['m'], { created: 50, selective: true })
  const a = route('a', ['m'])
  const b = route('b', ['m'])
  assert.equal(settle(old, picky).who('m'), 'ai/picky')
  assert.equal(settle(a, old).who('m'), 'ai/old')
  assert.equal(settle(b, a).who('m'), 'ai/a')
  assert.deepEqual(settle(b, a, old, picky).lost, ['ai/old m ai/picky', 'ai/a m ai/picky', 'ai/b m ai/picky'])
})

test('claims: they are settled model by model', () => {
  const { who, lost } = settle(route('a', ['x', 'y', 'y'], { created: 1 }), route('b', ['y', 'z', '*']))
  assert.deepEqual([who('x'), who('y'), who('z'), who('w')], ['ai/a', 'ai/a', 'ai/b', 'ai/b'])
  assert.deepEqual(lost, ['ai/b y ai/a'])
})

test('claims: the order in which routes come does not matter, and every claim wins or loses once', () => {
  const some = fc.uniqueArray(
    fc.record({
      name: fc.string({ maxLength: 3 }),
      created: fc.nat(3),
      selective: fc.boolean(),
      models: fc.uniqueArray(fc.constantFrom('a', 'b', '*')),
    }),
    { selector: ({ name }) => name, maxLength: 8 },
  )
  fc.assert(
    fc.property(some, fc.infiniteStream(fc.nat()), (routes, order) => {
      const shuffled = routes.map((it) => [order.next().value ?? 0, it] as const).sort(([a], [b]) => a - b)
      const claims = winners(routes)
      assert.deepEqual(winners(shuffled.map(([, it]) => it)), claims)
      const won = claims.exact.size + (claims.any ? 1 : 0)
      assert.equal(won + claims.lost.length, routes.flatMap(({ models }) => models).length)
      for (const { loser, winner } of claims.lost) assert.ok(precedence(winner, loser) < 0)
    }),
  )
})
