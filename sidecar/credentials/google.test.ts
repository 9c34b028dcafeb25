import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import { Failure } from '../../core/errors.ts'
import { readServiceAccount } from '../../core/google-token.ts'
import { GoogleSigner, googleSigner } from './google.ts'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const key = (tokenUri: string) =>
  JSON.stringify({
    type: 'service_account',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'a@p.iam.gserviceaccount.com',
    token_uri: tokenUri,
  })
const account = readServiceAccount(key('https://oauth2.googleapis.com/token'), false)

const token = (value: string, life = 3600) => ({
  status: 200,
  body: JSON.stringify({ access_token: value, expires_in: life }),
})
const HOUR = 3_600_000
const MINUTE = 60_000

/** A signer whose token server is told what to answer, call by call. */
function told(...answers: (ReturnType<typeof token> | Error | Promise<ReturnType<typeof token>>)[]) {
  let asked = 0
  const signer = new GoogleSigner(account, async () => {
    const answer = answers[asked++]
    if (!answer || answer instanceof Error) throw answer ?? new Error('nothing more was told')
    return answer
  })
  return { signer, asked: () => asked }
}

test('google signer: a token is had once, and then at hand', async () => {
  const { signer, asked } = told(token('one'))
  const [first, second] = [signer.sign(undefined, 0), signer.sign(undefined, 0)]
  assert.ok(first instanceof Promise)
  for (const it of [first, second]) assert.deepEqual(await it, ['authorization', 'Bearer one'])
  assert.deepEqual(signer.sign(undefined, 30 * MINUTE), ['authorization', 'Bearer one'])
  assert.equal(asked(), 1)
  assert.deepEqual(signer.secrets(), ['one'])
})

test('google signer: it is renewed in the background before it ends, while it serves on', async () => {
  const late = Promise.withResolvers<ReturnType<typeof token>>()
  const { signer, asked } = told(token('one'), late.promise)
  await signer.sign(undefined, 0)
  for (let i = 0; i < 3; i++)
    assert.deepEqual(signer.sign(undefined, HOUR - 4 * MINUTE), ['authorization', 'Bearer one'])
  assert.equal(asked(), 2, 'one request, whoever waits')
  late.resolve(token('two'))
  await new Promise((done) => setImmediate(done))
  assert.deepEqual(signer.sign(undefined, HOUR - 3 * MINUTE), ['authorization', 'Bearer two'])
  // A call that went out with the old one may still be answered with it.
  assert.deepEqual(signer.secrets(), ['two', 'one'])
})

test('google signer: a renewal that fails is tried again, for as long as the old one holds', async () => {
  const { signer, asked } = told(token('one'), new Error('away'), token('two'))
  await signer.sign(undefined, 0)
  assert.deepEqual(signer.sign(undefined, HOUR - 4 * MINUTE), ['authorization', 'Bearer one'])
  await new Promise((done) => setImmediate(done))
  assert.deepEqual(signer.sign(undefined, HOUR - 3 * MINUTE), ['authorization', 'Bearer one'])
  await new Promise((done) => setImmediate(done))
  assert.deepEqual(signer.sign(undefined, HOUR - 2 * MINUTE), ['authorization', 'Bearer two'])
  assert.equal(asked(), 3)
})

test('google signer: one that is about to end is not used', async () => {
  const { signer } = told(token('one'), token('two'))
  await signer.sign(undefined, 0)
  assert.deepEqual(await signer.sign(undefined, HOUR - 20_000), ['authorization', 'Bearer two'])
})

test('google signer: a failure says what the server said, and leaves it alone for a second', async () => {
  const refusal = { status: 400, body: '{"error":"invalid_grant","error_description":"Invalid JWT Signature."}' }
  const { signer, asked } = told(refusal, token('one'))
  const fails = (wall: number) =>
    assert.rejects(Promise.resolve(signer.sign(undefined, wall)), (error: unknown) => {
      assert.ok(error instanceof Failure)
      assert.equal(error.code, 'credentials_unavailable')
      assert.match(
        error.message,
        /oauth2\.googleapis\.com gave no token: it answered 400 \(invalid_grant: Invalid JWT Signature\.\)/,
      )
      return true
    })
  await fails(1000)
  await fails(1900)
  assert.equal(asked(), 1)
  assert.deepEqual(await signer.sign(undefined, 2000), ['authorization', 'Bearer one'])
})

test('google signer: a token server that is not there, or hangs up, is a failure', async (t) => {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo // a TCP server's address is this object
  const signer = googleSigner(key(`http://127.0.0.1:${port}/token`), true, { proxy: () => undefined, ca: undefined })
  await assert.rejects(Promise.resolve(signer.sign(undefined, 0)), { code: 'credentials_unavailable' })
  await new Promise((done) => server.close(done))
  await assert.rejects(Promise.resolve(signer.sign(undefined, 5000)), { code: 'credentials_unavailable' })
  t.assert.deepEqual(signer.secrets(), [])
})
