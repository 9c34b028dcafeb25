import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passedOn } from './passage-headers.ts'

const NAME = 'sec-websocket-protocol'
const KEY = 'openai-insecure-api-key.sk-caller'
const protocols = (values: readonly string[], keepsKey = false) =>
  passedOn(
    values.flatMap((value) => [NAME, value]),
    { upgrade: 'websocket' },
    true,
    keepsKey,
  )[NAME]

test('passage: the caller’s key among the subprotocols stays here, in however many headers they come', () => {
  assert.equal(protocols([`realtime, ${KEY}, openai-beta.realtime-v1`]), 'realtime, openai-beta.realtime-v1')
  assert.equal(protocols(['realtime', KEY, 'openai-beta.realtime-v1']), 'realtime, openai-beta.realtime-v1')
  assert.equal(protocols(['realtime', KEY]), 'realtime')
  assert.equal(protocols([KEY, KEY]), undefined)
})

test('passage: nor does it go on with a request that is no upgrade', () => {
  assert.deepEqual(passedOn([NAME, `realtime, ${KEY}`], {}, false, false), { [NAME]: 'realtime' })
})

test('passage: it goes on where the endpoint takes the caller’s own', () => {
  assert.deepEqual(protocols(['realtime', KEY], true), ['realtime', KEY])
})
