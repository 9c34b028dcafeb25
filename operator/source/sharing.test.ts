import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { shared } from './sharing.ts'

test('sharing: what comes out is what went in', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => assert.deepEqual(shared(structuredClone(value)), value)))
})

test('sharing: equal parts of different values are one object, and different parts are not', () => {
  const route = (weight: number) => ({ retry: { attempts: 2, on: ['Connect', 'Reset'] }, targets: [{ weight }] })
  const [one, two] = [shared(route(1)), shared(route(2))]
  assert.equal(one.retry, two.retry)
  assert.notEqual(one.targets, two.targets)
  assert.equal(shared({ a: '1' }).a, '1')
  assert.equal(shared({ a: 1 }).a, 1)
})
