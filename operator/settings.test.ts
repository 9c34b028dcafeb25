import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { SettingsError, readSettings, settingsHelp } from './settings.ts'

const given = { TRADEWIND_NAMESPACE: 'system', TRADEWIND_POD: 'pod-1', TRADEWIND_SIDECAR_IMAGE: 'image' }

test('settings: a flag wins over the environment, which wins over the default', () => {
  const settings = readSettings(['--push-port', '1'], {
    ...given,
    TRADEWIND_PUSH_PORT: '2',
    TRADEWIND_WEBHOOK_PORT: '3',
  })
  assert.deepEqual([settings.pushPort, settings.webhookPort, settings.metricsPort], [1, 3, 8080])
})

test('settings: lists, durations, JSON and yes or no are read', () => {
  const settings = readSettings([], {
    ...given,
    TRADEWIND_WATCH_NAMESPACES: 'a, b',
    TRADEWIND_LEASE_DURATION: '1m30s',
    TRADEWIND_SIDECAR_RESOURCES: '{"limits":{"memory":"1Gi"}}',
    TRADEWIND_SIDECAR_ENV: '{"A":"b"}',
    TRADEWIND_ALLOW_LOOPBACK: 'true',
  })
  assert.deepEqual(settings.watchNamespaces, ['a', 'b'])
  assert.equal(settings.leaseDuration, 90_000)
  assert.deepEqual(settings.sidecarResources, { limits: { memory: '1Gi' } })
  assert.deepEqual(settings.sidecarEnv, { A: 'b' })
  assert.equal(settings.allowLoopback, true)
  assert.deepEqual(readSettings([], given).watchNamespaces, [])
})

test('settings: who is told of rollouts takes secrets from the environment, and a mistake says none of them', () => {
  const list = '[{"url":"${HOOK}","secret":"${SIGN}","on":["Promoted"]}]'
  const env = { ...given, TRADEWIND_NOTIFICATIONS: list, HOOK: 'https://chat.test/T0/secret\n', SIGN: 'a long secret' }
  const [one] = readSettings([], env).notifications
  assert.deepEqual([one?.url, one?.secret, one?.on], ['https://chat.test/T0/secret', 'a long secret', ['Promoted']])
  const wrong = { ...given, TRADEWIND_NOTIFICATIONS: '[{"url":"chat.test/T0/secret"}]' }
  assert.throws(
    () => readSettings([], wrong),
    (error: Error) => /--notifications .* is wrong: \[0\]\.url: /.test(error.message) && !error.message.includes('T0'),
  )
})

for (const [what, args, env, expected] of [
  [
    'one that must be there',
    [],
    { ...given, TRADEWIND_SIDECAR_IMAGE: undefined },
    /--sidecar-image or TRADEWIND_SIDECAR_IMAGE must be set/,
  ],
  ['an unknown flag', ['--prot', '1'], given, /--prot/],
  ['a port that is none', ['--push-port', '99999'], given, /--push-port .*"99999": it must be a port/],
  [
    'a word that is not one of those',
    [],
    { ...given, TRADEWIND_LOG_LEVEL: 'loud' },
    /one of trace, debug, info, warn, error/,
  ],
  ['a name that is none', ['--watch-namespaces', 'a,B_'], given, /Kubernetes name/],
  ['a duration that is none', ['--ca-overlap', 'soon'], given, /duration such as 15s/],
  ['a duration out of bounds', ['--lease-duration', '1s'], given, /between 3s and 10m/],
  ['an overlap that does not fit', ['--ca-validity', '1h', '--ca-overlap', '30m'], given, /six times/],
  ['JSON that is none', ['--sidecar-resources', '{'], given, /must be JSON/],
  ['an environment that is not of strings', ['--sidecar-env', '{"A":1}'], given, /A must be a string/],
] as const)
  test(`settings: ${what} is refused, with what would be right`, () =>
    assert.throws(
      () => readSettings(args, env),
      (error) => error instanceof SettingsError && expected.test(error.message),
    ))

test('settings: a cleanup needs no more than what it removes', () => {
  assert.deepEqual(readSettings([], given, ['namespace', 'lease']), {
    namespace: 'system',
    lease: 'tradewind-operator',
  })
})

test('settings: the help names every flag', () => {
  for (const key of Object.keys(readSettings([], given)))
    assert.ok(settingsHelp().includes(`--${key.replaceAll(/[A-Z]/g, (it) => `-${it.toLowerCase()}`)} `), key)
})

test('settings: docs/operator.md names each, and its default', () => {
  const page = readFileSync(new URL('../docs/operator.md', import.meta.url), 'utf8')
  const flags = settingsHelp().match(/--[a-z-]+/g) ?? []
  assert.deepEqual(
    flags.filter((flag) => !page.includes(`\`${flag}\``)),
    [],
  )
  const { sidecarImage: _, namespace: __, pod: ___, ...defaults } = readSettings([], given)
  for (const value of Object.values(defaults))
    if (typeof value === 'string' && value !== '') assert.ok(page.includes(`\`${value}\``), value)
})

test('metrics: docs/operator.md names each', async () => {
  const { Metrics } = await import('./metrics.ts')
  const { registry } = new Metrics(() => ({
    connected: 0,
    queued: 0,
    oldest: 0,
    statusWrites: 0,
    leading: false,
    watching: 0,
    notifications: 0,
  }))
  const page = readFileSync(new URL('../docs/operator.md', import.meta.url), 'utf8')
  const names = registry.getMetricsAsArray().map(({ name }) => name)
  assert.deepEqual(
    names.filter((name) => name.startsWith('tradewind') && !page.includes(`\`${name}\``)),
    [],
  )
})
