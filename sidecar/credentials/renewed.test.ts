import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bytes } from '../../core/bytes.ts'
import { Failure } from '../../core/errors.ts'
import { RoleSigner } from './aws.ts'
import { Renewed } from './renewed.ts'

const MINUTE = 60_000

/** Something that is had when the test says so, and serves for an hour. */
function source() {
  const waiting: { readonly wall: number; readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []
  const kept = new Renewed(
    (wall) =>
      new Promise<{ readonly expires: number; readonly from: number }>((resolve, reject) =>
        waiting.push({ wall, resolve: () => resolve({ from: wall, expires: wall + 60 * MINUTE }), reject }),
      ),
  )
  return { kept, waiting }
}

test('what is wanted by many at once is asked for once, and kept', async () => {
  const { kept, waiting } = source()
  const all = [kept.get(0), kept.get(1), kept.get(2)]
  assert.equal(waiting.length, 1)
  waiting[0]?.resolve()
  for (const it of all) assert.equal((await it).from, 0)
  assert.ok(!(kept.get(54 * MINUTE) instanceof Promise))
  assert.equal(waiting.length, 1)
})

test('it is renewed while it still serves, and nobody waits for that', async () => {
  const { kept, waiting } = source()
  const first = kept.get(0)
  waiting[0]?.resolve()
  await first
  const near = kept.get(56 * MINUTE)
  assert.ok(!(near instanceof Promise) && near.from === 0)
  assert.equal(waiting.length, 2)
  waiting[1]?.resolve()
  await new Promise(setImmediate)
  const next = kept.get(57 * MINUTE)
  assert.ok(!(next instanceof Promise) && next.from === 56 * MINUTE)
})

test('a failure to renew harms nobody while what is there serves; then it is told, and the source left alone for a second', async () => {
  const { kept, waiting } = source()
  const first = kept.get(0)
  waiting[0]?.resolve()
  await first
  assert.ok(!(kept.get(56 * MINUTE) instanceof Promise))
  waiting[1]?.reject(new Failure('credentials_unavailable', { detail: 'no' }))
  await new Promise(setImmediate)
  assert.ok(!(kept.get(57 * MINUTE) instanceof Promise))
  assert.equal(waiting.length, 3)
  waiting[2]?.reject(new Failure('credentials_unavailable', { detail: 'no' }))
  await new Promise(setImmediate)
  // It ends within the half minute that a call may take to arrive.
  const late = 59.9 * MINUTE
  const told = kept.get(late)
  waiting[3]?.reject(new Failure('credentials_unavailable', { detail: 'still no' }))
  await assert.rejects(async () => told, /still no/)
  await assert.rejects(async () => kept.get(late + 500), /still no/)
  assert.equal(waiting.length, 4)
  const again = kept.get(late + 1000)
  waiting[4]?.resolve()
  assert.equal((await again).from, late + 1000)
})

test('calls are signed with the keys of a role, once they have come at once', async () => {
  const keys = { accessKeyId: 'ASIA1', secretAccessKey: 'secret', sessionToken: 'session', expires: 60 * MINUTE }
  const signer = new RoleSigner(() => Promise.resolve(keys), { region: 'eu-west-1', service: 'bedrock' })
  const call = { method: 'POST', path: '/model/m/converse', headers: ['host', 'h'], body: new Bytes([]) }
  assert.deepEqual(signer.secrets(), [])
  const first = signer.sign(call, 0)
  assert.ok(first instanceof Promise)
  const then = signer.sign(call, 0)
  assert.deepEqual(await then, await first)
  const now = signer.sign(call, 0)
  assert.deepEqual(now, await first)
  assert.deepEqual(now.slice(0, 4), ['x-amz-date', '19700101T000000Z', 'x-amz-security-token', 'session'])
  assert.match(String(now[5]), /Credential=ASIA1\/19700101\/eu-west-1\/bedrock\/aws4_request/)
  assert.deepEqual(signer.secrets(), ['secret', 'session'])
})
