import assert from 'node:assert/strict'
import test from 'node:test'
import { withoutCredential } from './credential.ts'

const clean = (body: string, authorization: Parameters<typeof withoutCredential>[1]) =>
  withoutCredential(Buffer.from(body), authorization).toString()

test('credential: what a server says back of it is redacted, each time', () => {
  const bearer = ['authorization', 'Bearer sk-1'] as const
  assert.equal(
    clean('{"error":"bad key sk-1 (Bearer sk-1)"}', bearer),
    '{"error":"bad key [redacted] (Bearer [redacted])"}',
  )
  assert.equal(clean('sk-1', bearer), '[redacted]')
  assert.equal(clean('é sk-1 é', ['x-api-key', 'sk-1']), 'é [redacted] é')
})

test('credential: so is what JSON or a URL make of it', () => {
  const key = ['x-api-key', 'a/b+c='] as const
  assert.equal(clean(String.raw`{"m":"a\/b+c= and ?key=a%2Fb%2Bc%3D"}`, key), '{"m":"[redacted] and ?key=[redacted]"}')
})

test('credential: other bodies stay the very same', () => {
  const body = Buffer.from('{"error":"sk-2"}')
  for (const authorization of [
    ['authorization', 'Bearer sk-1'],
    'passthrough',
    undefined,
    ['authorization', ''],
  ] as const)
    assert.equal(withoutCredential(body, authorization), body)
})
