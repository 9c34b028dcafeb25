import assert from 'node:assert/strict'
import test from 'node:test'
import { nearestRank } from './rank.ts'

const target = (name: string, rank: number, weight = 1) => ({ name, rank, weight })
const order = (targets: ReturnType<typeof target>[], first: number) => {
  const chosen = targets[first]
  assert.ok(chosen)
  return nearestRank(targets, chosen)
    .map(({ name }) => name)
    .join(' ')
}

test('rank: after the chosen one come the stronger, nearest first, then the weaker, nearest first', () => {
  const ladder = [target('r0', 0), target('r1', 1), target('r2', 2), target('r3', 3), target('r100', 100)]
  assert.equal(order(ladder, 2), 'r2 r3 r100 r1 r0')
  assert.equal(order(ladder, 0), 'r0 r1 r2 r3 r100')
  assert.equal(order(ladder, 4), 'r100 r3 r2 r1 r0')
})

test('rank: among equals the heavier comes first, then the one that was written first', () => {
  const equals = [target('a', 0, 10), target('b', 0, 30), target('c', 0, 30), target('d', 0, 60)]
  assert.equal(order(equals, 0), 'a d b c')
})

test('rank: the list that was given stays as it is', () => {
  const ladder = Object.freeze([target('a', 2), target('b', 1)])
  assert.equal(order([...ladder], 1), 'b a')
  assert.deepEqual(
    ladder.map(({ name }) => name),
    ['a', 'b'],
  )
})
