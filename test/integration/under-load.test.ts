import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import { type Mock, startMock } from '../../cli/mock/server.ts'
import { ApiServer } from '../../operator/api-server.ts'
import type { Child } from '../helpers/child.ts'
import { useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import {
  apply,
  endpoint,
  type OperatorProcess,
  prepare,
  route,
  runningPod,
  startOperator,
} from '../helpers/operators.ts'
import { sidecarProcess } from '../helpers/sidecar-process.ts'
import type { SidecarProcess } from '../helpers/sidecar-process.ts'

interface Route {
  readonly metadata: { readonly generation: number }
  readonly status: {
    readonly programmed: string
    readonly conditions: readonly {
      readonly type: string
      readonly status: string
      readonly observedGeneration: number
    }[]
  }
}
const PATH = '/apis/tradewind.dev/v1alpha1/namespaces/ai/modelroutes/chat'

describe('a real operator, a real sidecar, and traffic', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  const server = useApiServer()
  const mocks: Mock[] = []
  let api: ApiServer
  let operator: OperatorProcess
  let sidecar: Child
  let its: SidecarProcess

  before(async () => {
    await prepare(server())
    api = await ApiServer.connect(server().kubeconfig)
    operator = await startOperator(server(), { flags: ['--allow-loopback', 'true'] })
    await server().namespace('ai')
    for (const name of ['a', 'b']) mocks.push(await startMock({ name, tokens: 4 }))
    await apply(
      server(),
      ...mocks.map(({ name, url }) =>
        endpoint('ai', name, { address: { type: 'URL', url: `${url}/v1` }, models: [{ name: 'm' }] }),
      ),
      route('ai', 'chat', {
        rules: [{ targets: mocks.map(({ name }) => ({ endpoint: { name }, weight: 50 })) }],
      }),
    )
    await runningPod(server(), 'ai', 'app')
    its = await sidecarProcess(server(), 'ai', 'app', () => operator.ports.push)
    sidecar = its.start()
    await programmed(1)
  })
  after(async () => {
    await sidecar?.stop()
    await operator?.stop()
    await api?.close()
    await Promise.all(mocks.map((it) => it.close()))
  })

  /** Waits until the status says that generation to be served by all connected sidecars. */
  const programmed = (generation: number) =>
    eventually(
      async () => {
        const { status } = await api.call<Route>('GET', PATH)
        const condition = status?.conditions.find(({ type }) => type === 'Programmed')
        assert.deepEqual(
          [condition?.observedGeneration, condition?.status, status.programmed],
          [generation, 'True', '1/1'],
        )
      },
      { within: 15_000 },
    )
  const weigh = async (a: number, b: number): Promise<number> => {
    const targets = [a, b].map((weight, i) => ({ endpoint: { name: mocks[i]?.name }, weight }))
    const { metadata } = await api.call<Route>('PATCH', PATH, {
      contentType: 'application/merge-patch+json',
      body: { spec: { rules: [{ targets }] } },
    })
    return metadata.generation
  }
  const client = () => new OpenAI({ baseURL: `${its.url}/v1`, apiKey: 'none', maxRetries: 0, timeout: 10_000 })

  /** Sends requests, half of them streams, until `done` resolves; resolves with how many there were and what failed. */
  async function traffic(done: Promise<unknown>, width = 8): Promise<{ requests: number; failures: unknown[] }> {
    const openai = client()
    const failures: unknown[] = []
    let requests = 0
    const over = new AbortController()
    const one = async (stream: boolean) => {
      requests++
      try {
        const request = { model: 'chat', messages: [{ role: 'user' as const, content: 'hello' }] }
        if (!stream) return assert.ok((await openai.chat.completions.create(request)).choices[0]?.finish_reason)
        let finished = false
        for await (const chunk of await openai.chat.completions.create({ ...request, stream }))
          if (chunk.choices[0]?.finish_reason) finished = true
        assert.ok(finished, 'the stream ended without a finish reason')
      } catch (error) {
        failures.push(error)
      }
    }
    const workers = Array.from({ length: width }, async (_, i) => {
      while (!over.signal.aborted) await one(i % 2 === 0)
    })
    await done.finally(() => over.abort())
    await Promise.all(workers)
    return { requests, failures }
  }

  test('200 edits of weights, to nothing and from nothing too: each is Programmed 1/1, and no request fails', async () => {
    const edits = async () => {
      const steps = [
        [90, 10],
        [100, 0],
        [0, 100],
        [50, 50],
        [0, 1],
        [1, 0],
        [3, 7],
      ] as const
      for (let i = 0; i < 200; i++) {
        const [a, b] = steps[i % steps.length] ?? [1, 1]
        await programmed(await weigh(a, b))
      }
    }
    const { requests, failures } = await traffic(edits())
    assert.deepEqual(failures, [])
    assert.ok(requests > 200)
  })

  test('once Programmed, a weight of 0 is exactly no traffic', async () => {
    for (const idle of [1, 0] as const) {
      await programmed(await weigh(idle, 1 - idle))
      for (const mock of mocks) mock.reset()
      const { requests, failures } = await traffic(new Promise((resolve) => setTimeout(resolve, 300)))
      assert.deepEqual(failures, [])
      assert.equal(mocks[idle]?.stats().requests, 0)
      assert.equal(mocks[1 - idle]?.stats().requests, requests)
    }
  })

  test('the operator is killed under load: nothing fails, a restarted sidecar serves what it had, and the operator comes back', async () => {
    await programmed(await weigh(1, 1))
    const killed = operator.child.stop(0).then(() => new Promise((resolve) => setTimeout(resolve, 500)))
    const without = await traffic(killed)
    assert.deepEqual(without.failures, [])

    await sidecar.stop(0)
    sidecar = its.start()
    await eventually(() => client().models.list(), { within: 10_000 })
    const restarted = await traffic(new Promise((resolve) => setTimeout(resolve, 300)))
    assert.deepEqual(restarted.failures, [])
    assert.ok(restarted.requests > 0)

    // Edited while nobody was there to see it.
    const generation = await weigh(1, 0)
    const back = startOperator(server(), {
      flags: ['--allow-loopback', 'true', '--push-port', String(operator.ports.push)],
    })
    const meanwhile = await traffic(
      back.then(async (it) => {
        operator = it
        await programmed(generation)
      }),
    )
    assert.deepEqual(meanwhile.failures, [])
    const bytes = await operator.metric('tradewind_operator_push_bytes_total')
    const whole = JSON.stringify(await (await fetch(`${its.admin}/config`)).json()).length
    assert.ok(bytes < whole / 2, `${bytes} bytes were pushed, of ${whole} in force: only what differs`)
  })
})
