import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inject, type InjectOptions, type Pod } from './inject.ts'

const options: InjectOptions = {
  image: 'registry.test/sidecar:1',
  pullPolicy: 'IfNotPresent',
  pullSecrets: ['pull'],
  resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '256Mi' } },
  env: { TRADEWIND_LOG_LEVEL: 'info', HTTPS_PROXY: 'http://proxy:3128' },
  operator: 'wss://tradewind-operator.tradewind-system.svc:8443',
}

interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: object
}
/** What is looked at of a container. */
interface Container {
  readonly name: string
  readonly image?: string
  readonly restartPolicy?: string
  readonly env?: readonly EnvVar[]
  readonly resources?: object
}

/** The values that the patch adds, by path. */
function patched(pod: Pod, over: Partial<InjectOptions> = {}) {
  const injection = inject(pod, { ...options, ...over })
  assert.ok('patch' in injection, JSON.stringify(injection))
  const at = (path: string) => injection.patch.find((it) => it.path === path)?.value
  const env = (containers: unknown, name: string) =>
    Object.fromEntries(
      // The lists are of containers, as the paths say.
      ((containers as Container[]).find((it) => it.name === name)?.env ?? []).map((it) => [
        it.name,
        it.value ?? it.valueFrom,
      ]),
    )
  const initContainers = at('/spec/initContainers') as Container[] // likewise
  return {
    at,
    env: (name: string) => env(at('/spec/containers'), name),
    initContainers,
    init: (name: string) => env(initContainers, name),
  }
}

const app = { name: 'app', image: 'app' }
const pod = (
  spec: object = {},
  annotations: Record<string, string> = {},
  labels: Record<string, string> = {},
): Pod => ({
  metadata: { annotations, labels },
  spec: { containers: [app], ...spec },
})

test('inject: the sidecar is the first init container, native, before those that are there', () => {
  const { initContainers, init } = patched(pod({ initContainers: [{ name: 'migrate' }] }))
  assert.deepEqual(
    initContainers.map(({ name, restartPolicy }) => [name, restartPolicy]),
    [
      ['tradewind-sidecar', 'Always'],
      ['migrate', undefined],
    ],
  )
  assert.equal(init('migrate')['OPENAI_BASE_URL'], 'http://127.0.0.1:4141/v1', 'init containers may call models too')
})

test('inject: the app is led to the sidecar, and the annotation says so', () => {
  const { env, at } = patched(pod())
  assert.deepEqual(env('app'), {
    OPENAI_BASE_URL: 'http://127.0.0.1:4141/v1',
    OPENAI_API_KEY: 'tradewind',
    NO_PROXY: '127.0.0.1,localhost,::1',
    no_proxy: '127.0.0.1,localhost,::1',
  })
  assert.deepEqual(at('/metadata/labels'), { 'tradewind.dev/injected': 'true' })
  const annotation = Object(at('/metadata/annotations'))['tradewind.dev/injection']
  assert.deepEqual(JSON.parse(annotation), {
    sidecar: 'registry.test/sidecar:1',
    environment: { app: ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'NO_PROXY', 'no_proxy'] },
  })
})

for (const [what, env, expected] of [
  ['a base URL of its own', [{ name: 'OPENAI_BASE_URL', value: 'http://x' }], { OPENAI_BASE_URL: 'http://x' }],
  [
    'a key from a Secret',
    [{ name: 'OPENAI_API_KEY', valueFrom: { secretKeyRef: {} } }],
    { OPENAI_API_KEY: { secretKeyRef: {} } },
  ],
  [
    'exceptions of its own',
    [{ name: 'NO_PROXY', value: '10.0.0.0/8, localhost' }],
    { NO_PROXY: '10.0.0.0/8,localhost,127.0.0.1,::1' },
  ],
  ['exceptions for everything', [{ name: 'no_proxy', value: '*' }], { no_proxy: '*' }],
  [
    'exceptions from elsewhere',
    [{ name: 'NO_PROXY', valueFrom: { configMapKeyRef: {} } }],
    { NO_PROXY: { configMapKeyRef: {} } },
  ],
] as const)
  test(`inject: ${what} stays`, () => {
    const { env: found } = patched(pod({ containers: [{ ...app, env }] }))
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(found('app')[name], value)
  })

test('inject: what envFrom may bring is not hidden', () => {
  const { env } = patched(pod({ containers: [{ ...app, envFrom: [{ secretRef: { name: 'keys' } }] }] }))
  assert.deepEqual(env('app'), { OPENAI_BASE_URL: 'http://127.0.0.1:4141/v1' })
})

test('inject: annotations of the pod set image, log level and resources', () => {
  const { initContainers, init } = patched(
    pod(
      {},
      {
        'tradewind.dev/sidecar-image': 'other:2',
        'tradewind.dev/sidecar-log-level': 'debug',
        'tradewind.dev/sidecar-cpu-request': '50m',
        'tradewind.dev/sidecar-memory-limit': '1Gi',
      },
    ),
  )
  assert.equal(initContainers[0]?.image, 'other:2')
  assert.equal(init('tradewind-sidecar')['TRADEWIND_LOG_LEVEL'], 'debug')
  assert.deepEqual(initContainers[0]?.resources, {
    requests: { cpu: '50m', memory: '96Mi' },
    limits: { memory: '1Gi' },
  })
})

test('inject: the sidecar is told where the operator is, and what the operator’s settings say', () => {
  const { init } = patched(pod())
  assert.deepEqual(init('tradewind-sidecar'), {
    TRADEWIND_OPERATOR: options.operator,
    TRADEWIND_TOKEN_FILE: '/var/run/secrets/tradewind/token',
    TRADEWIND_CA_FILE: '/var/run/secrets/tradewind/ca.crt',
    TRADEWIND_STATE_DIR: '/var/lib/tradewind',
    TRADEWIND_LOG_LEVEL: 'info',
    HTTPS_PROXY: 'http://proxy:3128',
  })
})

test('inject: pull secrets are added once', () => {
  assert.deepEqual(patched(pod({ imagePullSecrets: [{ name: 'own' }] })).at('/spec/imagePullSecrets'), [
    { name: 'own' },
    { name: 'pull' },
  ])
  assert.equal(patched(pod({ imagePullSecrets: [{ name: 'pull' }] })).at('/spec/imagePullSecrets'), undefined)
})

for (const [what, given] of [
  ['one that declines', pod({}, {}, { 'tradewind.dev/inject': 'false' })],
  ['one that has it', pod({ initContainers: [{ name: 'tradewind-sidecar' }] })],
] as const)
  test(`inject: ${what} is left as it is`, () => assert.deepEqual(inject(given, options), { patch: [] }))

for (const [what, given, reason] of [
  ['hostNetwork', pod({ hostNetwork: true }), /hostNetwork.*every other pod.*"false"/],
  ['shareProcessNamespace', pod({ shareProcessNamespace: true }), /shareProcessNamespace.*credentials/],
  ['Windows', pod({ os: { name: 'windows' } }), /windows.*Linux/],
  [
    'an unknown log level',
    pod({}, { 'tradewind.dev/sidecar-log-level': 'loud' }),
    /"loud".*trace, debug, info, warn, error/,
  ],
  [
    'a quantity that is none',
    pod({}, { 'tradewind.dev/sidecar-memory-limit': 'much' }),
    /memory-limit is "much".*128Mi/,
  ],
  ['an image that is none', pod({}, { 'tradewind.dev/sidecar-image': ' ' }), /must be the name of an image/],
] as const)
  test(`inject: ${what} is refused, with the reason`, () => {
    const injection = inject(given, options)
    assert.ok('refused' in injection)
    assert.match(injection.refused, reason)
  })
