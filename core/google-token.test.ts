import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import test from 'node:test'
import { assertion, InvalidServiceAccount, readServiceAccount, readToken, tokenRequest } from './google-token.ts'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
const good = {
  type: 'service_account',
  private_key_id: 'k1',
  private_key: pem,
  client_email: 'a@p.iam.gserviceaccount.com',
  token_uri: 'https://oauth2.googleapis.com/token',
}
const read = (rest: object, loopback = false) => readServiceAccount(JSON.stringify({ ...good, ...rest }), loopback)
const WALL = 1_767_225_600_500

test('google token: an assertion is signed with RS256 over the claims that Google asks for', () => {
  const form = new URLSearchParams(tokenRequest(assertion(read({}), WALL)))
  assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer')
  const [head = '', body = '', mark = ''] = (form.get('assertion') ?? '').split('.')
  const parsed = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64url').toString())
  assert.deepEqual(parsed(head), { alg: 'RS256', typ: 'JWT', kid: 'k1' })
  assert.deepEqual(parsed(body), {
    iss: good.client_email,
    scope: 'https://www.googleapis.com/auth/cloud-platform',
    aud: good.token_uri,
    iat: 1_767_225_590,
    exp: 1_767_229_190,
  })
  const key = createPublicKey(privateKey)
  assert.ok(verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(mark, 'base64url')))
})

const { privateKey: elliptic } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const refused: readonly (readonly [about: string, rest: object, words: RegExp])[] = [
  ['of a user', { type: 'authorized_user' }, /service account/],
  ['without an address', { client_email: '' }, /"client_email"/],
  ['without a key', { private_key: undefined }, /"private_key"/],
  ['whose key is none', { private_key: 'secret-pem' }, /no RSA key/],
  ['whose key is of another kind', { private_key: elliptic.export({ type: 'pkcs8', format: 'pem' }) }, /no RSA key/],
  ['without a token server', { token_uri: undefined }, /"token_uri"/],
  ['whose token server is no URL', { token_uri: 'oauth2' }, /https URL/],
  ['whose token server is not reached by https', { token_uri: 'http://oauth2.googleapis.com/token' }, /https URL/],
  [
    'whose token server is on this machine, where that is not admitted',
    { token_uri: 'http://127.0.0.1:1/token' },
    /https URL/,
  ],
  ['whose token server has credentials in it', { token_uri: 'https://u:p@oauth2.googleapis.com/token' }, /https URL/],
]

for (const [about, rest, words] of refused)
  test(`google token: a key ${about} is refused, in words without a secret`, () => {
    assert.throws(
      () => read(rest),
      (error: unknown) => {
        assert.ok(error instanceof InvalidServiceAccount)
        assert.match(error.message, words)
        assert.doesNotMatch(error.message, /secret|BEGIN/)
        return true
      },
    )
  })

test('google token: what is no JSON is refused, and nothing of it is told', () => {
  assert.throws(
    () => readServiceAccount('AIza-secret', false),
    /^InvalidServiceAccount: The key is not JSON: put the whole/,
  )
})

test('google token: a token server on this machine is taken where that is admitted', () => {
  for (const uri of ['http://127.0.0.1:1/token', 'http://localhost:1/token', 'http://[::1]:1/token'])
    assert.equal(read({ token_uri: uri }, true).tokenUri.href, uri)
  assert.throws(() => read({ token_uri: 'http://10.0.0.1/token' }, true), InvalidServiceAccount)
})

const answers: readonly (readonly [about: string, status: number, body: string, expected: unknown])[] = [
  [
    'a token',
    200,
    '{"access_token":"ya29.a","expires_in":3599,"token_type":"Bearer"}',
    { value: 'ya29.a', expires: WALL + 3_599_000 },
  ],
  ['a token of unknown life', 200, '{"access_token":"ya29.a"}', { value: 'ya29.a', expires: WALL + 3_600_000 }],
  [
    'a refusal',
    400,
    '{"error":"invalid_grant","error_description":"Invalid JWT Signature."}',
    'it answered 400 (invalid_grant: Invalid JWT Signature.)',
  ],
  ['a page', 502, '<html>', 'it answered 502, and not with JSON'],
  ['nothing', 200, '{}', 'it answered 200 without a token'],
  ['a token that no header may hold', 200, '{"access_token":"a\\r\\nb"}', 'it answered 200 without a token'],
]

for (const [about, status, body, expected] of answers)
  test(`google token: an answer with ${about}`, () => assert.deepEqual(readToken(status, body, WALL, 'sent'), expected))
