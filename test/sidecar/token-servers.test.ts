import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledEndpoint } from '../../api/compiled.ts'
import { authority } from '../helpers/authority.ts'
import { endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { observed, otlp } from '../helpers/observed.ts'
import { scratch } from '../helpers/scratch.ts'

/**
 * Servers of tokens behind TLS by a CA that only the endpoint knows, which give tokens, or say back what they were sent in every way that
 * they have.
 */

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
const WEB_IDENTITY = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from('{"sub":"system:serviceaccount:ai:app"}').toString('base64url')}.signature-of-the-web-identity_0123456789`

interface Answer {
  readonly status: number
  readonly body: string
}
/** What such a server answers to what it was sent: the token or assertion, and the whole form. */
type Answers = (sent: string, form: string) => Answer

const kinds = ['VertexAI', 'Bedrock'] as const
type Kind = (typeof kinds)[number]

const good: Readonly<Record<Kind, Answers>> = {
  VertexAI: () => ({ status: 200, body: '{"access_token":"ya29.of-the-server","expires_in":3600}' }),
  Bedrock: () => ({
    status: 200,
    body: `<AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken><Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration>`,
  }),
}

const providers: Readonly<Record<Kind, CompiledEndpoint['provider']>> = {
  VertexAI: { type: 'VertexAI', settings: { project: 'my-project', location: 'europe-west4' } },
  Bedrock: { type: 'Bedrock', settings: { region: 'eu-west-1' } },
}

/** A sidecar with an endpoint of that provider, its server of tokens, and all that is said and kept of a request. */
async function asked(t: TestContext, type: Kind, answers: Answers, trusting = true) {
  const { ca, of } = await authority('127.0.0.1')
  const sent: string[] = []
  const server = createServer({ key: of['127.0.0.1'].key, cert: of['127.0.0.1'].cert }, (request, response) => {
    let form = ''
    request.setEncoding('utf8').on('data', (text: string) => (form += text))
    request.on('end', () => {
      const fields = new URLSearchParams(form)
      const secret = fields.get('assertion') ?? fields.get('WebIdentityToken') ?? ''
      // It serves the models as well.
      if (secret === '') {
        sent.push(request.headers.authorization ?? '')
        return response.writeHead(400, { 'content-type': 'application/json' }).end('{"message":"as far as here"}')
      }
      sent.push(secret)
      const { status, body } = answers(secret, form)
      return response.writeHead(status, { 'x-echo': secret }).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on a port
  const directory = scratch('token-server')
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'token')
  writeFileSync(file, WEB_IDENTITY)
  const account = {
    type: 'service_account',
    private_key: pem,
    client_email: 'tradewind@my-project.iam.gserviceaccount.com',
    token_uri: `${url}/token`,
  }
  const decisions = join(directory, 'decisions')
  const receiver = await otlp(t)
  const sidecar = await observed(
    t,
    {
      routes: [route('chat', [rule([target('a')])])],
      endpoints: [
        endpoint('a', url, {
          provider: providers[type],
          credentials:
            type === 'Bedrock'
              ? { type: 'WebIdentity' }
              : { type: 'Secret', secret: { secret: 'ai/s', key: 'account' } },
          ...(trusting ? { tls: { ca: { secret: 'ai/s', key: 'ca.crt' } } } : {}),
        }),
      ],
      secrets: { 'ai/s': { data: { account: JSON.stringify(account), 'ca.crt': ca } } },
    },
    Math.random,
    { to: ['file'], file: { path: decisions, size: 1e9, keep: 0 } },
    {
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/r',
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ENDPOINT_URL_STS: url,
    },
  )
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
  // The exporter reads the environment of the process itself.
  Object.assign(process.env, environment)
  t.after(() => Reflect.deleteProperty(process.env, 'OTEL_EXPORTER_OTLP_ENDPOINT'))
  await sidecar.telemetry.traces.start({ ...environment, OTEL_TRACES_SAMPLER_ARG: '1' }, (message) =>
    assert.fail(message),
  )
  const answer = await fetch(`${sidecar.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'hi' }] }),
  })
  const text = await answer.text()
  await eventually(() => assert.ok(sidecar.lines().some(({ msg }) => msg === 'request')))
  await eventually(() => assert.ok(readFileSync(decisions, 'utf8').endsWith('\n')))
  await sidecar.telemetry.traces.stop()
  const pages = await Promise.all(
    ['/metrics', '/status'].map(async (path) => (await fetch(sidecar.admin + path)).text()),
  )
  assert.ok(receiver.spans().length > 0)
  return {
    text,
    sent,
    kept: [
      text,
      JSON.stringify([...answer.headers]),
      sidecar.logged(),
      readFileSync(decisions, 'utf8'),
      ...pages,
      ...receiver.bodies,
    ].join('\n'),
  }
}

for (const type of kinds) {
  test(`token servers: one of ${type} is trusted by the endpoint’s own CA, and not without it`, async (t) => {
    const { text, sent } = await asked(t, type, good[type])
    assert.match(text, /as far as here/)
    assert.match(sent[1] ?? '', /^Bearer ya29\.of-the-server$|Credential=ASIAEXAMPLE/)
    const without = await asked(t, type, good[type], false)
    assert.match(without.text, /credentials_unavailable/)
    assert.deepEqual(without.sent, [])
  })
}

/** Any run of characters of a secret that is long enough to be of use; what is said in the open is none. */
function pieceIn(kept: string, secret: string): string | undefined {
  for (let i = 0; i + 24 <= secret.length; i++) {
    const piece = secret.slice(i, i + 24)
    if (kept.includes(piece)) return piece
  }
  return undefined
}

const xml = (status: number, message: string): Answer => ({
  status,
  body: `<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>${message}</Message></Error></ErrorResponse>`,
})
const oauth = (status: number, words: string): Answer => ({
  status,
  body: JSON.stringify({ error: 'invalid_grant', error_description: words }),
})

const echoes: Readonly<Record<string, Answers>> = {
  'as JSON': (sent) => oauth(400, `bad assertion ${sent}`),
  'its last half': (sent) => oauth(400, `…${sent.slice(sent.length / 2)}`),
  'its last part with a dot at its end': (sent) => oauth(401, `signature ${sent.split('.')[2]}. Try again.`),
  'as the name of the error': (sent) => ({ status: 400, body: JSON.stringify({ error: sent }) }),
  'as JSON with all characters escaped': (sent) => ({
    status: 400,
    body: `{"error":"x","error_description":"${Array.from(sent, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"}`,
  }),
  'as an error of status 200': (sent) => oauth(200, sent),
  'as XML': (sent) => xml(403, `the token ${sent} is none`),
  'as the code in XML': (sent) => ({ status: 400, body: `<Code>${sent}</Code><Message>${sent}</Message>` }),
  'as XML cut in it': (sent) => xml(400, `a${sent.slice(20, -20)}`),
  'the whole form': (_, form) => oauth(500, form),
  'the whole form as it is': (_, form) => ({ status: 500, body: form }),
  'the whole form in XML': (_, form) => xml(500, form),
}

for (const type of kinds)
  test(`token servers: what one of ${type} says back of what it was sent is in no answer, log, metric or span`, async (t) => {
    for (const [about, answers] of Object.entries(echoes)) {
      const { kept, text, sent } = await asked(t, type, answers)
      assert.match(text, /credentials_unavailable/, about)
      const [secret = ''] = sent
      assert.ok(secret.length > 80)
      assert.equal(pieceIn(kept, secret), undefined, about)
      assert.ok(!kept.includes('PRIVATE KEY') && !kept.includes(pem.slice(40, 80)), about)
    }
  })
