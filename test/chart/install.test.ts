import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import { chart } from './chart.ts'

const skip = needs('kube-apiserver', 'etcd', 'kubectl', 'helm')
const server = useApiServer()

const crds = ['modelendpoints.tradewind.dev', 'modelroutes.tradewind.dev']
/** The objects of that kind in the cluster, of the labels given; names only. */
async function names(kind: string, selector = 'app.kubernetes.io/name=tradewind'): Promise<readonly string[]> {
  const list = await server().kubectl(['get', kind, '-A', '-l', selector, '-o', 'name'])
  return list.split('\n').filter(Boolean)
}
const installedCrds = async () => {
  const all = await server().kubectl(['get', 'crd', '-o', 'jsonpath={.items[*].metadata.name}'])
  return all.split(' ').filter(Boolean).sort()
}
const release = (namespace: string) => ['tradewind', '--namespace', namespace]
// No pod ever runs here, so that what a hook's Job does is tested where one does.
const uninstall = (namespace: string) => server().helm(['uninstall', ...release(namespace), '--no-hooks'])
const everyKind = [
  'deployments,services,serviceaccounts,poddisruptionbudgets,networkpolicies,roles,rolebindings,secrets',
  'clusterroles,clusterrolebindings,mutatingwebhookconfigurations,validatingwebhookconfigurations',
].join(',')

test('lint: Helm has nothing to say against the chart', { skip }, async () => {
  assert.match(await server().helm(['lint', '--strict', chart]), /0 chart\(s\) failed/)
})

test('install: the API server takes every object, and uninstall leaves the definitions alone', { skip }, async () => {
  const notes = await server().helm(['install', ...release('one'), chart, '--create-namespace'])
  assert.match(notes, /kubectl label namespace NAMESPACE tradewind\.dev\/inject=true/)
  assert.ok((await names(everyKind)).length >= 11)
  assert.deepEqual(await installedCrds(), crds)

  await uninstall('one')
  assert.deepEqual(await names(everyKind), [])
  assert.deepEqual(await installedCrds(), crds)
})

test('install: a second time, over the definitions that the first one left', { skip }, async () => {
  await server().helm(['install', ...release('one'), chart, '--set', 'crds.keep=false'])
  await uninstall('one')
  await eventually(async () => assert.deepEqual(await installedCrds(), [], 'crds.keep=false removes them'))
})

test('install: with watchNamespaces, there are roles in those and no cluster-wide one', { skip }, async () => {
  await server().namespace('team-a')
  await server().namespace('team-b')
  await server().helm([
    'install',
    ...release('two'),
    chart,
    '--create-namespace',
    '--set',
    'watchNamespaces={team-a,team-b}',
  ])
  assert.deepEqual(await names('clusterroles,clusterrolebindings'), [])
  const roles = await server().kubectl(['get', 'roles', '-A', '-o', 'jsonpath={.items[*].metadata.namespace}'])
  assert.deepEqual([...new Set(roles.split(' ').filter((it) => /^(two|team-.)$/.test(it)))].sort(), [
    'team-a',
    'team-b',
    'two',
  ])

  // The operator may not tell the API server whom to trust then: chart and Secret agree on a certificate that stays.
  const trusted = async () => {
    const bundle = 'jsonpath={.webhooks[0].clientConfig.caBundle}'
    return {
      mutating: await server().kubectl(['get', 'mutatingwebhookconfiguration', '-o', bundle, 'tradewind-operator-two']),
      validating: await server().kubectl([
        'get',
        'validatingwebhookconfiguration',
        '-o',
        bundle,
        'tradewind-operator-two',
      ]),
      secret: await server().kubectl([
        'get',
        'secret',
        '-n',
        'two',
        'tradewind-operator-webhooks',
        '-o',
        'jsonpath={.data.ca\\.crt}',
      ]),
    }
  }
  const before = await trusted()
  assert.match(before.secret, /^LS0t/)
  assert.deepEqual(before, { mutating: before.secret, validating: before.secret, secret: before.secret })
  await server().helm(['upgrade', ...release('two'), chart, '--reuse-values', '--set', 'operator.replicas=3'])
  assert.deepEqual(await trusted(), before)

  // A second operator, for other namespaces, shares the definitions.
  await server().namespace('team-c')
  const others = ['--set', 'watchNamespaces={team-c}', '--set', 'crds.install=false']
  await server().helm(['install', ...release('three'), chart, '--create-namespace', ...others])
  await uninstall('three')
  await uninstall('two')
  assert.deepEqual(await names(everyKind), [])
})

test('upgrade: what the operator wrote into the webhooks stays', { skip }, async () => {
  // Definitions that another release left say whose they were; Helm takes them over when it is told to.
  await server().helm(['install', ...release('four'), chart, '--create-namespace', '--take-ownership'])
  const name = 'tradewind-operator-four'
  const caBundle = Buffer.from(server().ca).toString('base64')
  const kind = 'MutatingWebhookConfiguration'
  const webhooks = ['namespace', 'pod'].map((which) => ({
    name: `${which}.inject.tradewind.dev`,
    clientConfig: { caBundle },
  }))
  const applied = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name }, webhooks }
  const apply = ['apply', '--server-side', '--field-manager', 'tradewind-operator', '-f', '-']
  await server().kubectl(apply, { input: JSON.stringify(applied) })
  await server().helm(['upgrade', ...release('four'), chart, '--set', 'webhooks.injection.timeoutSeconds=7'])
  const after = await server().kubectl([
    'get',
    kind,
    name,
    '-o',
    'jsonpath={.webhooks[*].clientConfig.caBundle} {.webhooks[*].timeoutSeconds}',
  ])
  assert.equal(after, `${caBundle} ${caBundle} 7 7`)
})

test('upgrade: the definitions are upgraded with the chart', { skip }, async () => {
  const older = join(server().directory, 'older')
  cpSync(chart, older, { recursive: true })
  const definition = join(older, 'templates/crds/modelroutes.tradewind.dev.yaml')
  const text = readFileSync(definition, 'utf8')
  writeFileSync(definition, text.replaceAll('- mroute', '- oldroute'))
  const shortNames = () => server().kubectl(['get', 'crd', crds[1] ?? '', '-o', 'jsonpath={.spec.names.shortNames}'])

  await server().helm(['upgrade', ...release('four'), older])
  assert.equal(await shortNames(), '["oldroute"]')
  await server().helm(['upgrade', ...release('four'), chart])
  assert.equal(await shortNames(), '["mroute"]')
  await uninstall('four')
})
