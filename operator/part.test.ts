import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ResourceKey } from '../api/compiled.ts'
import type { Fleet } from './fleet.ts'
import { NO_FLEET } from './fleet.ts'
import { concernedKeys, partOf, partUpdate, wholeFleet, type Row } from './part.ts'

const serves = (all: Record<string, string>) => new Map(Object.entries(all)) as Map<ResourceKey, string> // keys of resources
const group = (pods: string[], all: Record<string, string>): Fleet['sidecars'][number] => ({
  pods,
  version: '1',
  lacks: [],
  serves: serves(all),
})
const fleet = (over: Partial<Fleet>): Fleet => ({ ...NO_FLEET, ...over })
const rows = (it: Fleet): Row[] => [...partOf(it).values()]

test('part: what crosses the wire comes out as it went in, beside our own', () => {
  const theirs = fleet({
    sidecars: [group(['n/b'], { 'route/n/r': 'd1' })],
    refusals: [{ pod: 'n/b', refused: { 'route/n/r': 'd2' }, errors: [] }],
    targets: [{ route: 'n/r', rule: '0', endpoint: 'n/e', model: 'm', requests: 1, errors: 0 }],
    endpoints: [{ endpoint: 'n/e', healthy: 1, open: 0, models: [] }],
  })
  const update = JSON.parse(JSON.stringify(partUpdate(new Map(), partOf(theirs), 3))) as { set: Record<string, Row> } // JSON and back
  const own = fleet({ sidecars: [group(['n/a'], {})] })
  const whole = wholeFleet(own, [new Map(Object.entries(update.set))])
  assert.deepEqual(
    whole.sidecars.map(({ pods, serves }) => [pods, [...serves.entries()]]),
    [
      [['n/a'], []],
      [['n/b'], [['route/n/r', 'd1']]],
    ],
  )
  assert.deepEqual(
    [whole.refusals, whole.targets, whole.endpoints],
    [theirs.refusals, theirs.targets, theirs.endpoints],
  )
})

test('part: only what differs is sent, and nothing where nothing does', () => {
  const a = group(['n/a'], { 'route/n/r': 'd1' })
  const b = group(['n/b'], { 'route/n/r': 'd1' })
  const before = partOf(fleet({ sidecars: [a, b] }))
  assert.equal(partUpdate(before, partOf(fleet({ sidecars: [b, a] })), 1), undefined)
  const update = partUpdate(before, partOf(fleet({ sidecars: [a] })), 1)
  assert.deepEqual([Object.keys(update?.set ?? {}).length, update?.drop.length], [0, 1])
})

test('part: a sidecar that moves to a new state concerns what the states differ in, one that comes or goes all of it', () => {
  const old = rows(fleet({ sidecars: [group(['n/a', 'n/b'], { 'route/n/r': 'd1', 'route/n/s': 'x' })] }))
  const now = rows(
    fleet({
      sidecars: [
        group(['n/a'], { 'route/n/r': 'd1', 'route/n/s': 'x' }),
        group(['n/b'], { 'route/n/r': 'd2', 'route/n/s': 'x' }),
      ],
    }),
  )
  // n/a has stayed where it was: of its resources only those that n/b no longer shares are concerned.
  assert.deepEqual([...concernedKeys(old, now)], ['route/n/r'])
  assert.deepEqual([...concernedKeys(old, [])].sort(), ['route/n/r', 'route/n/s'])
})
