import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProviderType } from '../core/providers/index.ts'
import type { StrategyType } from '../core/strategies/index.ts'
import type { ModelEndpoint, ModelEndpointSpec } from './model-endpoint.ts'
import type { ModelRoute, ModelRouteSpec } from './model-route.ts'
import { parse } from './parse.ts'

const endpoint = {
  apiVersion: 'tradewind.dev/v1alpha1',
  kind: 'ModelEndpoint',
  metadata: { name: 'openai' },
  spec: { provider: { type: 'OpenAI' }, models: [{ name: 'gpt-4o-mini' }] },
}
const route = {
  apiVersion: 'tradewind.dev/v1alpha1',
  kind: 'ModelRoute',
  metadata: { name: 'chat', namespace: 'ai' },
  spec: { models: ['chat'], rules: [{ targets: [{ endpoint: { name: 'openai' } }] }] },
}

/** Whether two types are the same, optional and read-only fields included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(is: Same<A, B>): void => assert.ok(is)

// The type says what is there once a manifest is parsed: a field with a default always, one that is optional perhaps.
const parsedEndpoint: ModelEndpointSpec = {
  provider: { type: 'OpenAI' },
  models: [{ name: 'gpt-4o-mini', rank: 0 }],
  timeouts: { connect: '5s', firstToken: '60s', idle: '30s', attempt: '600s' },
  circuitBreaker: {
    consecutive: 5,
    ratio: { percent: 50, minimum: 20, within: '30s' },
    openFor: '30s',
    probes: 1,
    rampUp: [5, 25, 100],
  },
  retryBudget: { percent: 20, minPerSecond: 3 },
  allowedRoutes: { namespaces: { from: 'Same' } },
  allowCredentialUse: { namespaces: { from: 'Same' } },
}
const parsedRoute: ModelRouteSpec = {
  models: ['chat'],
  timeouts: { request: '600s' },
  rules: [
    {
      targets: [{ endpoint: { name: 'openai' }, weight: 1, priority: 0 }],
      strategy: { type: 'Weighted' },
      retry: { attempts: 1, when: ['Connect', 'Reset', 'Status5xx', 'Status429'] },
      fallback: { when: ['Connect', 'Reset', 'Timeout', 'Status5xx', 'Status429', 'ContextLength', 'Truncated'] },
      rescue: { mode: 'Stream' },
      onUnavailable: 'Redistribute',
      onUnsupported: 'Report',
    },
  ],
}

test('parse: the least that may be written, with every default; the type of each is that of the values', () => {
  const [one, two] = [parse(endpoint), parse(route)]
  assert.ok(one.ok && two.ok)
  assert.deepEqual(one.object.spec, parsedEndpoint)
  assert.deepEqual(two.object.spec, parsedRoute)
  assert.deepEqual(one.object.metadata, { name: 'openai', namespace: 'default' })
  assert.deepEqual(two.object.metadata, { name: 'chat', namespace: 'ai' })

  type Rule = ModelRouteSpec['rules'][number]
  type Target = Rule['targets'][number]
  same<Target['weight'], number>(true)
  same<Rule['strategy']['type'], StrategyType>(true)
  same<Rule['sticky'], { readonly header: string } | undefined>(true)
  same<Rule['onUnavailable'], 'Redistribute' | 'Fail'>(true)
  same<Target['endpoint']['namespace'], string | undefined>(true)
  same<ModelEndpointSpec['provider']['type'], ProviderType>(true)
  same<ModelEndpointSpec['limits'], { readonly maxInFlight: number } | undefined>(true)
  same<ModelEndpointSpec['circuitBreaker']['rampUp'], readonly number[]>(true)
  same<NonNullable<ModelEndpointSpec['credentials']>['type'], 'Secret' | 'Passthrough' | 'WebIdentity'>(true)
  same<ModelRoute['kind'] | ModelEndpoint['kind'], 'ModelRoute' | 'ModelEndpoint'>(true)
  // @ts-expect-error a field that there is not
  assert.equal(parsedRoute.nothing, undefined)
  // What has a default is always there.
  const perhaps: Same<ModelEndpointSpec['timeouts']['idle'], string | undefined> = false
  assert.equal(perhaps, false)
})

test('parse: the manifest that was given stays as it was', () => {
  const before = JSON.stringify(endpoint)
  parse(endpoint)
  assert.equal(JSON.stringify(endpoint), before)
})

test('parse: null is as if left out, and a null among a provider’s own fields stays', () => {
  const parsed = parse({
    ...endpoint,
    spec: {
      ...endpoint.spec,
      timeouts: { idle: null, attempt: '90s' },
      retryBudget: null,
      health: null,
      models: [{ name: 'm', rank: null, parameters: { force: { stop: null } } }],
    },
  })
  assert.ok(parsed.ok && parsed.object.kind === 'ModelEndpoint')
  const { timeouts, retryBudget, models, ...rest } = parsed.object.spec
  assert.deepEqual(timeouts, { connect: '5s', firstToken: '60s', idle: '30s', attempt: '90s' })
  assert.deepEqual(retryBudget, { percent: 20, minPerSecond: 3 })
  assert.deepEqual(models, [{ name: 'm', rank: 0, parameters: { force: { stop: null } } }])
  assert.ok(!('health' in rest))
})

test('parse: what is no manifest of ours says so', () => {
  for (const [manifest, path] of [
    ['text', ''],
    [[], ''],
    [{ ...route, apiVersion: 'tradewind.dev/v1' }, 'apiVersion'],
    [{ ...route, kind: 'Route' }, 'kind'],
    [{ ...route, metadata: undefined }, 'metadata.name'],
    [{ ...route, metadata: { name: 'Chat' } }, 'metadata.name'],
    [{ ...route, metadata: { name: 'a', namespace: 'a.b' } }, 'metadata.namespace'],
    [{ ...route, metadata: { name: 'a', labels: { 'a b': 'c' } } }, 'metadata.labels'],
    [{ ...route, metadata: { name: 'a', labels: { a: 'b c' } } }, 'metadata.labels'],
    [{ ...route, metadata: { name: 'a', annotations: { 'a/b/c': '' } } }, 'metadata.annotations'],
    [{ ...route, metadata: { name: 'a', lables: {} } }, 'metadata.lables'],
    [{ ...route, spec: undefined }, 'spec'],
    [{ ...route, spec: null }, 'spec'],
    [{ ...route, spce: {} }, 'spce'],
  ] as const) {
    const parsed = parse(manifest)
    assert.ok(!parsed.ok)
    assert.deepEqual(
      parsed.problems.map((problem) => problem.path),
      [path],
    )
    assert.ok(parsed.problems.every(({ message }) => message.length > 0))
  }
})
