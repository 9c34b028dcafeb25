import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Counter } from '../../core/evidence/counter.ts'
import type { Tally } from '../../core/evidence/tally.ts'
import { clusterName, CLUSTERS } from '../../core/experiment/assignment.ts'
import type { ExperimentInForce } from '../../core/experiment/in-force.ts'
import { seeded } from '../../core/learning/random.ts'
import { ExperimentMemory } from '../../operator/experiment/store.ts'
import { Experiments } from '../../operator/experiments.ts'
import { TestWorld } from './fleet.ts'

class Lab extends TestWorld {
  experiments: ReadonlyMap<string, readonly ExperimentInForce[]> = new Map()
}

const plain = {
  name: 'test',
  arms: [
    { name: 'control', endpoint: { name: 'a' } },
    { name: 'treatment', endpoint: { name: 'b' } },
  ],
  metrics: [{ metric: 'Cost', primary: true, minimumEffect: '0.1' }],
  samples: 500,
}

/** An engine over a world that a test edits, on a clock that stands still between ticks. */
function engine(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const world = new Lab()
  for (const name of ['a', 'b']) world.endpoint(`ai/${name}`)
  let now = Date.UTC(2026, 0, 1)
  const happened: string[] = []
  const told = new Map<string, ReadonlyMap<string, Tally>>()
  const store = new ExperimentMemory(
    (route) => world.routes.has(route),
    () => {
      world.experiments = new Map(store.experiments)
    },
  )
  const compiled = () => world.compiler.compile(world)
  const start = () => {
    const made = new Experiments({
      store,
      world: () => world,
      compiled,
      evidence: { totals: (route, rule, version) => told.get(`${route} ${rule} ${version}`) },
      wall: () => now,
      happened: (route, _, { type, reason }) => happened.push(`${route} ${type} ${reason}`),
      failed: (route, error) => assert.fail(`${route}: ${String(error)}`),
    })
    made.lead({ leading: true })
    made.compiled({ changes: { ...compiled().changes, objects: all() } })
    return made
  }
  const all = () => new Set([...world.routes.keys()].map((name) => `ModelRoute ${name}`))
  let experiments = start()
  t.after(() => experiments.close())
  /** Puts a route with an experiment in the world, or one without. */
  const put = (name: string, experiment: object | undefined, created = '2026-01-01T00:00:00Z') => {
    const targets = [{ endpoint: { name: 'a' } }, { endpoint: { name: 'b' } }]
    const rule = experiment ? { targets, experiment: { ...plain, ...experiment } } : { targets }
    world.put('ModelRoute', name, { models: [name], rules: [rule] })
    const route = world.routes.get(name)
    world.routes.set(name, { ...route, metadata: { ...route.metadata, creationTimestamp: created } })
    experiments.compiled({ changes: { ...compiled().changes, objects: all() } })
  }
  const pass = async (ms = 1000) => {
    for (let left = ms; left > 0; left -= 1000) {
      now += Math.min(1000, left)
      t.mock.timers.tick(1000)
      // What was written comes back, and is heard of.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const rule = (name: string) => compiled().routes.get(name)?.body.rules[0]
  const view = (name: string) => experiments.views().find(({ route }) => route === name)
  /** So many requests of each arm, of which the treatment costs so much. */
  const count = (name: string, n: number, cost: number) => {
    const random = seeded(7)
    const arms = new Map<string, Counter>()
    for (let i = 0; i < n; i++)
      for (const [arm, mean] of [
        ['control', 1],
        ['treatment', cost],
      ] as const) {
        const key = clusterName(arm, Math.floor(random() * CLUSTERS))
        const counter = arms.get(key) ?? new Counter()
        arms.set(key, counter)
        counter.add({ cost: mean * (0.5 + random()) })
      }
    told.set(`${name} 0 ${view(name)?.version}`, arms)
  }
  /** Another replica leads, which knows what is written down alone. */
  const handOver = () => {
    experiments.close()
    experiments = start()
  }
  return { world, put, pass, rule, view, count, handOver, happened, store }
}

test('experiments: what is decided comes back with the world, and is in force', async (t) => {
  const { put, pass, rule, view, count, happened } = engine(t)
  put('ai/r', { onDecision: 'Ship' })
  await pass()
  assert.equal(view('ai/r')?.phase, 'Running')
  assert.equal(rule('ai/r')?.experiment?.arms.length, 2)
  assert.equal(rule('ai/r')?.evidence?.version, view('ai/r')?.version)
  count('ai/r', 800, 0.7)
  await pass()
  const decided = view('ai/r')
  assert.deepEqual([decided?.phase, decided?.decision, decided?.winner], ['Decided', 'Ship', 'treatment'])
  const shipped = rule('ai/r')
  assert.deepEqual([shipped?.experiment, shipped?.evidence], [undefined, undefined])
  assert.deepEqual(
    shipped?.targets.map(({ endpoint, priority }) => [endpoint, priority]),
    [
      ['ai/a', 1],
      ['ai/b', 0],
    ],
  )
  assert.deepEqual(happened, ['ai/r Normal ExperimentRunning', 'ai/r Normal ExperimentShip'])
})

test('experiments: reported only, units stay with their arms, and nothing more is counted', async (t) => {
  const { put, pass, rule, view, count } = engine(t)
  put('ai/r', {})
  await pass()
  count('ai/r', 800, 0.7)
  await pass()
  assert.equal(view('ai/r')?.decision, 'Ship')
  assert.equal(rule('ai/r')?.experiment?.name, 'test')
  assert.equal(rule('ai/r')?.evidence, undefined)
})

test('experiments: who leads next goes on from what is written down, and decides nothing by a part of the evidence', async (t) => {
  const { put, pass, view, count, handOver } = engine(t)
  put('ai/r', { samples: 2000 })
  await pass()
  count('ai/r', 1000, 0.7)
  await pass(11_000)
  const before = view('ai/r')
  assert.deepEqual([before?.reason, before?.arms.map(({ requests }) => requests)], ['Collecting', [1000, 1000]])
  handOver()
  // Not all sidecars have told it yet what they know.
  count('ai/r', 300, 9)
  await pass(20_000)
  assert.deepEqual(view('ai/r'), before)
  count('ai/r', 2500, 0.7)
  await pass()
  const decided = view('ai/r')
  assert.deepEqual([decided?.decision, decided?.started], ['Ship', before?.started])
  handOver()
  await pass(20_000)
  assert.deepEqual(view('ai/r'), decided)
})

test('experiments: of two whose parts of a layer overlap the younger route’s waits, until the other is gone', async (t) => {
  const { put, pass, rule, view, happened } = engine(t)
  put('ai/young', { name: 'second', layer: { name: 'l', from: 40 } }, '2026-01-02T00:00:00Z')
  put('ai/old', { name: 'first', layer: { name: 'l', to: 50 } })
  put('ai/beside', { name: 'third', layer: { name: 'other' } })
  await pass(2000)
  assert.deepEqual([view('ai/old')?.phase, view('ai/beside')?.phase], ['Running', 'Running'])
  assert.deepEqual([view('ai/young')?.phase, view('ai/young')?.reason], ['Blocked', 'LayerOverlap'])
  assert.match(view('ai/young')?.message ?? '', /rule 0 of ModelRoute ai\/old, which goes first/)
  assert.equal(rule('ai/young')?.experiment, undefined)
  assert.ok(happened.includes('ai/young Warning ExperimentBlocked'))
  put('ai/old', { name: 'first', layer: { name: 'l', to: 40 } })
  await pass(2000)
  assert.equal(view('ai/young')?.phase, 'Running')
  assert.equal(rule('ai/young')?.experiment?.name, 'second')
  assert.deepEqual(rule('ai/young')?.experiment?.layer, { name: 'ai/l', from: 40, to: 100 })
})

test('experiments: one that has shipped gives its part of the layer free', async (t) => {
  const { put, pass, view, count } = engine(t)
  put('ai/old', { onDecision: 'Ship', layer: { name: 'l' } })
  put('ai/young', { name: 'second', layer: { name: 'l' } }, '2026-01-02T00:00:00Z')
  await pass(2000)
  assert.equal(view('ai/young')?.reason, 'LayerOverlap')
  count('ai/old', 800, 0.7)
  await pass(3000)
  assert.deepEqual([view('ai/old')?.decision, view('ai/young')?.phase], ['Ship', 'Running'])
})

test('experiments: nobody is assigned while the target of an arm is not there', async (t) => {
  const { world, put, pass, rule, view } = engine(t)
  put('ai/r', {})
  world.put('ModelEndpoint', 'ai/b', undefined)
  await pass()
  assert.deepEqual([view('ai/r')?.phase, view('ai/r')?.reason], ['Blocked', 'Unresolved'])
  assert.equal(rule('ai/r')?.experiment, undefined)
  world.endpoint('ai/b')
  await pass()
  assert.equal(view('ai/r')?.phase, 'Running')
  assert.ok(rule('ai/r')?.experiment)
})

test('experiments: other arms, weights or units are another experiment; other metrics are the same', async (t) => {
  const { put, pass, view } = engine(t)
  const version = async (experiment: object) => {
    put('ai/r', experiment)
    await pass()
    return view('ai/r')?.version
  }
  const first = await version({})
  assert.equal(await version({ metrics: [{ metric: 'ErrorRate', primary: true }], alpha: '0.01', samples: 7 }), first)
  assert.equal(await version({ salt: 'test' }), first, 'the salt is the name')
  const [control, treatment] = plain.arms
  for (const other of [
    { name: 'other' },
    { salt: 'other' },
    { unit: { header: 'x-user' } },
    { layer: { name: 'l' } },
    { arms: [control, { ...treatment, weight: 2 }] },
    { arms: [control, { ...treatment, name: 'new' }] },
  ])
    assert.notEqual(await version(other), first, JSON.stringify(other))
})

test('experiments: of one that is taken out nothing is left', async (t) => {
  const { put, pass, view, store } = engine(t)
  put('ai/r', {})
  await pass()
  assert.equal(store.read('ai/r')?.items.length, 1)
  put('ai/r', undefined)
  await pass(2000)
  assert.equal(view('ai/r'), undefined)
  assert.equal(store.read('ai/r')?.items.length, 0)
})
