import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needs } from '../helpers/needs.ts'
import { defaults, leaves, only, schemaOf, template } from './chart.ts'

const skip = needs('helm')

/** A value that is wrong, and what Helm says of it. */
const wrong: readonly (readonly [path: string, value: unknown, complaint: RegExp])[] = [
  ['replicas', 2, /additional properties 'replicas' not allowed/],
  ['faults.allow', 'no', /at '\/faults\/allow': got string, want boolean/],
  ['operator.replica', 2, /at '\/operator': additional properties 'replica' not allowed/],
  ['operator.replicas', 0, /at '\/operator\/replicas': minimum: got 0, want 1/],
  ['operator.replicas', '2', /at '\/operator\/replicas': got string, want integer/],
  ['operator.logLevel', 'loud', /at '\/operator\/logLevel': value must be one of/],
  ['operator.env', { A: 1 }, /at '\/operator\/env\/A': got number, want string/],
  ['operator.env', { '1A': 'x' }, /at '\/operator\/env': additional properties '1A' not allowed/],
  ['operator.resources', { request: {} }, /additional properties 'request' not allowed/],
  ['operator.affinity', { nodeAfinity: {} }, /additional properties 'nodeAfinity' not allowed/],
  ['operator.podLabels', { a: true }, /at '\/operator\/podLabels\/a': got boolean, want string/],
  ['operator.podDisruptionBudget.maxUnavailable', 'half', /maxUnavailable'.*does not match|'half' does not match/s],
  ['operator.image.digest', 'sha256:12', /at '\/operator\/image\/digest': 'sha256:12' does not match pattern/],
  ['operator.image.repository', 'x', /additional properties 'repository' not allowed/],
  ['image.pullPolicy', 'always', /at '\/image\/pullPolicy': value must be one of/],
  ['image.tag', 'a b', /at '\/image\/tag': 'a b' does not match pattern/],
  ['image.registry', '', /at '\/image\/registry': minLength/],
  ['image.pullSecrets', [{ name: 'x' }], /at '\/image\/pullSecrets\/0': got object, want string/],
  ['watchNamespaces', 'team-a', /at '\/watchNamespaces': got string, want array/],
  ['watchNamespaces', ['a', 'a'], /at '\/watchNamespaces': items at 0 and 1 are equal/],
  ['watchNamespaces', ['Team'], /at '\/watchNamespaces\/0': 'Team' does not match pattern/],
  ['webhooks.injection.failurePolicy', 'Retry', /at '\/webhooks\/injection\/failurePolicy': value must be one of/],
  ['webhooks.validation.timeoutSeconds', 31, /at '\/webhooks\/validation\/timeoutSeconds': maximum: got 31, want 30/],
  ['webhooks.certificate.caBundle', 'file.pem', /caBundle': 'file.pem' does not match pattern/],
  ['webhooks.rollout.failurePolicy', 'fail', /at '\/webhooks\/rollout\/failurePolicy': value must be one of/],
  ['notifications', [{ secretFrom: { name: 'a', key: 'b' } }], /at '\/notifications\/0': oneOf|missing property 'url'/],
  [
    'notifications',
    [{ url: 'https://a.test', on: ['Failed'] }],
    /at '\/notifications\/0\/on\/0': value must be one of/,
  ],
  ['roles.aggregate', 'admin', /at '\/roles\/aggregate': got string, want boolean/],
  [
    'webhooks.certificate.caBundle',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    /at '\/webhooks\/certificate\/secret': minLength/,
  ],
  ['crds.keep', 'yes', /at '\/crds\/keep': got string, want boolean/],
  ['networkPolicy.metricsFrom', {}, /at '\/networkPolicy\/metricsFrom': got object, want array/],
  ['podMonitor.interval', '30', /at '\/podMonitor\/interval': '30' does not match pattern/],
  ['serviceAccount.create', false, /additional properties 'create' not allowed/],
]

for (const [path, value, complaint] of wrong) {
  test(`schema: ${path}: ${JSON.stringify(value)} is refused`, { skip }, async () => {
    await assert.rejects(template(only(path, value)), complaint)
  })
}

test('schema: a Kubernetes that is too old is refused', { skip }, async () => {
  await assert.rejects(template({}, '1.29.9'), /requires kubeVersion: >=1\.30\.0-0/)
})

test('schema: every value is in it, with a description', () => {
  for (const path of leaves(defaults())) assert.ok(schemaOf(path).description, `${path} has no description`)
})
