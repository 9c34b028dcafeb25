import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InvalidAwsCredentials, readAwsSecret, readRoleKeys, roleRequest } from './aws-credentials.ts'

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalr/XUtnFEMI+K7=' }
const lines = ['aws_access_key_id = AKIDEXAMPLE', 'aws_secret_access_key=wJalr/XUtnFEMI+K7=']

for (const [name, text, expected] of [
  ['a credentials file', ['[default]', ...lines, 'region = eu-west-1'].join('\n'), keys],
  ['the default profile of several', ['[one]', 'aws_access_key_id=A', '[default]', ...lines].join('\r\n'), keys],
  [
    'the first profile that has keys',
    ['[none]', 'region=x', '[one]', ...lines, '[two]', 'aws_access_key_id=B'].join('\n'),
    keys,
  ],
  ['a session token', [...lines, 'aws_session_token = FwoG//=='].join('\n'), { ...keys, sessionToken: 'FwoG//==' }],
  [
    'what a shell exports',
    'export AWS_ACCESS_KEY_ID="AKIDEXAMPLE"\nexport AWS_SECRET_ACCESS_KEY=wJalr/XUtnFEMI+K7=',
    keys,
  ],
  ['an API key', 'bedrock-api-key-YmVkcm9jaw==', { apiKey: 'bedrock-api-key-YmVkcm9jaw==' }],
] as const)
  test(`the Secret of AWS may hold ${name}`, () => assert.deepEqual(readAwsSecret(text), expected))

for (const text of ['', 'two words', lines[0] ?? '', '{"AccessKeyId": "A"}', '[default]\nregion = x'])
  test(`the Secret of AWS may not hold ${JSON.stringify(text)}`, () => {
    assert.throws(() => readAwsSecret(text), InvalidAwsCredentials)
  })

test('no text crashes what reads the Secret, and no complaint shows any of it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 12 }), (text) => {
      try {
        readAwsSecret(text)
      } catch (error) {
        assert.ok(error instanceof InvalidAwsCredentials)
        assert.ok(!error.message.includes(text))
      }
    }),
  )
})

const wall = Date.UTC(2026, 0, 1)
/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html: the sample response, trimmed. */
const answer = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>amzn1.account.AF6RHO7KZU5XRVQJGXK6HB56KR2A</SubjectFromWebIdentityToken>
    <Credentials>
      <SessionToken>AQoDYXdzEE0a8ANXXXXXXXXNO1ewxE5TijQyp+IEXAMPLE</SessionToken>
      <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>
      <Expiration>2026-01-01T01:00:00Z</Expiration>
      <AccessKeyId>ASgeIAIOSFODNN7EXAMPLE</AccessKeyId>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`

test('the keys of a role are read from the answer of STS', () => {
  assert.deepEqual(readRoleKeys(200, answer, wall, 'sent'), {
    accessKeyId: 'ASgeIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY',
    sessionToken: 'AQoDYXdzEE0a8ANXXXXXXXXNO1ewxE5TijQyp+IEXAMPLE',
    expires: wall + 3_600_000,
  })
})

test('why STS gives no keys is said', () => {
  const error =
    '<ErrorResponse><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code><Message>No OpenIDConnect provider found</Message></Error></ErrorResponse>'
  assert.equal(
    readRoleKeys(400, error, wall, 'sent'),
    'status 400, InvalidIdentityToken: No OpenIDConnect provider found',
  )
  assert.equal(readRoleKeys(502, '<html>', wall, 'sent'), 'status 502')
  assert.equal(readRoleKeys(200, answer.replace(/<SessionToken>.*/, ''), wall, 'sent'), 'its answer has no credentials')
  assert.equal(readRoleKeys(200, answer, wall + 3_600_000, 'sent'), 'the credentials have expired already')
})

test('STS is asked with a form', () => {
  assert.equal(
    roleRequest({ arn: 'arn:aws:iam::1:role/r', session: 's', token: 'a.b+c' }),
    'Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=s&WebIdentityToken=a.b%2Bc',
  )
})
