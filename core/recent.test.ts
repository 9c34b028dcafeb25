import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Recent } from './recent.ts'

test('recent: the latest are there, those long ago are not, and a later value takes the place of the one before', () => {
  const recent = new Recent<number>(100)
  for (let i = 0; i < 1050; i++) recent.set(`k${i}`, i)
  for (let i = 950; i < 1050; i++) assert.equal(recent.get(`k${i}`), i)
  for (let i = 0; i < 850; i++) assert.equal(recent.get(`k${i}`), undefined)
  recent.set('k960', -1)
  assert.equal(recent.get('k960'), -1)
  recent.delete('k960')
  assert.equal(recent.get('k960'), undefined)
})
