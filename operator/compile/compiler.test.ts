import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { parse } from '../../api/parse.ts'
import { NO_FLEET } from '../fleet.ts'
import { statuses } from '../statuses.ts'
import type { Labels, PodView, Touched, TouchedKind, World } from '../world.ts'
import { Compiler } from './compiler.ts'
import { compile } from './index.ts'
import type { Compiled } from './index.ts'

const options = { allowLoopback: false }

/** A world that is edited in place, as sources do. */
function emptyWorld() {
  return {
    routes: new Map(),
    endpoints: new Map(),
    invalid: new Map(),
    secrets: new Map(),
    artefacts: new Map(),
    services: new Map(),
    slices: new Map(),
    pods: new Map<string, PodView>(),
    namespaces: new Map(),
  } satisfies World
}

const NAMESPACES = ['a', 'b']
const namespace = fc.constantFrom(...NAMESPACES)
const name = fc.constantFrom('x', 'y')
const label = fc.option(fc.constantFrom('1', '2'), { nil: undefined })
const labels = fc
  .record({ app: label, track: label })
  .map((found) => Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)))

interface Edit {
  readonly kind: TouchedKind
  readonly namespace: string
  readonly name: string
  /** Undefined removes it. */
  readonly content: object | undefined
}
const edit = (kind: TouchedKind, content: fc.Arbitrary<object>): fc.Arbitrary<Edit> =>
  fc.record({ kind: fc.constant(kind), namespace, name, content: fc.option(content, { nil: undefined, freq: 4 }) })

const policy = fc.constantFrom(
  { namespaces: { from: 'Same' } },
  { namespaces: { from: 'All' } },
  { namespaces: { from: 'Selector', selector: { matchLabels: { app: '1' } } } },
)
const endpoint = fc.record(
  {
    address: fc.constantFrom(
      { type: 'URL', url: 'https://e.example/v1' },
      { type: 'URL', url: 'http://127.0.0.1/v1' },
      { type: 'Service', service: { name: 'x', port: 80 } },
      { type: 'Pods', pods: { selector: { matchLabels: { app: '1' } }, port: 80 } },
    ),
    credentials: fc.constantFrom(
      { type: 'Passthrough' },
      { type: 'Secret', secret: { name: 'x', key: 'k' } },
      { type: 'Secret', secret: { name: 'y', key: 'k' } },
    ),
    allowedRoutes: policy,
    allowCredentialUse: policy,
  },
  { requiredKeys: ['address'] },
)
const target = fc.record({
  endpoint: fc.record({ name, namespace }, { requiredKeys: ['name'] }),
  weight: fc.nat({ max: 3 }),
})
const route = fc.record(
  {
    models: fc.uniqueArray(fc.constantFrom('m', 'n', '*'), { minLength: 1 }),
    workloads: fc.constantFrom(
      { selector: { matchLabels: { app: '1' } } },
      { selector: { matchExpressions: [{ key: 'track', operator: 'NotIn', values: ['2'] }] } },
      { selector: {} },
    ),
    rules: fc
      .uniqueArray(target, { minLength: 1, maxLength: 3, selector: (it) => JSON.stringify(it.endpoint) })
      .chain((targets) =>
        fc
          .option(
            fc.record({ type: fc.constant('Classifier'), classifier: fc.record({ artefact: fc.record({ name }) }) }),
          )
          .map((strategy) => [{ targets, ...(strategy ? { strategy } : {}) }]),
      ),
  },
  { requiredKeys: ['models', 'rules'] },
)
const secret = fc.record({ labelled: fc.boolean(), value: fc.constantFrom('1', '2') })
const slice = fc.array(fc.record({ host: fc.constantFrom('10.0.0.1', '10.0.0.2'), ready: fc.boolean() }), {
  maxLength: 2,
})
const pod = fc.record({
  labels,
  injected: fc.boolean(),
  running: fc.boolean(),
  ready: fc.boolean(),
  terminating: fc.boolean(),
})

const edits = fc.array(
  fc.array(
    fc.oneof(
      edit('ModelRoute', route),
      edit('ModelRoute', route),
      edit('ModelEndpoint', endpoint),
      edit('Secret', secret),
      edit('ConfigMap', fc.record({ data: fc.constantFrom('AAAA', 'BBBB', undefined) })),
      edit('Service', fc.constant({})),
      edit(
        'EndpointSlice',
        slice.map((endpoints) => ({ endpoints })),
      ),
      edit('Pod', pod),
      edit(
        'Namespace',
        labels.map((found) => ({ labels: found })),
      ),
    ),
    { minLength: 1, maxLength: 3 },
  ),
  { minLength: 1, maxLength: 12 },
)

let generation = 0
function apply(world: ReturnType<typeof emptyWorld>, { kind, namespace, name, content }: Edit): Touched {
  const full = kind === 'Namespace' ? namespace : `${namespace}/${name}`
  const map: Map<string, unknown> = {
    ModelRoute: world.routes,
    ModelEndpoint: world.endpoints,
    Secret: world.secrets,
    ConfigMap: world.artefacts,
    Service: world.services,
    EndpointSlice: world.slices,
    Pod: world.pods,
    Namespace: world.namespaces,
  }[kind]
  if (content) map.set(full, made(kind, namespace, name, content))
  else map.delete(full)
  return { kind, name: full }
}

function made(kind: TouchedKind, namespace: string, name: string, content: object): unknown {
  const id = { namespace, name }
  if (kind === 'ModelRoute' || kind === 'ModelEndpoint') {
    const spec = kind === 'ModelRoute' ? content : { provider: { type: 'OpenAI' }, models: [{ name: 'm' }], ...content }
    const parsed = parse({ apiVersion: 'tradewind.dev/v1alpha1', kind, metadata: id, spec })
    assert.ok(parsed.ok, JSON.stringify(parsed))
    return {
      ...parsed.object,
      metadata: { ...parsed.object.metadata, uid: `${namespace}/${name}`, generation: ++generation },
    }
  }
  if (kind === 'Secret' && 'value' in content && 'labelled' in content)
    return { ...id, labels: content.labelled ? { 'tradewind.dev/use': 'credentials' } : {}, data: { k: content.value } }
  if (kind === 'ConfigMap') return { ...id, ...content }
  if (kind === 'Service') return { ...id, type: 'ClusterIP', ports: [{ name: '', port: 80 }], ipFamilies: [] }
  if (kind === 'EndpointSlice' && 'endpoints' in content && Array.isArray(content.endpoints)) {
    const endpoints = content.endpoints.map(({ host, ready }) => ({
      addresses: [host],
      ready,
      serving: ready,
      terminating: false,
    }))
    return [{ ...id, service: name, addressType: 'IPv4', ports: [{ name: '', port: 8000 }], endpoints }]
  }
  if (kind === 'Pod') return { ...id, uid: `${namespace}/${name}`, ips: ['10.1.0.1'], ...content }
  return { name: namespace, ...content }
}

const LABELS: readonly Labels[] = [{}, { app: '1' }, { app: '2', track: '2' }, { track: '1' }]

/** All that a compile says, for pods that there are and pods that there might be. */
function outcome(compiled: Compiled) {
  const pods = NAMESPACES.flatMap((namespace) => LABELS.map((labels) => ({ namespace, labels })))
  return {
    resources: sorted([...compiled.resources].map(([key, { digest }]) => [key, digest] as const)),
    audiences: pods.map((it) => [...compiled.audience(it).keys.keys()].sort()),
    statuses: sorted([...statuses(compiled, NO_FLEET)].map(([id, status]) => [id, JSON.stringify(status)] as const)),
  }
}
const sorted = (pairs: (readonly [string, string])[]) => pairs.sort(([a], [b]) => (a < b ? -1 : 1))

test('compile: told what was touched, it comes to what it would from nothing; and says what differs', () => {
  fc.assert(
    fc.property(edits, (steps) => {
      const world = emptyWorld()
      const compiler = new Compiler(options)
      let before = outcome(compiler.compile(world))
      for (const step of steps) {
        const compiled = compiler.compile(
          world,
          step.map((it) => apply(world, it)),
        )
        const after = outcome(compiled)
        assert.deepEqual(after, outcome(compile(world, options)))
        for (const [kind, said] of [
          ['resources', compiled.changes.resources],
          ['statuses', compiled.changes.objects],
        ] as const) {
          const old = new Map(before[kind])
          for (const [key, value] of after[kind])
            assert.ok(
              old.get(key) === value || (said as ReadonlySet<string>).has(key),
              `${kind}: ${key} is not said to differ`,
            )
        }
        before = after
      }
    }),
    { numRuns: 300 },
  )
})

test('compile: told nothing, it comes to the same', () => {
  fc.assert(
    fc.property(edits, (steps) => {
      const world = emptyWorld()
      const compiler = new Compiler(options)
      for (const step of steps) {
        for (const it of step) apply(world, it)
        assert.deepEqual(outcome(compiler.compile(world)), outcome(compile(world, options)))
      }
    }),
    { numRuns: 100 },
  )
})

test('compile: two replicas that saw the same in another order come to the same', () => {
  fc.assert(
    fc.property(edits, (steps) => {
      const world = emptyWorld()
      for (const it of steps.flat()) apply(world, it)
      const reversed = Object.fromEntries(
        Object.entries(world).map(([kind, objects]) => [
          kind,
          new Map([...(objects as Map<string, unknown>)].toReversed()),
        ]),
      ) as unknown as World
      assert.deepEqual(outcome(compile(reversed, options)), outcome(compile(world, options)))
    }),
    { numRuns: 100 },
  )
})

test('compile: what does not differ keeps its identity, so that it is not sent again', () => {
  const world = emptyWorld()
  const compiler = new Compiler(options)
  for (const it of ['x', 'y'])
    apply(world, {
      kind: 'ModelRoute',
      namespace: 'a',
      name: it,
      content: { models: [it], rules: [{ targets: [{ endpoint: { name: 'x' } }] }] },
    })
  const before = compiler.compile(world).resources.get('route/a/y')
  const touched = apply(world, {
    kind: 'ModelRoute',
    namespace: 'a',
    name: 'x',
    content: { models: ['z'], rules: [{ targets: [{ endpoint: { name: 'x' } }] }] },
  })
  const compiled = compiler.compile(world, [touched])
  assert.deepEqual([...compiled.changes.resources], ['route/a/x'])
  assert.equal(compiled.resources.get('route/a/y'), before)
})

const claiming = (name: string): Edit => ({
  kind: 'ModelRoute',
  namespace: 'a',
  name,
  content: { models: ['m'], rules: [{ targets: [{ endpoint: { name: 'x' } }] }] },
})
const running: Edit = {
  kind: 'Pod',
  namespace: 'a',
  name: 'p',
  content: { labels: {}, injected: true, running: true, ready: true, terminating: false },
}
const gone = (it: Edit): Edit => ({ ...it, content: undefined })

test('compile: a route that lost a model among pods that came later is said to differ when it no longer does', () => {
  const world = emptyWorld()
  const compiler = new Compiler(options)
  for (const it of [claiming('x'), claiming('y'), running]) compiler.compile(world, [apply(world, it)])
  assert.match(outcome(compiler).statuses.find(([id]) => id === 'ModelRoute a/y')?.[1] ?? '', /goes to ModelRoute a\/x/)
  const { changes } = compiler.compile(world, [apply(world, gone(claiming('x')))])
  assert.ok(changes.objects.has('ModelRoute a/y'))
  assert.deepEqual(outcome(compiler), outcome(compile(world, options)))
})

test('compile: pods that come back meet the claims of now, not those of when they left', () => {
  const world = emptyWorld()
  const compiler = new Compiler(options)
  for (const it of [claiming('x'), claiming('y'), running, gone(running), gone(claiming('x')), running]) {
    compiler.compile(world, [apply(world, it)])
    assert.deepEqual(outcome(compiler), outcome(compile(world, options)))
  }
})
