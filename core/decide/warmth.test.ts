import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Conversations } from './warmth.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void // what the flag adds
const used = (): number => {
  collect()
  return process.memoryUsage().heapUsed
}

test('conversations: each is found by its key, for five minutes, however long the key is', () => {
  const conversations = new Conversations()
  const long = 'k'.repeat(60_000)
  conversations.remember(`${long}1`, 'a', 100, 0)
  conversations.remember(`${long}2`, 'b', 200, 0)
  assert.equal(conversations.find(`${long}1`, 1)?.tokens('a'), 100)
  assert.equal(conversations.find(`${long}1`, 1)?.tokens('b'), 0)
  assert.equal(conversations.find(`${long}2`, 1)?.tokens('b'), 200)
  assert.equal(conversations.find(long, 1), undefined)
  assert.equal(conversations.find(`${long}1`, 300_000), undefined)
})

test('conversations: the oldest are forgotten, and long keys take no more room than short ones', () => {
  const conversations = new Conversations()
  const before = used()
  for (let i = 0; i < 10_001; i++) {
    // As the request path has them: a part of a longer text.
    const head = `cookie: ${'x'.repeat(8000)}${i}\r\n`
    conversations.remember(head.slice(8, -2), 'a', i, 0)
  }
  const grown = used() - before
  assert.ok(grown < 10 * 1024 * 1024, `${grown} bytes`)
  assert.equal(conversations.find(`${'x'.repeat(8000)}0`, 1), undefined)
  assert.equal(conversations.find(`${'x'.repeat(8000)}5001`, 1)?.tokens('a'), 5001, 'the latest 5000 are kept at least')
})
