import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parse } from '../../api/parse.ts'
import type { ModelRoute } from '../../api/model-route.ts'
import { validate } from '../validate.ts'
import { NO_FLEET } from '../fleet.ts'
import { readManifests } from '../source/manifest.ts'
import { Shelf } from '../source/shelf.ts'
import { statuses } from '../statuses.ts'
import { idle } from './faults.ts'
import { compile } from './index.ts'

const WALL = Date.parse('2026-01-31T12:00:00Z')
const manifests = (until: string) => {
  const object = (kind: string, name: string, spec: object) => ({
    apiVersion: 'tradewind.dev/v1alpha1',
    kind,
    metadata: { name, namespace: 'ai', generation: 1 },
    spec,
  })
  return [
    object('ModelEndpoint', 'e', { provider: { type: 'OpenAI' }, models: [{ name: 'm' }] }),
    object('ModelRoute', 'r', {
      models: ['m'],
      rules: [{ targets: [{ endpoint: { name: 'e' } }], faults: [{ type: 'Abort', status: 500, until }] }],
    }),
  ]
}
function world(until: string) {
  const shelf = new Shelf()
  const text = manifests(until)
    .map((it) => JSON.stringify(it))
    .join('\n---\n')
  shelf.update(new Map([['all.yaml', readManifests('all.yaml', text, {})]]))
  return shelf.world
}
function routeOf(until: string): ModelRoute {
  const parsed = parse(manifests(until)[1])
  assert.ok(parsed.ok && parsed.object.kind === 'ModelRoute')
  return parsed.object
}

describe('faults: admission', () => {
  const verdict = (until: string, allowFaults?: boolean) =>
    validate(
      routeOf(until),
      world(until),
      undefined,
      { allowLoopback: false, ...(allowFaults === undefined ? {} : { allowFaults }) },
      WALL,
    )
  const about = (warnings: readonly string[]) => warnings.filter((it) => it.includes('faults'))

  test('one that ends within a day is admitted', () => {
    const { refused, warnings } = verdict('2026-02-01T12:00:00Z')
    assert.deepEqual([refused, about(warnings)], [undefined, []])
  })
  test('one that ends later is refused', () => {
    assert.equal(
      verdict('2026-02-01T12:00:01Z').refused,
      'spec.rules[0].faults[0].until: It must be at most 24 hours ahead.',
    )
  })
  test('one that has ended is admitted with a warning, since manifests are applied again', () => {
    const { refused, warnings } = verdict('2026-01-31T12:00:00Z')
    assert.equal(refused, undefined)
    assert.deepEqual(about(warnings), ['spec.rules[0].faults[0].until: It has passed: nothing is injected.'])
  })
  test('none is admitted where the operator allows none', () => {
    const { refused } = verdict('2026-02-01T12:00:00Z', false)
    assert.equal(refused, 'spec.rules[0].faults: This operator allows no fault injection (faults.allow: false).')
  })
})

test('faults: those that no call meets are told of', () => {
  const { rules, ...rest } = compile(world('2026-01-31T18:00:00Z'), { allowLoopback: false }).routes.get('ai/r')
    ?.body ?? {
    rules: [],
  }
  const [rule] = rules
  assert.ok(rule && 'name' in rest)
  const fault = { type: 'Cut', percent: 100, headers: [], until: 0 } as const
  const match = { headers: [], path: { type: 'Prefix', value: '/v2' } } as const
  const told = (changed: object, opaque = false) =>
    idle({ ...rest, rules: [{ ...rule, ...changed }] }, () => opaque).map(({ path }) => path)
  const of = (targets: object) => [{ ...fault, targets: [targets] }]
  assert.deepEqual(told({ faults: of({ endpoint: 'ai/e' }) }), [])
  assert.deepEqual(told({ faults: of({ endpoint: 'ai/e', model: 'm' }) }), [])
  assert.deepEqual(told({ faults: of({ endpoint: 'b/e' }) }), ['spec.rules[0].faults[0].targets[0]'])
  assert.deepEqual(told({ faults: of({ endpoint: 'ai/e', model: 'n' }) }), ['spec.rules[0].faults[0].targets[0]'])
  assert.deepEqual(told({ faults: [fault], matches: [match] }, true), ['spec.rules[0].faults'])
  assert.deepEqual(told({ faults: [fault], matches: [match] }), [])
  assert.deepEqual(told({ faults: [fault] }, true), [])
})

describe('faults: compile', () => {
  const until = '2026-01-31T18:00:00Z'
  const conditions = (allowFaults: boolean, wall = WALL) => {
    const compiled = compile(world(until), { allowLoopback: false, allowFaults })
    const [route] = [...statuses(compiled, NO_FLEET, ['ModelRoute ai/r'], wall).values()]
    const all = route?.status.conditions ?? []
    return {
      body: compiled.routes.get('ai/r')?.body,
      of: (type: string) => all.find((it) => it.type === type),
    }
  }

  test('what is not allowed is left out, and the status says so', () => {
    const { body, of } = conditions(false)
    assert.equal(body?.rules[0]?.faults, undefined)
    assert.equal(of('FaultsInjected'), undefined)
    assert.equal(of('PartiallyInvalid')?.reason, 'FaultsNotAllowed')
    assert.match(of('PartiallyInvalid')?.message ?? '', /spec\.rules\[0\]\.faults: This operator allows no fault/)
  })
  test('the status says what is injected until it ends, and nothing after', () => {
    const { body, of } = conditions(true)
    assert.equal(body?.rules[0]?.faults?.length, 1)
    assert.equal(of('FaultsInjected')?.status, 'True')
    assert.match(
      of('FaultsInjected')?.message ?? '',
      /Rule 0: Abort with 500 of 100 % of the calls until 2026-01-31T18/,
    )
    assert.equal(conditions(true, Date.parse(until)).of('FaultsInjected'), undefined)
  })
  test('a sidecar that does not know them gets the rule without', () => {
    const compiled = compile(world(until), { allowLoopback: false })
    const told = compiled.resource('route/ai/r', ['faults'])?.body
    assert.ok(told && 'rules' in told)
    assert.deepEqual(
      told.rules.map(({ faults, targets }) => [faults, targets.length]),
      [[undefined, 1]],
    )
    assert.deepEqual(compiled.resource('route/ai/r', ['audit']), compiled.resource('route/ai/r', []))
  })
})
