import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import type { CompiledConfig } from '../../api/compiled.ts'
import { CAPABILITIES } from '../../api/protocol.ts'
import { keyOf } from '../../operator/compile/resource.ts'
import { Push } from '../../operator/push.ts'
import type { PushEvents, PushOptions } from '../../operator/push.ts'
import { statuses } from '../../operator/statuses.ts'
import { digestOf } from '../../sidecar/follower.ts'
import { eventually } from '../helpers/eventually.ts'
import { TestSidecar, TestWorld } from './fleet.ts'

function started(t: TestContext, options: Partial<PushOptions> = {}, events: PushEvents = {}) {
  const push = new Push({ now: () => performance.now(), ...options }, events)
  t.after(() => push.close())
  const world = new TestWorld()
  const publish = () => push.publish(world.compiler.compile(world))
  return { push, world, publish }
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1)

/** What a pod with these labels is to have, as digests. */
function wanted(world: TestWorld, namespace: string, labels: Readonly<Record<string, string>> = {}) {
  const { compiler } = world
  return Object.fromEntries(
    [...compiler.audience({ namespace, labels }).keys.keys()]
      .map((key) => [key, compiler.resources.get(key)?.digest] as const)
      .sort(byKey),
  )
}
const has = ({ follower }: TestSidecar) =>
  Object.fromEntries([...follower.held.config].map(([key, { digest }]) => [key, digest] as const).sort(byKey))

function two(world: TestWorld): void {
  world.endpoint('ai/a')
  world.endpoint('ai/b')
  world.route('ai/r', 'chat', { a: 9, b: 1 })
  world.route('ai/s', 'other', { a: 1 })
}

test('push: a sidecar gets what its pod is to have, and then only what differs', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  publish()
  const sidecar = new TestSidecar()
  sidecar.connect(push, 'ai/p')
  assert.deepEqual(has(sidecar), wanted(world, 'ai'))
  assert.equal(sidecar.updates.length, 1)

  world.route('ai/r', 'chat', { a: 1, b: 1 })
  publish()
  assert.deepEqual(has(sidecar), wanted(world, 'ai'))
  assert.deepEqual(Object.keys(sidecar.updates[1]?.set ?? {}), ['route/ai/r'])
  assert.deepEqual(sidecar.updates[1]?.remove, [])

  world.put('ModelRoute', 'ai/r', undefined)
  publish()
  assert.deepEqual(sidecar.updates[2], { ...sidecar.updates[2], set: {}, remove: ['route/ai/r', 'endpoint/ai/b'] })
})

test('push: an edit says nothing to sidecars that it does not concern', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  world.endpoint('other/c')
  world.route('other/r', 'chat', { c: 1 })
  world.route('ai/web', 'web', { b: 1 }, { workloads: { selector: { matchLabels: { app: 'web' } } } })
  publish()
  const [plain, web, other] = [new TestSidecar(), new TestSidecar(), new TestSidecar()]
  plain.connect(push, 'ai/plain')
  web.connect(push, 'ai/web', { app: 'web', pod: '7' })
  other.connect(push, 'other/x')
  world.route('ai/web', 'web', { a: 1 }, { workloads: { selector: { matchLabels: { app: 'web' } } } })
  publish()
  assert.deepEqual(
    [plain, web, other].map(({ updates }) => updates.length),
    [1, 2, 1],
  )
  assert.deepEqual(has(web), wanted(world, 'ai', { app: 'web' }))
})

test('push: one that has it already is told so in a few bytes', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  publish()
  const sidecar = new TestSidecar()
  sidecar.connect(push, 'ai/p')
  sidecar.cut()
  const applied = sidecar.applied.length
  sidecar.connect(push, 'ai/p')
  assert.deepEqual(sidecar.updates[1], { ...sidecar.updates[1], set: {}, remove: [] })
  assert.equal(sidecar.applied.length, applied, 'what is in force is not built anew')
})

test('push: edits while an update is unanswered merge into one', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  publish()
  const sidecar = new TestSidecar()
  sidecar.connect(push, 'ai/p')
  sidecar.held = true
  for (let weight = 1; weight <= 50; weight++) {
    world.route('ai/r', 'chat', { a: weight, b: 1 })
    publish()
  }
  assert.equal(sidecar.updates.length, 2, 'one is under way, and the rest waits')
  assert.equal(push.gauges().queued, 1)
  sidecar.held = false
  sidecar.release()
  assert.equal(sidecar.updates.length, 3)
  assert.deepEqual(has(sidecar), wanted(world, 'ai'))
  assert.equal(push.gauges().queued, 0)
})

test('push: the first answer concerns all that a sidecar has, whatever was edited meanwhile', (t) => {
  const concerned: ReadonlySet<string>[] = []
  const { push, world, publish } = started(
    t,
    {},
    { changed: ({ keys, audience }) => concerned.push(audience ? audience.routes : new Set(keys)) },
  )
  two(world)
  publish()
  const sidecar = new TestSidecar()
  sidecar.held = true
  sidecar.connect(push, 'ai/p')
  world.route('ai/r', 'chat', { a: 1, b: 1 })
  publish()
  concerned.length = 0
  sidecar.held = false
  sidecar.release()
  assert.deepEqual(
    concerned.map((it) => [...it].sort()),
    [['ai/r', 'ai/s'], ['route/ai/r']],
    'then the edit, which concerns one of them',
  )
})

test('push: what was changed and changed back is not sent', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  publish()
  const sidecar = new TestSidecar()
  sidecar.connect(push, 'ai/p')
  sidecar.held = true
  world.put('ModelRoute', 'ai/s', undefined)
  publish()
  const before = world.routes.get('ai/r')
  world.put('ModelRoute', 'ai/r', undefined)
  publish()
  world.routes.set('ai/r', before)
  publish()
  sidecar.held = false
  sidecar.release()
  assert.deepEqual(sidecar.updates[2], { ...sidecar.updates[2], set: {}, remove: [] })
})

test('push: a refused update leaves the last good one, is not sent again, and the next edit is', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  world.pod('ai/p')
  world.pod('ai/q')
  publish()
  const [sidecar, other] = [new TestSidecar(), new TestSidecar()]
  sidecar.connect(push, 'ai/p')
  other.connect(push, 'ai/q')
  const good = has(sidecar)
  const resource = keyOf('route', 'ai/r')
  sidecar.refuse = () => [{ resource, path: '.rules', message: 'no' }]
  world.route('ai/r', 'chat', { a: 1, b: 1 })
  publish()
  assert.deepEqual(has(sidecar), good)
  assert.deepEqual(has(other), wanted(world, 'ai'), 'the others go on')
  assert.equal(sidecar.updates.length, 2)
  const status = statuses(world.compiler, push.fleet()).get('ModelRoute ai/r')?.status
  assert.deepEqual('sidecars' in (status ?? {}) && status, {
    ...status,
    sidecars: { targeted: 2, connected: 2, acknowledged: 1, rejected: 1 },
    programmed: '1/2',
  })
  const programmed = status?.conditions.find(({ type }) => type === 'Programmed')
  assert.equal(programmed?.reason, 'Rejected')
  assert.match(programmed?.message ?? '', /ai\/p.*route\/ai\/r \.rules: no/)

  sidecar.refuse = undefined
  world.route('ai/r', 'chat', { a: 2, b: 1 })
  publish()
  assert.deepEqual(has(sidecar), wanted(world, 'ai'))
  assert.deepEqual(push.fleet().refusals, [])
})

/** Refuses a configuration that has a weight of 13 in a route, and names the route. */
function refuses13(config: CompiledConfig) {
  return [...config]
    .filter(([key, { body }]) => key.startsWith('route/') && JSON.stringify(body).includes('"weight":13'))
    .map(([resource]) => ({ resource, path: '.rules', message: 'no' }))
}

test('push: what a sidecar refuses by name is withheld alone: the rest of the edit, and those that follow, reach it', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  world.pod('ai/p')
  publish()
  const sidecar = new TestSidecar()
  sidecar.refuse = refuses13
  sidecar.connect(push, 'ai/p')
  const good = has(sidecar)
  const resource = keyOf('route', 'ai/r')
  const reason = (id: string) => {
    const conditions = statuses(world.compiler, push.fleet()).get(id)?.status.conditions
    return conditions?.find(({ type }) => type === 'Programmed')?.reason
  }
  world.route('ai/r', 'chat', { a: 13, b: 1 })
  world.route('ai/s', 'other', { b: 1 })
  publish()
  assert.deepEqual(has(sidecar), { ...wanted(world, 'ai'), [resource]: good[resource] })
  assert.deepEqual([reason('ModelRoute ai/r'), reason('ModelRoute ai/s')], ['Rejected', 'Programmed'])

  world.route('ai/s', 'other', { a: 1 })
  world.route('ai/new', 'new', { a: 1 })
  publish()
  assert.deepEqual(has(sidecar), { ...wanted(world, 'ai'), [resource]: good[resource] })
  assert.deepEqual([reason('ModelRoute ai/r'), reason('ModelRoute ai/new')], ['Rejected', 'Programmed'])
  assert.deepEqual(Object.keys(sidecar.updates.at(-1)?.set ?? {}).sort(), ['route/ai/new', 'route/ai/s'])

  world.route('ai/r', 'chat', { a: 14, b: 1 })
  publish()
  assert.deepEqual(has(sidecar), wanted(world, 'ai'))
  assert.equal(reason('ModelRoute ai/r'), 'Programmed')
  assert.deepEqual(push.fleet().refusals, [])
})

test('push: an endpoint that is refused for its keys is withheld with them', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  const secret = (value: string) =>
    world.secrets.set('ai/k', {
      namespace: 'ai',
      name: 'k',
      labels: { 'tradewind.dev/use': 'credentials' },
      data: { k: value },
    })
  secret('good')
  world.endpoint('ai/a', { credentials: { type: 'Secret', secret: { name: 'k', key: 'k' } } })
  publish()
  const sidecar = new TestSidecar()
  sidecar.refuse = (config) => {
    const body = config.get('secret/ai/k:k')?.body
    return body && 'data' in body && body.data['k'] === 'bad'
      ? [{ resource: 'endpoint/ai/a', path: '', message: 'bad key' }]
      : []
  }
  sidecar.connect(push, 'ai/p')
  const good = has(sidecar)
  secret('bad')
  world.route('ai/s', 'other', { b: 1 })
  publish()
  assert.deepEqual(has(sidecar), { ...wanted(world, 'ai'), 'secret/ai/k:k': good['secret/ai/k:k'] })
})

test('push: nothing is sent before there is a compile, and those who came before it are not forgotten', (t) => {
  const { push, world, publish } = started(t)
  const sidecar = new TestSidecar()
  sidecar.connect(push, 'ai/p')
  assert.equal(sidecar.updates.length, 0)
  two(world)
  publish()
  assert.deepEqual(has(sidecar), wanted(world, 'ai'))
})

test('push: a compile that was begun anew brings only what differs', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  publish()
  const sidecar = new TestSidecar()
  sidecar.connect(push, 'ai/p')
  const again = new TestWorld()
  for (const [name, route] of world.routes) again.routes.set(name, route)
  for (const [name, endpoint] of world.endpoints) again.endpoints.set(name, endpoint)
  push.publish(again.compiler.compile(again))
  assert.equal(sidecar.updates.length, 1)
})

test('push: a pod whose labels change gets what its new labels select', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  world.route('ai/web', 'web', { b: 1 }, { workloads: { selector: { matchLabels: { app: 'web' } } } })
  world.pod('ai/p', { app: 'plain' })
  publish()
  const sidecar = new TestSidecar()
  sidecar.connect(push, 'ai/p', { app: 'plain' })
  world.pod('ai/p', { app: 'web' })
  publish()
  assert.deepEqual(has(sidecar), wanted(world, 'ai', { app: 'web' }))
  assert.ok('route/ai/web' in has(sidecar))
})

test('push: a selector on a label that none looked at before regroups its namespace, and sends only what differs', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  publish()
  const [a, b] = [new TestSidecar(), new TestSidecar()]
  a.connect(push, 'ai/a', { track: 'canary' })
  b.connect(push, 'ai/b')
  world.route('ai/canary', 'new', { b: 1 }, { workloads: { selector: { matchLabels: { track: 'canary' } } } })
  publish()
  assert.deepEqual(Object.keys(a.updates[1]?.set ?? {}), ['route/ai/canary'])
  assert.equal(b.updates.length, 1)
})

test('push: a difference that a check brings to light is put right', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  publish()
  const sidecar = new TestSidecar()
  sidecar.connect(push, 'ai/p')
  const config = new Map(sidecar.follower.held.config)
  config.delete('route/ai/r')
  sidecar.follower.held = { config, digest: digestOf(config), since: 1 }
  sidecar.follower.check()
  assert.deepEqual(has(sidecar), wanted(world, 'ai'))
  assert.deepEqual(Object.keys(sidecar.updates[1]?.set ?? {}), ['route/ai/r'])
})

test('push: the operator compares digests too', async (t) => {
  const { push, world, publish } = started(t, { checkEvery: 20 })
  two(world)
  publish()
  const sidecar = new TestSidecar()
  sidecar.connect(push, 'ai/p')
  sidecar.follower.held = { config: new Map(), digest: digestOf(new Map()), since: 1 }
  await eventually(() => assert.deepEqual(has(sidecar), wanted(world, 'ai')))
})

test('push: one that does not answer, says nothing, or says what is no message is cut off', async (t) => {
  const { push, world, publish } = started(t, { answerWithin: 20, checkEvery: 100 })
  two(world)
  publish()
  const [slow, silent, wrong] = [new TestSidecar(), new TestSidecar(), new TestSidecar()]
  slow.held = true
  slow.connect(push, 'ai/slow')
  silent.connect(push, 'ai/silent', {}, () => '{"type":"unknown"}')
  wrong.connect(push, 'ai/wrong', {}, () => '{"type":"hello","protocol":"one"}')
  assert.equal(wrong.closed?.code, 4400)
  await eventually(() => assert.equal(slow.closed?.code, 4408))
  await eventually(() => assert.equal(silent.closed?.code, 4400))
  assert.equal(push.gauges().connected, 0)
  assert.equal(push.gauges().oldest, 0)
})

test('push: another protocol, and a second connection of the same pod', (t) => {
  const { push, publish } = started(t)
  publish()
  const [other, first, second] = [new TestSidecar(), new TestSidecar(), new TestSidecar()]
  other.connect(push, 'ai/other', {}, (text) => text.replace('"protocol":1', '"protocol":2'))
  assert.equal(other.closed?.code, 4400)
  assert.match(other.closed?.reason ?? '', /protocol 1/)
  first.connect(push, 'ai/p')
  second.connect(push, 'ai/p')
  assert.equal(first.closed?.code, 4409)
  assert.equal(push.gauges().connected, 1)
})

test('push: an older sidecar goes without just the rules that it cannot do', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  world.pod('ai/old')
  world.pod('ai/new')
  const targets = [{ endpoint: { name: 'a' } }]
  world.put('ModelRoute', 'ai/r', {
    models: ['chat'],
    rules: [
      { name: 'stuck', matches: [{ headers: [{ name: 'x', type: 'Present' }] }], sticky: { header: 'y' }, targets },
      { name: 'rest', targets },
    ],
  })
  publish()
  const [old, young] = [new TestSidecar(), new TestSidecar()]
  const less = CAPABILITIES.filter((word) => word !== 'sticky:header')
  old.connect(push, 'ai/old', {}, (text) => {
    const message = JSON.parse(text)
    return JSON.stringify(message.type === 'hello' ? { ...message, capabilities: less } : message)
  })
  young.connect(push, 'ai/new')
  const rules = ({ follower }: TestSidecar) => {
    const body = follower.held.config.get('route/ai/r')?.body
    return body && 'rules' in body ? body.rules.map(({ name }) => name) : []
  }
  assert.deepEqual(rules(old), ['rest'])
  assert.deepEqual(rules(young), ['stuck', 'rest'])
  const status = statuses(world.compiler, push.fleet()).get('ModelRoute ai/r')?.status
  const programmed = status?.conditions.find(({ type }) => type === 'Programmed')
  assert.equal(programmed?.reason, 'SidecarTooOld')
  assert.match(programmed?.message ?? '', /^1 of 2 connected sidecars .* rule stuck .*: ai\/old\./)
})

test('push: what is under way to all together is bounded, and each has its turn', (t) => {
  const { push, world, publish } = started(t, { underWay: 1 })
  two(world)
  publish()
  const sidecars = Array.from({ length: 5 }, () => new TestSidecar())
  for (const [i, sidecar] of sidecars.entries()) {
    sidecar.held = true
    sidecar.connect(push, `ai/p${i}`)
  }
  assert.deepEqual(
    sidecars.map(({ updates }) => updates.length),
    [1, 0, 0, 0, 0],
  )
  sidecars[0]?.cut()
  for (const sidecar of sidecars.slice(1)) {
    sidecar.held = false
    sidecar.release()
    assert.deepEqual(has(sidecar), wanted(world, 'ai'))
  }
})

test('push: where there is room for one update and a part of another, those who wait have their turn', (t) => {
  const { push, world, publish } = started(t, { underWay: 3000 })
  two(world)
  publish()
  const sidecars = Array.from({ length: 5 }, () => new TestSidecar())
  for (const [i, sidecar] of sidecars.entries()) {
    sidecar.held = true
    sidecar.connect(push, `ai/p${i}`)
  }
  const [first] = sidecars
  assert.ok(
    first && first.bytes > 1500 && first.bytes < 3000,
    `one update takes ${first?.bytes}, so that two do not fit`,
  )
  for (const sidecar of sidecars) {
    sidecar.release()
    assert.deepEqual(has(sidecar), wanted(world, 'ai'))
  }
})

test('push: convergence is from the edit to the last answer, and no edit is forgotten', (t) => {
  const times: number[] = []
  let now = 0
  const { push, world, publish } = started(t, { now: () => now }, { converged: (ms) => void times.push(ms) })
  two(world)
  publish()
  const [quick, slow] = [new TestSidecar(), new TestSidecar()]
  quick.connect(push, 'ai/quick')
  slow.connect(push, 'ai/slow')
  slow.held = true
  world.route('ai/r', 'chat', { a: 1, b: 1 })
  now = 100
  publish()
  now = 130
  assert.equal(push.gauges().oldest, 30)
  assert.deepEqual(times, [])
  slow.held = false
  slow.release()
  assert.deepEqual(times, [30])
  assert.equal(push.gauges().oldest, 0)

  slow.held = true
  world.route('ai/r', 'chat', { a: 2, b: 1 })
  publish()
  now = 200
  assert.equal(push.gauges().oldest, 70)
  slow.cut()
  assert.equal(push.gauges().oldest, 0, 'one that left is not waited for')
})

test('push: sidecars that serve the same are told with the same bytes', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  publish()
  const sidecars = Array.from({ length: 3 }, () => new TestSidecar())
  for (const [i, sidecar] of sidecars.entries()) sidecar.connect(push, `ai/p${i}`, { pod: `${i}` })
  world.route('ai/r', 'chat', { a: 5, b: 1 })
  publish()
  assert.equal(new Set(sidecars.map(({ heard }) => heard.at(-1))).size, 1)
  assert.deepEqual(
    push.fleet().sidecars.map(({ pods }) => pods.length),
    [3],
  )
})

test('push: reports add up over sidecars, and go with those who leave', (t) => {
  let now = 0
  const { push, world, publish } = started(t, { now: () => now })
  two(world)
  world.pod('ai/p')
  world.pod('ai/q')
  publish()
  const [p, q] = [new TestSidecar(), new TestSidecar()]
  p.connect(push, 'ai/p')
  q.connect(push, 'ai/q')
  const report = (requests: number, state: 'closed' | 'open') => ({
    type: 'report' as const,
    window: 5000,
    targets: [{ route: 'ai/r', rule: '0', endpoint: 'ai/a', model: 'm', requests, errors: 0 }],
    models: [{ endpoint: 'ai/a', model: 'm', state, healthy: true }],
    age: 0,
  })
  p.follower.report(report(3, 'closed'))
  q.follower.report(report(4, 'open'))
  p.follower.report(report(1, 'closed'))
  const seen = () => {
    const made = statuses(world.compiler, push.fleet())
    const route = made.get('ModelRoute ai/r')?.status
    const endpoint = made.get('ModelEndpoint ai/a')?.status
    return {
      requests: route && 'rules' in route && route.rules?.[0]?.targets.map((target) => target.requests),
      sidecars: endpoint && 'sidecars' in endpoint && endpoint.sidecars,
      healthy: endpoint?.conditions.find(({ type }) => type === 'Healthy')?.status,
    }
  }
  assert.deepEqual(seen(), { requests: [8, 0], sidecars: { using: 2, healthy: 1, open: 1 }, healthy: 'False' })
  q.cut()
  assert.deepEqual(seen(), { requests: [8, 0], sidecars: { using: 1, healthy: 1, open: 0 }, healthy: 'True' })
  now = 70_000
  p.follower.report(report(2, 'closed'))
  assert.deepEqual(seen().requests, [2, 0], 'a minute later only what came since')
})

test('push: a sidecar can tell of what it serves, and of nothing else', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  world.endpoint('other/c')
  world.route('other/r', 'chat', { c: 1 })
  publish()
  const sidecar = new TestSidecar()
  sidecar.connect(push, 'ai/p')
  const target = (route: string, endpoint: string) => ({
    route,
    rule: '0',
    endpoint,
    model: 'm',
    requests: 5,
    errors: 5,
  })
  const model = (endpoint: string) => ({ endpoint, model: 'm', state: 'open' as const, healthy: false })
  sidecar.follower.report({
    type: 'report',
    window: 1000,
    targets: [
      target('ai/r', 'ai/a'),
      target('other/r', 'other/c'),
      target('ai/r', 'other/c'),
      target('ai/made-up', 'ai/a'),
    ],
    models: [model('ai/a'), model('other/c'), model('ai/made-up')],
    age: 0,
  })
  const { targets, endpoints } = push.fleet()
  assert.deepEqual(
    targets.map(({ route, endpoint }) => `${route} ${endpoint}`),
    ['ai/r ai/a'],
  )
  assert.deepEqual(
    endpoints.map(({ endpoint }) => endpoint),
    ['ai/a'],
  )
})

test('push: whatever happens, each sidecar ends with what its pod is to have', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('weight' as const), route: fc.nat(2), weight: fc.constantFrom(0, 1, 2, 13) }),
    fc.record({ do: fc.constant('remove' as const), route: fc.nat(2) }),
    fc.record({ do: fc.constant('selector' as const), route: fc.nat(2), app: fc.nat(2) }),
    fc.record({ do: fc.constant('hold' as const), sidecar: fc.nat(2) }),
    fc.record({ do: fc.constant('release' as const), sidecar: fc.nat(2), count: fc.nat(2) }),
    fc.record({ do: fc.constant('refuse' as const), sidecar: fc.nat(2), yes: fc.boolean() }),
    fc.record({ do: fc.constant('cut' as const), sidecar: fc.nat(2) }),
    fc.record({ do: fc.constant('connect' as const), sidecar: fc.nat(2) }),
    fc.record({ do: fc.constant('restart' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new TestWorld()
      for (const it of ['ai/a', 'ai/b']) world.endpoint(it)
      let push = new Push({ now: () => 0 })
      push.publish(world.compiler.compile(world))
      const sidecars = [0, 1, 2].map(() => new TestSidecar())
      for (const sidecar of sidecars) sidecar.refuse = refuses13
      const connect = (i: number) => {
        const sidecar = sidecars[i]
        sidecar?.cut()
        sidecar?.connect(push, `ai/p${i}`, { app: `${i}` })
      }
      sidecars.forEach((_, i) => connect(i))
      for (const it of steps) {
        const sidecar = 'sidecar' in it ? sidecars[it.sidecar] : undefined
        if (it.do === 'weight') world.route(`ai/r${it.route}`, 'm', { a: it.weight, b: 1 })
        if (it.do === 'remove') world.put('ModelRoute', `ai/r${it.route}`, undefined)
        if (it.do === 'selector') {
          const workloads = { selector: { matchLabels: { app: `${it.app}` } } }
          world.route(`ai/r${it.route}`, 'm', { b: 1 }, { workloads })
        }
        if (it.do === 'hold' && sidecar) sidecar.held = true
        if (it.do === 'release') sidecar?.release(it.count)
        if (it.do === 'refuse' && sidecar)
          sidecar.refuse = it.yes ? () => [{ resource: keyOf('route', 'ai/r0'), path: '', message: 'no' }] : refuses13
        if (it.do === 'cut') sidecar?.cut()
        if (it.do === 'connect') connect(it.sidecar)
        if (it.do === 'restart') {
          push.close()
          push = new Push({ now: () => 0 })
        }
        push.publish(world.compiler.compile(world))
      }
      for (const [i, sidecar] of sidecars.entries()) {
        sidecar.held = false
        sidecar.refuse = refuses13
        sidecar.release()
        // What was refused is not offered again on the same connection.
        const refused = push.fleet().refusals.some(({ pod }) => pod === `ai/p${i}`)
        if (sidecar.closed || refused) connect(i)
      }
      // One more edit reaches those that refused the last one.
      world.route('ai/last', 'last', { a: 1 })
      push.publish(world.compiler.compile(world))
      for (const [i, sidecar] of sidecars.entries()) {
        const bad = refuses13(
          new Map([...world.compiler.resources].filter(([key]) => key in wanted(world, 'ai', { app: `${i}` }))),
        ).map(({ resource }) => resource)
        const but = (all: Readonly<Record<string, unknown>>) =>
          Object.fromEntries(Object.entries(all).filter(([key]) => !bad.some((resource) => resource === key)))
        assert.deepEqual(but(has(sidecar)), but(wanted(world, 'ai', { app: `${i}` })))
        const serves = push.fleet().sidecars.find(({ pods }) => pods.includes(`ai/p${i}`))?.serves
        assert.deepEqual(Object.fromEntries([...(serves?.entries() ?? [])].sort(byKey)), has(sidecar))
      }
      assert.equal(push.gauges().queued, 0)
      assert.equal(push.gauges().oldest, 0)
      push.close()
    }),
    { numRuns: 300 },
  )
})

test('push: a sidecar that fails at an update refuses it, and goes on with what it has', (t) => {
  const { push, world, publish } = started(t)
  two(world)
  world.pod('ai/p')
  publish()
  const sidecar = new TestSidecar()
  sidecar.connect(push, 'ai/p')
  const good = has(sidecar)
  sidecar.refuse = () => {
    throw new Error('a fault')
  }
  world.route('ai/r', 'chat', { a: 1, b: 1 })
  publish()
  assert.deepEqual(has(sidecar), good)
  assert.equal(sidecar.closed, undefined)
  const status = statuses(world.compiler, push.fleet()).get('ModelRoute ai/r')?.status
  const programmed = status?.conditions.find(({ type }) => type === 'Programmed')
  assert.match(programmed?.message ?? '', /serve what they had: ai\/p\. a fault/)
})
