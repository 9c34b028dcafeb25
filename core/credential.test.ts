import assert from 'node:assert/strict'
import test from 'node:test'
import { credentialsOf, headersWithout, withoutCredentials } from './credential.ts'

const clean = (body: string, ...keys: readonly string[]) => withoutCredentials(Buffer.from(body), keys).toString()
const none = () => undefined

test('credential: what a server says back of it is redacted, each time', () => {
  assert.equal(
    clean('{"error":"bad key sk-1 (Bearer sk-1)"}', 'sk-1'),
    '{"error":"bad key [redacted] (Bearer [redacted])"}',
  )
  assert.equal(clean('sk-1', 'sk-1'), '[redacted]')
  assert.equal(clean('é sk-1 é', 'sk-1'), 'é [redacted] é')
})

test('credential: so is what JSON or a URL make of it', () => {
  assert.equal(
    clean(String.raw`{"m":"a\/b+c= and ?key=a%2Fb%2Bc%3D"}`, 'a/b+c='),
    '{"m":"[redacted] and ?key=[redacted]"}',
  )
})

test('credential: a text that was cut ends before the beginning of one', () => {
  for (let cut = 0; cut <= 12; cut++) {
    const text = `says sk-12345678 and more`.slice(0, 5 + cut)
    const left = withoutCredentials(Buffer.from(text), ['sk-12345678'], true).toString()
    assert.ok(!/sk|12345678/.test(left), left)
  }
})

test('credential: other bodies stay the very same', () => {
  const body = Buffer.from('{"error":"sk-2"}')
  for (const keys of [['sk-1'], []]) assert.equal(withoutCredentials(body, keys), body)
})

test('credential: it is the endpoint’s key, what its headers hold, and the caller’s own where that goes on', () => {
  const key = ['authorization', 'Bearer sk-1'] as const
  assert.deepEqual(credentialsOf({ authorization: key, setHeaders: [] }, none), ['sk-1'])
  assert.deepEqual(credentialsOf({ authorization: ['x-api-key', ''], setHeaders: [] }, none), [])
  assert.deepEqual(
    credentialsOf(
      { authorization: undefined, setHeaders: ['x-token', 'of-the-gateway', 'x-team', 'of-the-team'] },
      none,
    ),
    ['of-the-gateway'],
  )
  const sent = new Map([
    ['authorization', 'Bearer mine'],
    ['x-api-key', 'mine-too'],
  ])
  assert.deepEqual(
    credentialsOf({ authorization: 'passthrough', setHeaders: [] }, (name) => sent.get(name)),
    ['mine', 'mine-too'],
  )
})

test('credential: a header has none of it', () => {
  assert.deepEqual(headersWithout(['x-echo', 'Bearer sk-12345678', 'x-id', '1'], ['sk-12345678']), [
    'x-echo',
    'Bearer [redacted]',
    'x-id',
    '1',
  ])
})
