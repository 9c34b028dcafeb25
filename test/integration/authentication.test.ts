import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import {
  apply,
  connectSidecar,
  endpoint,
  type OperatorProcess,
  podToken,
  prepare,
  route,
  runningPod,
  startOperator,
  SYSTEM,
  trustedRoots,
} from '../helpers/operators.ts'

interface Answer {
  readonly status: number
  readonly body: string
}

describe('who is let in', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  const server = useApiServer()
  let operator: OperatorProcess
  let roots: string

  before(async () => {
    await prepare(server())
    operator = await startOperator(server())
    await server().namespace('ai')
    await server().namespace('other')
    await apply(
      server(),
      ...['ai', 'other'].flatMap((namespace) => [
        endpoint(namespace, 'models'),
        route(namespace, 'chat', { rules: [{ targets: [{ endpoint: { name: 'models' } }] }] }),
      ]),
    )
    await runningPod(server(), 'ai', 'app')
    await runningPod(server(), 'other', 'app')
    roots = await trustedRoots(server(), 'ai')
  })
  after(async () => operator?.stop())

  /** The answer to an upgrade with this Authorization; status 101 where it was taken. */
  function knock(authorization: string | undefined, path = '/v1/config'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`wss://localhost:${operator.ports.push}${path}`, {
        ca: roots,
        headers: authorization === undefined ? {} : { authorization },
      })
      socket.on('error', reject)
      socket.on('open', () => {
        socket.terminate()
        resolve({ status: 101, body: '' })
      })
      socket.on('unexpected-response', (_, response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => (body += text))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      })
    })
  }

  /** The claims of a token of the pod as the API server would make it, to be signed by its own key. */
  async function claims(over: object): Promise<object> {
    const token = await podToken(server(), 'ai', 'app')
    return { ...JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()), ...over }
  }

  test('a pod’s own token is taken, and gives the routes of its own namespace only', async (t) => {
    const sidecar = await connectSidecar(server(), operator.ports.push, 'ai', 'app')
    t.after(() => sidecar.stop())
    await eventually(() =>
      assert.deepEqual([...(sidecar.applied.at(-1)?.keys() ?? [])].sort(), ['endpoint/ai/models', 'route/ai/chat']),
    )
  })

  test('without a token the answer is 401, and says what to send', async () => {
    assert.deepEqual(await knock(undefined), {
      status: 401,
      body: '{"error":{"message":"No token: send the pod’s ServiceAccount token as `Authorization: Bearer …`."}}',
    })
  })

  const cases: readonly (readonly [what: string, token: () => Promise<string>, expected: RegExp])[] = [
    [
      'an expired token, signed by the API server’s own key',
      async () => {
        const now = Math.floor(Date.now() / 1000)
        return server().key.sign(await claims({ iat: now - 7200, nbf: now - 7200, exp: now - 3600 }))
      },
      /it has expired/,
    ],
    [
      'a token that another cluster signed',
      async () => {
        const { makeServiceAccountKey } = await import('../helpers/service-account-key.ts')
        return makeServiceAccountKey().sign(await claims({}))
      },
      /The token is not valid/,
    ],
    ['a token for another audience', () => podToken(server(), 'ai', 'app', 'vault'), /another audience|not valid/],
    ['a token for the API server itself', () => server().token('ai', 'default'), /another audience|not valid/],
    [
      'a token of the ServiceAccount that is bound to no pod',
      () => server().token('ai', 'default', { audience: 'tradewind' }),
      /not bound to a pod/,
    ],
    [
      'a token that says it is of a pod that is not there',
      async () =>
        server().key.sign(
          await claims({
            'kubernetes.io': {
              namespace: 'ai',
              pod: { name: 'ghost', uid: '11111111-1111-1111-1111-111111111111' },
              serviceaccount: { name: 'default', uid: '11111111-1111-1111-1111-111111111111' },
            },
          }),
        ),
      /gone|not valid/,
    ],
    ['no token at all but words', async () => 'let-me-in', /The token is not valid/],
  ]
  for (const [what, token, expected] of cases)
    test(`401 for ${what}`, async () => {
      const { status, body } = await knock(`Bearer ${await token()}`)
      assert.equal(status, 401)
      assert.match(body, expected)
      assert.doesNotMatch(body, /eyJ/, 'no part of the token comes back')
    })

  test('401 for a pod that has no sidecar of ours', async () => {
    await runningPod(server(), 'ai', 'plain', { labels: { 'tradewind.dev/injected': 'no' } })
    const { status, body } = await knock(`Bearer ${await podToken(server(), 'ai', 'plain')}`)
    assert.equal(status, 401)
    assert.match(body, /ai\/plain/)
  })

  test('404 for a path that is nothing, and 403 for a sidecar that would merge', async () => {
    const token = await podToken(server(), 'ai', 'app')
    assert.equal((await knock(`Bearer ${token}`, '/v1/else')).status, 404)
    assert.equal((await knock(`Bearer ${token}`, '/v1/merge')).status, 403)
  })

  test('another pod’s token gets that pod’s routes, whatever the sidecar says of itself', async (t) => {
    const sidecar = await connectSidecar(server(), operator.ports.push, 'ai', 'app', {
      token: await podToken(server(), 'other', 'app'),
    })
    t.after(() => sidecar.stop())
    await eventually(() =>
      assert.deepEqual([...(sidecar.applied.at(-1)?.keys() ?? [])].sort(), [
        'endpoint/other/models',
        'route/other/chat',
      ]),
    )
  })

  test('a pod’s labels decide, as they are now', async (t) => {
    await apply(
      server(),
      route('ai', 'blue', {
        workloads: { selector: { matchLabels: { color: 'blue' } } },
        rules: [{ targets: [{ endpoint: { name: 'models' } }] }],
      }),
    )
    await runningPod(server(), 'ai', 'chameleon')
    const sidecar = await connectSidecar(server(), operator.ports.push, 'ai', 'chameleon')
    t.after(() => sidecar.stop())
    const serves = (expected: boolean) =>
      eventually(() => assert.equal(sidecar.applied.at(-1)?.has('route/ai/blue'), expected))
    await serves(false)
    await server().kubectl(['label', 'pod', 'chameleon', '-n', 'ai', 'color=blue'])
    await serves(true)
    await server().kubectl(['label', 'pod', 'chameleon', '-n', 'ai', 'color-'])
    await serves(false)
  })

  test('a pod that is deleted loses its connection, and is not let in again', async (t) => {
    await runningPod(server(), 'ai', 'mortal')
    const sidecar = await connectSidecar(server(), operator.ports.push, 'ai', 'mortal')
    t.after(() => sidecar.stop())
    await eventually(() => assert.ok(sidecar.client.connected))
    await server().kubectl(['delete', 'pod', 'mortal', '-n', 'ai', '--force', '--grace-period=0'])
    await eventually(() =>
      assert.ok(sidecar.history.some(({ connected, why }) => !connected && /pod is gone/.test(why))),
    )
    await eventually(() => assert.ok(sidecar.history.some(({ why }) => /401/.test(why))))
    // One of the same name is another pod.
    await runningPod(server(), 'ai', 'mortal')
    await eventually(() => assert.ok(sidecar.history.filter(({ why }) => /401/.test(why)).length >= 3), {
      within: 20_000,
    })
    assert.equal(sidecar.client.connected, false)
  })

  test('a token that ends closes its connection, unless a renewed one came on it', async (t) => {
    const short = async (pod: string, seconds: number) => {
      const token = await podToken(server(), 'ai', pod)
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object
      // The API server makes none that is good for less than ten minutes; its key does.
      return server().key.sign({ ...claims, exp: Math.floor(Date.now() / 1000) + seconds })
    }
    await runningPod(server(), 'ai', 'forgetful')
    await runningPod(server(), 'ai', 'diligent')
    const [forgetful, diligent] = await Promise.all(
      ['forgetful', 'diligent'].map(async (pod) =>
        connectSidecar(server(), operator.ports.push, 'ai', pod, { token: await short(pod, 6) }),
      ),
    )
    assert.ok(forgetful && diligent)
    t.after(() => [forgetful, diligent].forEach((it) => it.stop()))
    await eventually(() => assert.ok(forgetful.client.connected && diligent.client.connected))
    writeFileSync(diligent.tokenFile, await short('diligent', 3600))
    await eventually(
      () => assert.ok(forgetful.history.some(({ connected, why }) => !connected && /expired/.test(why))),
      { within: 15_000 },
    )
    assert.deepEqual(diligent.history, [{ connected: true, why: 'connected' }], 'it never lost its connection')
  })

  test('a renewed token of another pod closes the connection', async (t) => {
    await runningPod(server(), 'ai', 'thief')
    const sidecar = await connectSidecar(server(), operator.ports.push, 'ai', 'thief')
    t.after(() => sidecar.stop())
    await eventually(() => assert.ok(sidecar.client.connected))
    writeFileSync(sidecar.tokenFile, await podToken(server(), 'ai', 'app'))
    await eventually(() => assert.ok(sidecar.history.some(({ why }) => /another pod/.test(why))))
  })

  test('tokens are reviewed once a minute, however often they come', async () => {
    const reviews = () =>
      server()
        .auditLog()
        .filter(({ objectRef }) => objectRef?.resource === 'tokenreviews').length
    const token = await podToken(server(), 'ai', 'app')
    const before = reviews()
    const answers = await Promise.all(Array.from({ length: 20 }, () => knock(`Bearer ${token}`)))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([101]))
    assert.equal(reviews() - before, 1)
  })

  describe('the status API', () => {
    const ask = async (token: string | undefined, query = '') => {
      const { request, Agent } = await import('undici')
      const dispatcher = new Agent({ connect: { ca: roots } })
      const { statusCode, body } = await request(`https://localhost:${operator.ports.push}/v1/status${query}`, {
        dispatcher,
        headers: token ? { authorization: `Bearer ${token}` } : {},
      })
      const answer = { status: statusCode, text: await body.text() }
      await dispatcher.close()
      return answer
    }

    test('is for those who may list sidecars.tradewind.dev, by their own token', async () => {
      assert.equal((await ask(undefined)).status, 401)
      assert.equal((await ask('nonsense')).status, 401)
      await server().kubectl(['create', 'serviceaccount', 'viewer', '-n', 'ai'])
      const viewer = await server().token('ai', 'viewer')
      assert.equal((await ask(viewer, '?namespace=ai')).status, 403)
      // There is no such resource, only the right to it.
      const role = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'viewer', namespace: 'ai' },
        rules: [{ apiGroups: ['tradewind.dev'], resources: ['sidecars'], verbs: ['list'] }],
      }
      await apply(server(), role)
      await server().kubectl([
        'create',
        'rolebinding',
        'viewer',
        '-n',
        'ai',
        '--role=viewer',
        '--serviceaccount=ai:viewer',
      ])
      const answer = await eventually(async () => {
        const it = await ask(viewer, '?namespace=ai')
        assert.equal(it.status, 200)
        return it
      })
      // What the operator says of itself.
      const { routes, sidecars } = JSON.parse(answer.text) as {
        routes: { name: string }[]
        sidecars: { pod: string }[]
      }
      assert.ok(routes.some(({ name }) => name === 'ai/chat'))
      assert.ok(sidecars.every(({ pod }) => pod.startsWith('ai/')))
      assert.equal((await ask(viewer)).status, 403)
      const operatorToken = await server().token(SYSTEM, 'tradewind-operator')
      const all = JSON.parse((await ask(operatorToken)).text) as { routes: { name: string }[] }
      assert.ok(all.routes.some(({ name }) => name === 'other/chat'))
    })
  })
})
