import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bytes } from './bytes.ts'
import { encode, SigV4 } from './sigv4.ts'

/**
 * AWS's published test suite (https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4), but for those cases that want
 * dots taken out of the path: there are none in the paths that are signed here.
 */
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const scope = { region: 'us-east-1', service: 'service' }
const wall = Date.UTC(2015, 7, 30, 12, 36)
const UNRESERVED = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const TOKEN = '6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267'

interface Case {
  readonly method?: string
  readonly path?: string
  readonly headers?: readonly string[]
  readonly body?: string
  readonly sessionToken?: string
  readonly signed?: string
  readonly signature: string
}

const form = 'application/x-www-form-urlencoded'
const cases: Readonly<Record<string, Case>> = {
  'get-vanilla': { signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31' },
  'get-vanilla-empty-query-key': {
    path: '/?Param1=value1',
    signature: 'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
  },
  'get-vanilla-query-order-key-case': {
    path: '/?Param2=value2&Param1=value1',
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  'get-vanilla-query-order-key': {
    path: '/?Param1=value2&Param1=Value1',
    signature: 'eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1',
  },
  'get-vanilla-query-order-value': {
    path: '/?Param1=value2&Param1=value1',
    signature: '5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694',
  },
  'get-vanilla-query-order-encoded': {
    path: '/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1',
    signature: '371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac',
  },
  'get-vanilla-query-unreserved': {
    path: `/?${UNRESERVED}=${UNRESERVED}`,
    signature: '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
  },
  'get-vanilla-utf8-query': {
    path: '/?ሴ=bar',
    signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
  },
  'get-vanilla-with-session-token': {
    sessionToken: TOKEN,
    signed: 'host;x-amz-date;x-amz-security-token',
    signature: '07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8',
  },
  'get-unreserved': {
    path: `/${UNRESERVED}`,
    signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  },
  'get-utf8': { path: '/ሴ', signature: '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85' },
  'get-space': {
    path: '/example space/',
    signature: '652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741',
  },
  'get-special-character': {
    path: '/example/$delete',
    signature: 'a853c9b21b528b19643d00910d35b83a10c366a10833ceefb45edd6c80e40f27',
  },
  'get-header-key-duplicate': {
    headers: ['My-Header1', 'value2', 'My-Header1', 'value2', 'My-Header1', 'value1'],
    signed: 'host;my-header1;x-amz-date',
    signature: 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
  },
  'get-header-value-multiline': {
    headers: ['My-Header1', 'value1\n  value2\n     value3'],
    signed: 'host;my-header1;x-amz-date',
    signature: 'cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd',
  },
  'get-header-value-order': {
    headers: ['My-Header1', 'value4', 'My-Header1', 'value1', 'My-Header1', 'value3', 'My-Header1', 'value2'],
    signed: 'host;my-header1;x-amz-date',
    signature: '08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01',
  },
  'get-header-value-trim': {
    headers: ['My-Header1', ' value1', 'My-Header2', ' "a   b   c"'],
    signed: 'host;my-header1;my-header2;x-amz-date',
    signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  },
  'post-vanilla': {
    method: 'POST',
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  'post-vanilla-query': {
    method: 'POST',
    path: '/?Param1=value1',
    signature: '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
  },
  'post-header-value-case': {
    method: 'POST',
    headers: ['My-Header1', 'VALUE1'],
    signed: 'host;my-header1;x-amz-date',
    signature: 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
  },
  'post-x-www-form-urlencoded': {
    method: 'POST',
    headers: ['Content-Type', form],
    body: 'Param1=value1',
    signed: 'content-type;host;x-amz-date',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
  'post-x-www-form-urlencoded-parameters': {
    method: 'POST',
    headers: ['Content-Type', `${form}; charset=utf8`],
    body: 'Param1=value1',
    signed: 'content-type;host;x-amz-date',
    signature: '1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe',
  },
}

for (const [
  name,
  { method = 'GET', path = '/', headers = [], body = '', sessionToken, signed, signature },
] of Object.entries(cases))
  test(`AWS’s vector ${name}`, () => {
    const call = {
      method,
      path,
      headers: ['Host', 'example.amazonaws.com', ...headers],
      body: new Bytes([Buffer.from(body)]),
    }
    assert.deepEqual(new SigV4({ ...keys, sessionToken }, scope).sign(call, wall, /./), [
      'x-amz-date',
      '20150830T123600Z',
      ...(sessionToken === undefined ? [] : ['x-amz-security-token', sessionToken]),
      'authorization',
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signed ?? 'host;x-amz-date'}, Signature=${signature}`,
    ])
  })

const call = {
  method: 'POST',
  path: `/model/${encode('arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0')}/converse`,
  headers: ['host', 'h', 'content-type', 'application/json', 'accept', '*/*', 'X-Amz-Meta', 'm', 'x-request-id', '1'],
  body: new Bytes([Buffer.from('{"a":'), Buffer.from('1}')]),
}
const signatureOf = (change: Partial<typeof call>, signer = new SigV4(keys, scope), at = wall) =>
  signer.sign({ ...call, ...change }, at).at(-1)

test('host, content type and AWS’s own headers are signed, others are not', () => {
  assert.match(signatureOf({}) ?? '', /SignedHeaders=content-type;host;x-amz-date;x-amz-meta,/)
  assert.equal(
    signatureOf({ headers: call.headers.map((word) => (word === '*/*' ? 'text/html' : word)) }),
    signatureOf({}),
  )
  assert.notEqual(signatureOf({ headers: call.headers.map((word) => (word === 'm' ? 'n' : word)) }), signatureOf({}))
})

test('the signature is of the exact body, whatever pieces it is in', () => {
  assert.equal(signatureOf({ body: new Bytes([Buffer.from('{"a":1}')]) }), signatureOf({}))
  assert.notEqual(signatureOf({ body: new Bytes([Buffer.from('{"a": 1}')]) }), signatureOf({}))
})

test('a signer that has signed before signs as a new one does, on the next day too', () => {
  const signer = new SigV4(keys, scope)
  for (const at of [wall, wall + 1000, wall + 86_400_000, wall])
    assert.equal(signatureOf({}, signer, at), signatureOf({}, undefined, at))
})

test('a model’s name goes into a path as the AWS SDK writes it', () => {
  assert.equal(encode('us.anthropic.claude-v1:0'), 'us.anthropic.claude-v1%3A0')
  assert.equal(encode("a/b c!'()*ü"), 'a%2Fb%20c%21%27%28%29%2A%C3%BC')
})
