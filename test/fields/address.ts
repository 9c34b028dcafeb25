import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { issue, makeRoot } from '../../operator/certificates.ts'
import { upstream, upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { LABELS, selector } from './selectors.ts'
import { at, chat, sidecar, to } from './setting.ts'
import type { Setting } from './setting.ts'

const routes = { chat: chat([to('e')]) }
const compatible = (address: object, rest: object = {}) => ({
  provider: { type: 'OpenAICompatible' },
  models: [{ name: 'm' }],
  address,
  ...rest,
})

/** The path that a simulated server was asked at by a sidecar with this endpoint. */
async function pathAt(
  t: TestContext,
  address: (port: number) => object,
  rest: Partial<Setting> = {},
): Promise<string | undefined> {
  const mock = await upstream(t)
  const services = { s: { 80: { host: '127.0.0.1', port: mock.port } } }
  const pods = { p: { ip: '127.0.0.1', labels: LABELS } }
  const { ask } = await sidecar(t, {
    endpoints: { e: compatible(address(mock.port)) },
    routes,
    services,
    pods,
    ...rest,
  })
  await ask()
  return mock.requests().at(-1)?.path
}

/** Whether a simulated server that speaks TLS answers through a sidecar with this endpoint. */
async function overTls(t: TestContext, address: (port: number) => object): Promise<boolean> {
  const root = await makeRoot(600_000, Date.now())
  const leaf = await issue(root, ['llm.internal', '127.0.0.1'], 600_000, Date.now())
  const mock = await upstream(t, { tls: { cert: leaf.certificate, key: leaf.key } })
  const { ask } = await sidecar(t, {
    endpoints: { e: compatible(address(mock.port), { tls: { ca: { name: 'ca' }, serverName: 'llm.internal' } }) },
    routes,
    secrets: { ca: { 'ca.crt': root.certificate } },
    services: { s: { 443: { host: '127.0.0.1', port: mock.port } } },
    pods: { p: { ip: '127.0.0.1', labels: LABELS } },
  })
  return (await ask()).status === 200
}

export const address: Coverage = {
  'ModelEndpoint spec.address.type': async (t) => {
    const [url, service, pod] = await upstreams(t, {}, {}, {})
    const setting = (address: object): Setting => ({
      endpoints: { e: compatible(address) },
      routes,
      services: { s: { 80: { host: '127.0.0.1', port: service.port } } },
      pods: { p: { ip: '127.0.0.1', labels: LABELS } },
    })
    const { ask, change } = await sidecar(t, setting({ type: 'URL', url: `${url.url}/v1` }))
    const asked = async () => {
      await ask()
      return [url, service, pod].map((mock) => mock.stats().requests)
    }
    assert.deepEqual(await asked(), [1, 0, 0])
    change(setting({ type: 'Service', service: { name: 's', port: 80, path: '/v1' } }))
    assert.deepEqual(await asked(), [1, 1, 0])
    change(setting({ type: 'Pods', pods: { selector: { matchLabels: LABELS }, port: pod.port, path: '/v1' } }))
    assert.deepEqual(await asked(), [1, 1, 1])
  },

  'ModelEndpoint spec.address.url': async (t) => {
    const [a, b] = await upstreams(t, {}, {})
    const { ask, change } = await sidecar(t, { endpoints: { e: at(a.url) }, routes })
    await ask()
    change({ endpoints: { e: at(b.url) }, routes })
    await ask()
    assert.deepEqual([a.stats().requests, b.stats().requests], [1, 1])
  },

  'ModelEndpoint spec.address.service.name': async (t) => {
    const [a, b] = await upstreams(t, {}, {})
    const by = (name: string): Setting => ({
      endpoints: { e: compatible({ type: 'Service', service: { name, port: 80, path: '/v1' } }) },
      routes,
      services: {
        a: { 80: { host: '127.0.0.1', port: a.port } },
        b: { 80: { host: '127.0.0.1', port: b.port } },
      },
    })
    const { ask, change } = await sidecar(t, by('a'))
    await ask()
    change(by('b'))
    await ask()
    assert.deepEqual([a.stats().requests, b.stats().requests], [1, 1])
  },

  'ModelEndpoint spec.address.service.port': async (t) => {
    const [a, b] = await upstreams(t, {}, {})
    const by = (port: number): Setting => ({
      endpoints: { e: compatible({ type: 'Service', service: { name: 's', port, path: '/v1' } }) },
      routes,
      services: { s: { 80: { host: '127.0.0.1', port: a.port }, 81: { host: '127.0.0.1', port: b.port } } },
    })
    const { ask, change } = await sidecar(t, by(80))
    await ask()
    change(by(81))
    await ask()
    assert.deepEqual([a.stats().requests, b.stats().requests], [1, 1])
  },

  'ModelEndpoint spec.address.service.scheme': async (t) => {
    const having = (scheme: object) => () => ({
      type: 'Service',
      service: { name: 's', port: 443, path: '/v1', ...scheme },
    })
    assert.equal(await overTls(t, having({ scheme: 'https' })), true)
    assert.equal(await overTls(t, having({})), false)
  },

  'ModelEndpoint spec.address.service.path': async (t) => {
    const having = (path: object) => () => ({ type: 'Service', service: { name: 's', port: 80, ...path } })
    assert.equal(await pathAt(t, having({ path: '/openai/v1' })), '/openai/v1/chat/completions')
    assert.equal(await pathAt(t, having({})), '/chat/completions')
  },

  ...selector('ModelEndpoint spec.address.pods.selector', async (t, selector) => {
    const mock = await upstream(t)
    const { ask } = await sidecar(t, {
      endpoints: { e: compatible({ type: 'Pods', pods: { selector, port: mock.port, path: '/v1' } }) },
      routes,
      pods: { p: { ip: '127.0.0.1', labels: LABELS } },
    })
    return (await ask()).status === 200
  }),

  'ModelEndpoint spec.address.pods.port': async (t) => {
    const [a, b] = await upstreams(t, {}, {})
    const by = (port: number): Setting => ({
      endpoints: { e: compatible({ type: 'Pods', pods: { selector: {}, port, path: '/v1' } }) },
      routes,
      pods: { p: { ip: '127.0.0.1', labels: LABELS } },
    })
    const { ask, change } = await sidecar(t, by(a.port))
    await ask()
    change(by(b.port))
    await ask()
    assert.deepEqual([a.stats().requests, b.stats().requests], [1, 1])
  },

  'ModelEndpoint spec.address.pods.scheme': async (t) => {
    const having = (scheme: object) => (port: number) => ({
      type: 'Pods',
      pods: { selector: {}, port, path: '/v1', ...scheme },
    })
    assert.equal(await overTls(t, having({ scheme: 'https' })), true)
    assert.equal(await overTls(t, having({})), false)
  },

  'ModelEndpoint spec.address.pods.path': async (t) => {
    const having = (path: object) => (port: number) => ({ type: 'Pods', pods: { selector: {}, port, ...path } })
    assert.equal(await pathAt(t, having({ path: '/openai/v1' })), '/openai/v1/chat/completions')
    assert.equal(await pathAt(t, having({})), '/chat/completions')
  },
}
