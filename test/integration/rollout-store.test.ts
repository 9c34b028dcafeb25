import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ModelRoute } from '../../api/model-route.ts'
import { ApiServer as Api } from '../../operator/api-server.ts'
import { Rate } from '../../operator/rate.ts'
import { StatusFields } from '../../operator/status-fields.ts'
import { KubernetesStore } from '../../operator/rollout/kubernetes-store.ts'
import { NO_RECORD } from '../../operator/rollout/record.ts'
import type { Writing } from '../../operator/rollout/store.ts'
import type { Stored } from '../../operator/source/kubernetes.ts'
import { type ApiServer, startApiServer } from '../helpers/envtest.ts'
import { needs } from '../helpers/needs.ts'
import { apply, prepare, route } from '../helpers/operators.ts'

const NAME = 'ai/chat'
const PATH = '/apis/tradewind.dev/v1alpha1/namespaces/ai/modelroutes/chat'

/** What is written of a rollout that is paused, told apart by its message. */
function writing(message: string): Writing {
  const counts = { canary: 0, stable: 0 }
  const now = '2026-01-01T00:00:00Z'
  const item = {
    rule: 'all',
    phase: 'Paused' as const,
    reason: 'PausedByHand',
    message,
    canary: 'new',
    version: 'v.0.0',
    step: 0,
    steps: 2,
    weight: 5,
    since: now,
    stepSince: now,
    waiting: 0,
    samples: counts,
    harmed: 0,
    guardrails: [],
    memory: '{}',
  }
  const condition = { type: 'Promoted', status: 'Unknown', reason: 'Paused', message, observedGeneration: 1 } as const
  return { record: NO_RECORD, items: [item], short: 'Paused 1/2 5%', condition }
}

describe('what is written of rollouts', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  let server: ApiServer
  let api: Api
  before(
    async () => {
      server = await startApiServer()
      await prepare(server)
      api = await Api.connect(server.kubeconfig)
      await server.namespace('ai')
      await apply(server, route('ai', 'chat', { rules: [{ name: 'all', targets: [{ endpoint: { name: 'old' } }] }] }))
    },
    { timeout: 60_000 },
  )
  after(async () => {
    await api?.close()
    await server?.stop()
  })

  const get = () => api.call<ModelRoute>('GET', PATH)
  /** The object as a watch would have brought it at this moment. */
  const seen = async (): Promise<Stored> => {
    const { metadata, status } = await get()
    return { uid: metadata.uid ?? '', resourceVersion: metadata.resourceVersion ?? '', status }
  }
  const store = (stored: Stored) =>
    new KubernetesStore(new StatusFields(api, 'tradewind-rollouts', () => stored, new Rate(100, 100)))
  const message = async () => (await get()).status?.rollouts?.[0]?.message

  test('who has not seen what was written since is refused, and so is who means another object of that name', async () => {
    const early = await seen()
    assert.equal(await store(early).write(NAME, early.uid, writing('one')), 'written')
    assert.equal(await store(early).write(NAME, early.uid, writing('late')), 'conflict')
    assert.equal(await message(), 'one')
    const now = await seen()
    assert.equal(await store(now).write(NAME, 'another', writing('other')), 'gone')
    assert.equal(await store(now).write(NAME, now.uid, writing('two')), 'written')
    assert.equal(await message(), 'two')
    assert.equal(await store(now).write('ai/none', now.uid, writing('none')), 'gone')
  })

  test('it leaves alone what others have written, and takes away what is its own', async () => {
    const programmed = {
      type: 'Programmed',
      status: 'True',
      reason: 'Programmed',
      message: 'All.',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const metadata = { name: 'chat', namespace: 'ai' }
    const theirs = {
      apiVersion: 'tradewind.dev/v1alpha1',
      kind: 'ModelRoute',
      metadata,
      status: { conditions: [programmed], programmed: '1/1' },
    }
    await api.apply(`${PATH}/status`, theirs, 'tradewind-operator')
    const types = async () => (await get()).status?.conditions?.map(({ type }) => type).toSorted()
    let now = await seen()
    assert.equal(await store(now).write(NAME, now.uid, writing('three')), 'written')
    assert.deepEqual(await types(), ['Programmed', 'Promoted'])
    now = await seen()
    const nothing = { record: NO_RECORD, items: [], short: '', condition: undefined }
    assert.equal(await store(now).write(NAME, now.uid, nothing), 'written')
    const { status } = await get()
    assert.deepEqual(
      [await types(), status?.programmed, status?.rollouts, status?.rollout],
      [['Programmed'], '1/1', undefined, undefined],
    )
  })
})
