import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Mock, startMock } from '../../cli/mock/server.ts'
import { ApiServer } from '../../operator/api-server.ts'
import type { Child } from '../helpers/child.ts'
import { useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import { apply, endpoint, prepare, route, runningPod, startOperator } from '../helpers/operators.ts'
import type { OperatorProcess } from '../helpers/operators.ts'
import { Router } from '../helpers/router.ts'
import { sidecarProcess } from '../helpers/sidecar-process.ts'

interface Route {
  readonly status?: {
    readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[]
  }
}
const PATH = '/apis/tradewind.dev/v1alpha1/namespaces/ai/modelroutes/chat'

describe(
  'a trained artefact, from its ConfigMap to the requests',
  { skip: needs('kube-apiserver', 'etcd', 'kubectl') },
  () => {
    const server = useApiServer()
    const mocks: Mock[] = []
    let api: ApiServer
    let operator: OperatorProcess
    let sidecar: Child
    let traffic: string

    before(async () => {
      await prepare(server())
      api = await ApiServer.connect(server().kubeconfig)
      operator = await startOperator(server(), { flags: ['--allow-loopback', 'true'] })
      await server().namespace('ai')
      for (const name of ['small', 'strong']) mocks.push(await startMock({ name, tokens: 4 }))
      await apply(
        server(),
        ...mocks.map(({ name, url }, rank) =>
          endpoint('ai', name, {
            address: { type: 'URL', url: `${url}/v1` },
            models: [{ name, rank, price: { input: String(1 + rank), output: String(1 + rank) } }],
          }),
        ),
        route('ai', 'chat', {
          rules: [
            {
              targets: mocks.map(({ name }) => ({ endpoint: { name } })),
              strategy: { type: 'Classifier', classifier: { artefact: { name: 'router' }, floor: '0.6' } },
            },
          ],
        }),
      )
      await runningPod(server(), 'ai', 'app')
      const { url, start } = await sidecarProcess(server(), 'ai', 'app', () => operator.ports.push)
      traffic = `${url}/v1/chat/completions`
      sidecar = start()
    })
    after(async () => {
      await sidecar?.stop()
      await operator?.stop()
      await api?.close()
      await Promise.all(mocks.map((it) => it.close()))
    })

    const artefact = (bytes: Uint8Array) =>
      apply(server(), {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'router', namespace: 'ai', labels: { 'tradewind.dev/use': 'artefact' } },
        binaryData: { artefact: Buffer.from(bytes).toString('base64') },
      })
    const trained = (chat: number) => new Router({ small: { chat, math: 0.2 }, strong: { chat: 0.95, math: 0.95 } })
    /** Who answers a greeting, and why. */
    const asked = async (): Promise<readonly [endpoint: string | null, reason: string | null]> => {
      const messages = [{ role: 'user', content: trained(0.5).example('chat') }]
      const { headers } = await fetch(traffic, { method: 'POST', body: JSON.stringify({ model: 'chat', messages }) })
      return [headers.get('x-tradewind-endpoint'), headers.get('x-tradewind-reason')]
    }
    const comesTo = (endpoint: string, why: string, resolved: string) =>
      eventually(
        async () => {
          assert.deepEqual(await asked(), [endpoint, why])
          const { status } = await api.call<Route>('GET', PATH)
          assert.equal(status?.conditions.find(({ type }) => type === 'ResolvedRefs')?.reason, resolved)
        },
        { within: 20_000 },
      )

    test('without it the strongest answers, and the route says what is missing', () =>
      comesTo('ai/strong', 'no_artefact', 'ArtefactNotFound'))

    test('with it the cheapest that will do', async () => {
      await artefact(trained(0.9).bytes)
      await comesTo('ai/small', 'classifier', 'ResolvedRefs')
    })

    test('another one under the same name takes its place, and is taken back, while requests go on', async () => {
      const { signal, done } = asking(asked)
      await artefact(trained(0.3).bytes)
      await comesTo('ai/strong', 'classifier', 'ResolvedRefs')
      await artefact(trained(0.9).bytes)
      await comesTo('ai/small', 'classifier', 'ResolvedRefs')
      signal.stop = true
      const answers = await done
      assert.ok(answers.length > 5, `${answers.length}`)
      for (const [endpoint, why] of answers) assert.deepEqual([endpoint !== null, why], [true, 'classifier'])
    })

    test('one that does not load leaves requests to the strongest, and the route says why', async () => {
      const { bytes } = trained(0.9)
      await artefact(bytes.subarray(0, bytes.length / 2))
      await comesTo('ai/strong', 'no_artefact', 'ArtefactInvalid')
      await artefact(trained(0.9).bytes)
      await comesTo('ai/small', 'classifier', 'ResolvedRefs')
    })

    test('one that is deleted leaves them too', async () => {
      await server().kubectl(['delete', 'configmap', '-n', 'ai', 'router'])
      await comesTo('ai/strong', 'no_artefact', 'ArtefactNotFound')
    })
  },
)

/** Asks one after the other until it is told to stop. */
function asking<T>(ask: () => Promise<T>): {
  readonly signal: { stop: boolean }
  readonly done: Promise<readonly T[]>
} {
  const signal = { stop: false }
  const run = async () => {
    const answers: T[] = []
    while (!signal.stop) answers.push(await ask())
    return answers
  }
  return { signal, done: run() }
}
