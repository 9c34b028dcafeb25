import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needs } from '../helpers/needs.ts'
import { defaults, leaves, only, template, type Values } from './chart.ts'

const skip = needs('helm')
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'

/** For every value: another one, what then stands in the manifests, and what must be given beside it. */
const effects: Readonly<Record<string, readonly [value: unknown, shows: RegExp, beside?: Values]>> = {
  'image.registry': ['registry.example/team', /image: registry\.example\/team\/tradewind-operator:/],
  'image.tag': ['v9', /image: localhost\/tradewind-operator:v9/],
  'image.pullPolicy': ['Always', /imagePullPolicy: Always/],
  'image.pullSecrets': [['regcred'], /imagePullSecrets:\n +- name: regcred/],
  watchNamespaces: [['team-a'], /kind: Role\nmetadata:\n +name: .*\n +namespace: team-a/],
  'faults.allow': [false, /TRADEWIND_ALLOW_FAULTS\n +value: "false"/],
  'dashboard.enabled': [false, /TRADEWIND_DASHBOARD\n +value: "false"/],
  'operator.image.name': ['operator', /image: localhost\/operator:/],
  'operator.image.digest': [digest, new RegExp(`image: localhost/tradewind-operator@${digest}`)],
  'operator.replicas': [3, /replicas: 3/],
  'operator.logLevel': ['debug', /TRADEWIND_LOG_LEVEL\n +value: debug/],
  'operator.env': [{ HTTPS_PROXY: 'http://proxy' }, /HTTPS_PROXY\n +value: "http:\/\/proxy"/],
  'operator.resources': [{ limits: { memory: '1Gi' } }, /memory: 1Gi/],
  'operator.podAnnotations': [{ team: 'a' }, /annotations:\n.*default-container: operator\n +team: a/],
  'operator.podLabels': [{ team: 'a' }, /component: operator\n +team: a\n/],
  'operator.nodeSelector': [{ disk: 'fast' }, /nodeSelector:\n +disk: fast/],
  'operator.tolerations': [[{ key: 'control-plane', operator: 'Exists' }], /tolerations:\n +- key: control-plane/],
  'operator.affinity': [{ nodeAffinity: { some: 'thing' } }, /affinity:\n +nodeAffinity:\n +some: thing/],
  'operator.topologySpreadConstraints': [
    [{ topologyKey: 'rack' }],
    /topologySpreadConstraints:\n +- topologyKey: rack/,
  ],
  'operator.priorityClassName': ['system-cluster-critical', /priorityClassName: system-cluster-critical/],
  'operator.podDisruptionBudget.enabled': [false, /^(?![^]*kind: PodDisruptionBudget)/],
  'operator.podDisruptionBudget.maxUnavailable': ['50%', /maxUnavailable: 50%/],
  'serviceAccount.name': ['mine', /serviceAccountName: mine/],
  'serviceAccount.annotations': [{ role: 'r' }, /kind: ServiceAccount[^]*?annotations:\n +role: r/],
  'sidecar.image.name': ['sidecar', /SIDECAR_IMAGE\n +value: localhost\/sidecar:/],
  'sidecar.image.digest': [digest, new RegExp(`SIDECAR_IMAGE\n +value: localhost/tradewind-sidecar@${digest}`)],
  'sidecar.logLevel': ['warn', /SIDECAR_ENV\n +value: ".*TRADEWIND_LOG_LEVEL\\":\\"warn/],
  'sidecar.decisions.to': [['stdout', 'memory'], /SIDECAR_ENV\n +value: ".*TRADEWIND_DECISIONS\\":\\"stdout,memory/],
  'sidecar.decisions.fileSizeBytes': [
    1_000_000,
    /TRADEWIND_DECISIONS_FILE_SIZE\\":\\"1000000/,
    { sidecar: { decisions: { to: ['file'] } } },
  ],
  'sidecar.decisions.filesKept': [
    3,
    /TRADEWIND_DECISIONS_FILE_KEEP\\":\\"3/,
    { sidecar: { decisions: { to: ['file'], fileSizeBytes: 1_000_000 } } },
  ],
  'sidecar.env': [{ OTEL_X: 'y' }, /SIDECAR_ENV\n +value: ".*OTEL_X\\":\\"y/],
  'sidecar.resources': [{ limits: { cpu: '7' } }, /SIDECAR_RESOURCES\n +value: ".*\\"cpu\\":\\"7\\"/],
  'webhooks.injection.failurePolicy': ['Ignore', /pod\.inject((?!failurePolicy)[^])*failurePolicy: Ignore/],
  'webhooks.injection.timeoutSeconds': [3, /pod\.inject((?!timeoutSeconds)[^])*timeoutSeconds: 3/],
  'webhooks.validation.failurePolicy': ['Fail', /validate\.tradewind\.dev\n +failurePolicy: Fail/],
  'webhooks.validation.timeoutSeconds': [7, /validate\.tradewind\.dev[^]*?timeoutSeconds: 7/],
  'webhooks.rollout.failurePolicy': ['Ignore', /rollout\.tradewind\.dev\n +failurePolicy: Ignore/],
  'webhooks.rollout.timeoutSeconds': [9, /rollout\.tradewind\.dev\n[^]*?timeoutSeconds: 9/],
  'webhooks.annotations': [{ from: 'x/y' }, /kind: MutatingWebhookConfiguration[^]*?annotations:\n +from: x\/y/],
  'webhooks.certificate.secret': ['tls', /secret: \{ secretName: tls \}/],
  'webhooks.certificate.caBundle': [
    pem,
    new RegExp(`caBundle: ${Buffer.from(pem).toString('base64')}`),
    { webhooks: { certificate: { secret: 'tls' } } },
  ],
  'crds.install': [false, /^(?![^]*kind: CustomResourceDefinition)/],
  'crds.keep': [false, /^(?![^]*resource-policy: keep)/],
  notifications: [
    [{ urlFrom: { name: 'slack', key: 'url' }, format: 'Text' }],
    /TRADEWIND_NOTIFICATION_0_URL\n +valueFrom: \{ secretKeyRef: \{ name: slack, key: url \} \}\n +- name: TRADEWIND_NOTIFICATIONS\n +value: ".*TRADEWIND_NOTIFICATION_0_URL/,
  ],
  'roles.create': [false, /^(?![^]*name: tradewind-rollouts)/],
  'roles.aggregate': [false, /^(?![^]*aggregate-to-admin)/],
  'networkPolicy.enabled': [false, /^(?![^]*kind: NetworkPolicy)/],
  'networkPolicy.metricsFrom': [[{ podSelector: {} }], /port: metrics \}\]\n +from:\n +- podSelector/],
  'podMonitor.enabled': [true, /kind: PodMonitor/],
  'podMonitor.interval': ['7s', /interval: 7s/, { podMonitor: { enabled: true } }],
  'podMonitor.labels': [{ prometheus: 'main' }, /prometheus: main/, { podMonitor: { enabled: true } }],
}

test('values: every value is in the table of effects', () => {
  assert.deepEqual(Object.keys(effects).sort(), [...leaves(defaults())].sort())
})

for (const [path, [value, shows, beside = {}]] of Object.entries(effects)) {
  test(`values: ${path} has an effect`, { skip }, async () => {
    assert.ok(!shows.test(await template(beside)), `${shows} matches without the value too`)
    assert.ok(shows.test(await template(merge(beside, only(path, value)))), `nothing matches ${shows}`)
  })
}

function merge(one: Values, other: Values): Values {
  const merged: Record<string, unknown> = { ...one }
  for (const [name, value] of Object.entries(other)) {
    const before = merged[name]
    const bothTrees = typeof before === 'object' && typeof value === 'object' && before && value
    merged[name] = bothTrees ? merge(before as Values, value as Values) : value // trees, as just seen
  }
  return merged
}
