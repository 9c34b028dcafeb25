import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { issue, makeRoot } from '../../operator/certificates.ts'
import { useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import { find, render, type Rendered } from './chart.ts'

const skip = needs('kube-apiserver', 'etcd', 'kubectl', 'helm')
const server = useApiServer()

/** Takes the place of the operator: admits everything, and remembers which entries were asked. */
let operator: Server
let asked: string[] = []
let root: { readonly certificate: string; readonly key: string }

before(async () => {
  if (skip) return
  root = await makeRoot(3_600_000, Date.now())
  const { certificate, key } = await issue(root, ['127.0.0.1'], 3_600_000, Date.now())
  operator = createServer({ cert: certificate, key }, (request, response) => void admit(request, response))
  await new Promise<void>((resolve) => operator.listen(0, '127.0.0.1', resolve))
})
after(() => {
  operator?.close()
  operator?.closeAllConnections()
})

async function admit(request: IncomingMessage, response: ServerResponse): Promise<void> {
  asked.push(request.url?.replace(/^\/|\?.*/g, '') ?? '')
  const { uid } = JSON.parse((await request.setEncoding('utf8').toArray()).join('')).request
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true } }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(review))
}

interface Webhooks extends Rendered {
  readonly webhooks: readonly { readonly name: string }[]
}

/** Registers the chart's webhooks of that kind, each led to the test's own server at a path of its own name. */
async function register(objects: readonly Rendered[], kind: string): Promise<void> {
  const configuration = find(objects, kind) as Webhooks // the kind has them
  const { port } = operator.address() as AddressInfo // it listens on a port
  const caBundle = Buffer.from(root.certificate).toString('base64')
  const webhooks = configuration.webhooks.map((webhook) => {
    return { ...webhook, clientConfig: { url: `https://127.0.0.1:${port}/${webhook.name}`, caBundle } }
  })
  await server().kubectl(['apply', '-f', '-'], { input: JSON.stringify({ ...configuration, webhooks }) })
}

const pod = (namespace: string, labels: Readonly<Record<string, string>>) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'app', namespace, labels },
  spec: { containers: [{ name: 'app', image: 'localhost/app:1' }] },
})
/** The entries that are asked when the object is made, or takes the place of the one that is there. */
async function askedFor(object: object, verb: 'create' | 'replace' = 'create'): Promise<readonly string[]> {
  asked = []
  await server().kubectl([verb, '--dry-run=server', '-f', '-'], { input: JSON.stringify(object) })
  return asked.toSorted()
}

const byNamespace = 'namespace.inject.tradewind.dev'
const byPod = 'pod.inject.tradewind.dev'
/** What the labels of a namespace and of its pod say, and which entry is asked. */
const cases: readonly (readonly [namespace: string | undefined, pod: string | undefined, asked: readonly string[]])[] =
  [
    [undefined, undefined, []],
    [undefined, 'true', [byPod]],
    [undefined, 'false', []],
    ['true', undefined, [byNamespace]],
    ['true', 'true', [byNamespace]],
    ['true', 'false', []],
    ['false', undefined, []],
    ['false', 'true', [byPod]],
    ['yes', 'yes', []],
  ]
const labels = (inject: string | undefined): Readonly<Record<string, string>> =>
  inject === undefined ? {} : { 'tradewind.dev/inject': inject }

test('injection: pods that ask meet one entry, and others none', { skip }, async (t) => {
  await register(await render(), 'MutatingWebhookConfiguration')
  await server().kubectl(['label', 'namespace', 'kube-system', 'tradewind.dev/inject=true'])
  await server().namespace('tradewind-system', { 'tradewind.dev/inject': 'true' })
  await server().namespace('warm', { 'tradewind.dev/inject': 'true' })
  // The API server reads new webhooks a moment later.
  await eventually(async () => assert.deepEqual(await askedFor(pod('warm', {})), [byNamespace]))

  for (const [i, [ofNamespace, ofPod, expected]] of cases.entries()) {
    await t.test(`namespace ${ofNamespace ?? 'without label'}, pod ${ofPod ?? 'without label'}`, async () => {
      const namespace = await server().namespace(`case-${i}`, labels(ofNamespace))
      assert.deepEqual(await askedFor(pod(namespace, labels(ofPod))), expected)
    })
  }
  for (const namespace of ['kube-system', 'tradewind-system']) {
    await t.test(`never in ${namespace}`, async () => {
      if (namespace === 'kube-system') await server().kubectl(['create', 'serviceaccount', 'default', '-n', namespace])
      assert.deepEqual(await askedFor(pod(namespace, {})), [])
      assert.deepEqual(await askedFor(pod(namespace, labels('true'))), [])
    })
  }
})

test('injection: with watchNamespaces, only there', { skip }, async () => {
  await server().namespace('watched', labels('true'))
  await server().namespace('unwatched', labels('true'))
  await register(await render({ watchNamespaces: ['watched'] }), 'MutatingWebhookConfiguration')
  await eventually(async () => assert.deepEqual(await askedFor(pod('warm', {})), []))
  assert.deepEqual(await askedFor(pod('watched', labels('true'))), [byNamespace])
  assert.deepEqual(await askedFor(pod('unwatched', labels('true'))), [])
})

test('validation: both kinds, where they are served', { skip }, async () => {
  const route = (namespace: string) => ({
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name: 'r', namespace },
    spec: { models: ['m'], rules: [{ name: 'all', targets: [{ endpoint: { name: 'e' } }] }] },
  })
  const endpoint = (namespace: string) => ({
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelEndpoint',
    metadata: { name: 'e', namespace },
    spec: { provider: { type: 'OpenAI' }, models: [{ name: 'm' }] },
  })
  const objects = await render({ watchNamespaces: ['watched'] })
  for (const crd of objects.filter(({ kind }) => kind === 'CustomResourceDefinition')) {
    await server().kubectl(['create', '-f', '-'], { input: JSON.stringify(crd) })
    // A definition has no conditions at all in its first moment, which kubectl takes for an error.
    const established = ['wait', '--for=condition=Established', `crd/${crd.metadata.name}`, '--timeout=30s']
    await eventually(() => server().kubectl(established), { within: 30_000, every: 200 })
  }
  await register(objects, 'ValidatingWebhookConfiguration')
  const validation = ['validate.tradewind.dev']
  await eventually(async () => assert.deepEqual(await askedFor(route('watched')), validation))
  assert.deepEqual(await askedFor(endpoint('watched')), validation)
  assert.deepEqual(await askedFor(route('unwatched')), [])
  assert.deepEqual(await askedFor(endpoint('unwatched')), [])
})

test('rollouts: asked where an annotation may begin to move one, and not else', { skip }, async () => {
  const [validation, rollout] = ['validate.tradewind.dev', 'rollout.tradewind.dev']
  const route = (annotation: string | undefined, ...rollouts: readonly string[]) => ({
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: {
      name: 'moving',
      namespace: 'watched',
      annotations: {
        other: rollouts.join(' '),
        ...(annotation === undefined ? {} : { 'tradewind.dev/rollout': annotation }),
      },
    },
    spec: {
      models: ['m'],
      rules: ['one', 'two'].map((name) => ({
        name,
        ...(name === 'one' ? { matches: [{ headers: [{ name: 'x-one', value: '1' }] }] } : {}),
        targets: [{ endpoint: { name: 'e' } }, { endpoint: { name: 'f' } }],
        ...(rollouts.includes(name) ? { rollout: { canary: { name: 'f' } } } : {}),
      })),
    },
  })
  assert.deepEqual(await askedFor(route('promote', 'one')), [rollout, validation])
  assert.deepEqual(await askedFor(route(undefined, 'one')), [validation])
  for (const [before, after, expected] of [
    [route(undefined, 'one'), route(undefined, 'two'), [validation]],
    [route(undefined, 'one'), route('promote', 'one'), [rollout, validation]],
    [route('promote', 'one'), route('promote@2', 'one'), [rollout, validation]],
    [route('promote', 'one'), route('promote', 'one'), [validation]],
    [route('promote', 'one'), route(undefined, 'one'), [validation]],
    [route('promote', 'one'), route('promote', 'two'), [rollout, validation]],
    [route('promote', 'one'), route('promote', 'one', 'two'), [rollout, validation]],
  ] as const) {
    await server().kubectl(['apply', '-f', '-'], { input: JSON.stringify(before) })
    assert.deepEqual(await askedFor(after, 'replace'), expected, JSON.stringify(after))
  }
})
