import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { issue, makeRoot } from '../../operator/certificates.ts'
import { clientCertificate } from '../helpers/client-certificate.ts'
import { upstream } from '../helpers/upstream.ts'
import { signedBy } from './bedrock.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, sidecar, to } from './setting.ts'
import type { Setting } from './setting.ts'

const routes = { chat: chat([to('e')]) }
const DAY = 86_400_000

/** The headers that a simulated server gets of a request with its own Authorization, through an endpoint that says more. */
async function headersOf(t: TestContext, rest: object, headers: Readonly<Record<string, string>> = {}) {
  const mock = await upstream(t)
  const { ask } = await sidecar(t, {
    endpoints: { e: at(mock.url, rest) },
    routes,
    secrets: { one: { 'api-key': 'key-one', other: 'key-two' }, two: { 'api-key': 'key-three' } },
  })
  assert.equal((await ask({ headers: { authorization: 'Bearer callers-own', ...headers } })).status, 200)
  return mock.requests().at(-1)?.headers ?? {}
}
const secret = (secret: object) => ({ credentials: { type: 'Secret', secret } })

/** Whether an HTTPS server is answered through an endpoint that says so about TLS. Its certificate is for `names`, by the root in Secret `ca`. */
async function trusts(
  t: TestContext,
  tls: object | undefined,
  names: readonly string[] = ['127.0.0.1'],
  clients = false,
) {
  const now = Date.now()
  const [root, other] = [await makeRoot(DAY, now), await makeRoot(DAY, now)]
  const leaf = await issue(root, names, DAY, now)
  const client = await clientCertificate()
  const mock = await upstream(t, {
    tls: { cert: leaf.certificate, key: leaf.key, ca: clients ? client.certificate : undefined },
  })
  const { ask } = await sidecar(t, {
    endpoints: { e: at(mock.url, tls && { tls }) },
    routes,
    secrets: {
      ca: { 'ca.crt': root.certificate, 'other.crt': other.certificate },
      other: { 'ca.crt': other.certificate },
      client: { 'tls.crt': client.certificate, 'tls.key': client.key },
    },
  })
  return (await ask()).status === 200
}

/** A proxy that takes CONNECT, and sends everything to one port. */
async function connectProxy(t: TestContext, port: number) {
  const asked: string[] = []
  const server = createServer().on('connect', ({ url }, socket) => {
    asked.push(url ?? '')
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const)
      one.on('error', () => {}).on('close', () => other.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port: own } = server.address() as AddressInfo // it listens on a port
  return { url: `http://127.0.0.1:${own}`, asked }
}

export const connection: Coverage = {
  'ModelEndpoint spec.credentials.type': async (t) => {
    assert.equal((await headersOf(t, secret({ name: 'one' }))).authorization, 'Bearer key-one')
    assert.equal((await headersOf(t, { credentials: { type: 'Passthrough' } })).authorization, 'Bearer callers-own')
    assert.equal((await headersOf(t, {})).authorization, undefined)
    // Keys of a role are those that STS gives.
    assert.match(await signedBy(t, { type: 'WebIdentity' }), /^ASIA/)
    assert.match(await signedBy(t, { type: 'Secret', secret: { name: 'aws' } }), /^AKID/)
  },
  'ModelEndpoint spec.credentials.secret.name': async (t) => {
    assert.equal((await headersOf(t, secret({ name: 'one' }))).authorization, 'Bearer key-one')
    assert.equal((await headersOf(t, secret({ name: 'two' }))).authorization, 'Bearer key-three')
  },
  'ModelEndpoint spec.credentials.secret.key': async (t) => {
    assert.equal((await headersOf(t, secret({ name: 'one', key: 'other' }))).authorization, 'Bearer key-two')
    assert.equal((await headersOf(t, secret({ name: 'one' }))).authorization, 'Bearer key-one')
  },

  'ModelEndpoint spec.tls.ca.name': async (t) => {
    assert.equal(await trusts(t, { ca: { name: 'ca' } }), true)
    assert.equal(await trusts(t, { ca: { name: 'other' } }), false)
    assert.equal(await trusts(t, undefined), false)
  },
  'ModelEndpoint spec.tls.ca.key': async (t) => {
    assert.equal(await trusts(t, { ca: { name: 'ca', key: 'ca.crt' } }), true)
    assert.equal(await trusts(t, { ca: { name: 'ca', key: 'other.crt' } }), false)
  },
  'ModelEndpoint spec.tls.clientCertificate.name': async (t) => {
    const ca = { name: 'ca' }
    assert.equal(await trusts(t, { ca, clientCertificate: { name: 'client' } }, undefined, true), true)
    assert.equal(await trusts(t, { ca }, undefined, true), false)
  },
  'ModelEndpoint spec.tls.serverName': async (t) => {
    const ca = { name: 'ca' }
    assert.equal(await trusts(t, { ca, serverName: 'llm.internal' }, ['llm.internal']), true)
    assert.equal(await trusts(t, { ca }, ['llm.internal']), false)
  },

  'ModelEndpoint spec.headers.set{}': async (t) => {
    const own = { 'x-team': 'callers' }
    assert.equal((await headersOf(t, { headers: { set: { 'X-Team': 'search' } } }, own))['x-team'], 'search')
    assert.equal((await headersOf(t, {}, own))['x-team'], 'callers')
  },
  'ModelEndpoint spec.headers.remove[]': async (t) => {
    const own = { 'x-debug': 'yes' }
    assert.equal((await headersOf(t, { headers: { remove: ['X-Debug'] } }, own))['x-debug'], undefined)
    assert.equal((await headersOf(t, {}, own))['x-debug'], 'yes')
  },

  'ModelEndpoint spec.proxy.url': async (t) => {
    const mock = await upstream(t)
    const proxy = await connectProxy(t, mock.port)
    const through = (rest: object): Setting => ({ endpoints: { e: at('http://models.invalid:8000', rest) }, routes })
    const { ask, change } = await sidecar(t, through({ proxy: { url: proxy.url } }))
    assert.equal((await ask()).status, 200)
    assert.deepEqual(proxy.asked, ['models.invalid:8000'])
    change(through({}))
    assert.equal((await ask()).status, 502)
    assert.equal(proxy.asked.length, 1)
  },
}
