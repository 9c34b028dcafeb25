import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { ModelRoute } from '../../api/model-route.ts'
import { parse } from '../../api/parse.ts'
import { Counter } from '../../core/evidence/counter.ts'
import { seeded } from '../../core/learning/random.ts'
import type { Happening } from '../../core/rollout/happenings.ts'
import type { InForce } from '../../core/rollout/in-force.ts'
import { compile } from '../../operator/compile/index.ts'
import type { Compiled } from '../../operator/compile/index.ts'
import { keyOf } from '../../operator/compile/resource.ts'
import { NO_FLEET } from '../../operator/fleet.ts'
import type { Fleet } from '../../operator/fleet.ts'
import { NO_RECORD } from '../../operator/rollout/record.ts'
import type { Record } from '../../operator/rollout/record.ts'
import { inForceOf } from '../../operator/rollout/store.ts'
import type { Writing } from '../../operator/rollout/store.ts'
import type { Written } from '../../operator/status-fields.ts'
import { Rollouts, RolloutError } from '../../operator/rollouts.ts'
import type { World } from '../../operator/world.ts'

const ROUTE = 'ai/chat'
const POD = { namespace: 'ai', name: 'app', uid: 'app-uid', labels: {}, ips: [] }
const pod = { ...POD, injected: true, running: true, ready: true, terminating: false }

function routeOf(rollout: object): ModelRoute {
  const spec = {
    models: ['chat'],
    rules: [
      {
        targets: [
          { endpoint: { name: 'old' }, weight: 1 },
          { endpoint: { name: 'new' }, weight: 0 },
        ],
        rollout: {
          canary: { name: 'new' },
          steps: [{ weight: 10 }, { weight: 30 }, { weight: 50 }, { weight: 100 }],
          dwell: '1s',
          samples: 30,
          guardrails: [{ metric: 'ErrorRate', margin: '0.1' }],
          ...rollout,
        },
      },
    ],
  }
  const metadata = { name: 'chat', namespace: 'ai', uid: 'route-uid', generation: 1 }
  const parsed = parse({ apiVersion: 'tradewind.dev/v1alpha1', kind: 'ModelRoute', metadata, spec })
  assert.ok(parsed.ok && parsed.object.kind === 'ModelRoute', JSON.stringify(parsed))
  return parsed.object
}

/** An API server that refuses what is not decided upon its newest, is slow, and at times does not say whether it has written. */
class Server {
  record: Record = NO_RECORD
  version = 0
  readonly weights: number[] = []
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  async write(seen: number, { record }: Writing): Promise<Written> {
    await later(this.#random() * 60)
    if (this.#random() < 0.1) throw new Error('the connection was reset before')
    if (seen !== this.version) return 'conflict'
    this.version++
    this.record = record
    for (const { weight } of record.states.values()) if (this.weights.at(-1) !== weight) this.weights.push(weight)
    await later(this.#random() * 30)
    if (this.#random() < 0.1) throw new Error('the connection was reset after')
    return 'written'
  }
}

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** One sidecar: what it serves, and what became of its requests by version. */
class Sidecar {
  serves: { readonly version: string | undefined; readonly share: number; readonly digest: string | undefined } = {
    version: undefined,
    share: 0,
    digest: undefined,
  }
  readonly arms = new Map<string, { readonly canary: Counter; readonly stable: Counter }>()
  readonly #random: () => number
  readonly #fails: number

  constructor(random: () => number, fails: number) {
    this.#random = random
    this.#fails = fails
  }

  ask(): void {
    const { version, share } = this.serves
    if (version === undefined) return
    const known = this.arms.get(version) ?? { canary: new Counter(), stable: new Counter() }
    this.arms.set(version, known)
    const arm = this.#random() < share ? 'canary' : 'stable'
    known[arm].add({ error: arm === 'canary' && this.#random() < this.#fails, latency: 5 })
  }
}

/** A replica of the operator: its watch lags behind the server, and what it compiles is what its sidecar gets. */
class Replica {
  readonly rollouts: Rollouts
  readonly happened: Happening[] = []
  #seen: { readonly record: Record; readonly version: number } = { record: NO_RECORD, version: 0 }
  #decided: readonly InForce[] = []
  #compiled: Compiled
  readonly #sidecar: Sidecar
  readonly #route: () => ModelRoute

  constructor(server: Server, sidecar: Sidecar, route: () => ModelRoute) {
    this.#sidecar = sidecar
    this.#route = route
    this.#compiled = compile(this.#world(), { allowLoopback: true })
    this.rollouts = new Rollouts({
      store: {
        read: () => ({ uid: 'route-uid', record: this.#seen.record }),
        write: (_, __, writing) => server.write(this.#seen.version, writing),
      },
      world: () => this.#world(),
      compiled: () => this.#compiled,
      fleet: () => this.#fleet(),
      evidence: {
        totals: (_, __, version) => {
          const arms = sidecar.arms.get(version)
          return (
            arms &&
            new Map([
              ['ai/new m', arms.canary],
              ['ai/old m', arms.stable],
            ])
          )
        },
        peers: () => new Set([pod.uid]),
        onChange: () => () => {},
      },
      wall: () => Date.now(),
      happened: (_, __, happening) => this.happened.push(happening),
      failed: () => {},
    })
    this.rollouts.compiled(this.#compiled)
  }

  /** The watch brings what the server has. */
  watch({ record, version }: Server): void {
    if (version === this.#seen.version) return
    this.#seen = { record, version }
    this.#decided = inForceOf(record.states)
    this.compile()
  }

  compile(): void {
    this.#compiled = compile(this.#world(), { allowLoopback: true })
    this.rollouts.compiled(this.#compiled)
  }

  /** Its sidecar takes what is compiled. */
  push(): void {
    const digest = this.#compiled.resources.get(keyOf('route', ROUTE))?.digest
    const rule = this.#compiled.routes.get(ROUTE)?.body.rules[0]
    const [old = 0, canary = 0] = rule?.targets.map(({ weight }) => weight) ?? []
    this.#sidecar.serves = { version: rule?.evidence?.version, share: canary / (old + canary || 1), digest }
  }

  #world(): World {
    const none = new Map<string, never>()
    const route = this.#route()
    return {
      routes: new Map([[ROUTE, route]]),
      endpoints: new Map(['old', 'new'].map((name) => [`ai/${name}`, endpoint(name)])),
      invalid: none,
      secrets: none,
      artefacts: none,
      services: none,
      slices: none,
      namespaces: none,
      pods: new Map([['ai/app', pod]]),
      rollouts: new Map([[ROUTE, this.#decided]]),
    }
  }

  #fleet(): Fleet {
    const { digest } = this.#sidecar.serves
    const serves = new Map(digest === undefined ? [] : [[keyOf('route', ROUTE), digest]])
    return { ...NO_FLEET, sidecars: [{ pods: ['ai/app'], version: '1', lacks: [], serves }] }
  }
}

function endpoint(name: string) {
  const spec = {
    provider: { type: 'OpenAICompatible' },
    address: { type: 'URL', url: `https://${name}.example/v1` },
    models: [{ name: 'm' }],
  }
  const metadata = { name, namespace: 'ai', generation: 1 }
  const parsed = parse({ apiVersion: 'tradewind.dev/v1alpha1', kind: 'ModelEndpoint', metadata, spec })
  assert.ok(parsed.ok && parsed.object.kind === 'ModelEndpoint', JSON.stringify(parsed))
  return parsed.object
}

/** Two replicas, one server and one sidecar, in time that the test makes pass. */
function lab(t: TestContext, { seed, fails = 0, rollout = {} }: { seed: number; fails?: number; rollout?: object }) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_800_000_000_000 })
  const random = seeded(seed)
  const server = new Server(random)
  const sidecar = new Sidecar(random, fails)
  let route = routeOf(rollout)
  const replicas: Replica[] = [0, 1].map(() => new Replica(server, sidecar, () => route))
  let epoch = 0
  const lead = (index: number) => {
    epoch++
    for (const [i, replica] of replicas.entries()) replica.rollouts.lead({ leading: i === index, epoch })
  }
  t.after(() => replicas.forEach(({ rollouts }) => rollouts.close()))
  return {
    server,
    sidecar,
    replicas,
    lead,
    random,
    state: () => server.record.states.get('0'),
    edit(next: object): void {
      route = { ...routeOf(next), metadata: { ...route.metadata, generation: (route.metadata.generation ?? 0) + 1 } }
      for (const replica of replicas) replica.compile()
    },
    /** Time passes, ms. */
    async pass(ms: number): Promise<void> {
      for (let at = 0; at < ms; at += 20) {
        for (const replica of replicas) if (random() < 0.5) replica.watch(server)
        if (random() < 0.5) replicas[0]?.push()
        for (let i = 0; i < 4; i++) sidecar.ask()
        t.mock.timers.tick(20)
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

for (const [what, fails, end] of [
  ['a good canary', 0, 'Promoted'],
  ['a bad one', 0.5, 'RolledBack'],
] as const)
  test(`engine: ${what} ends ${end} whoever leads, whatever is refused or not known to be written, and no step is skipped`, async (t) => {
    for (let seed = 1; seed <= 25; seed++)
      await t.test(`seed ${seed}`, async (t) => {
        const it = lab(t, { seed, fails })
        it.lead(0)
        for (let turn = 0; turn < 400 && it.state()?.phase !== end; turn++) {
          await it.pass(500)
          // Nobody leads, both believe that they do, or another does.
          if (it.random() < 0.2) it.lead(Math.floor(it.random() * 3) - 1)
          if (it.random() < 0.05)
            for (const { rollouts } of it.replicas) rollouts.lead({ leading: true, epoch: 1e6 + turn })
        }
        assert.equal(it.state()?.phase, end, JSON.stringify(it.state()))
        const up = end === 'Promoted' ? [0, 10, 30, 50, 100] : it.server.weights
        assert.deepEqual(it.server.weights, up)
        const all = [0, 10, 30, 50]
        if (end === 'RolledBack') assert.deepEqual(up.slice(0, -1), all.slice(0, up.length - 1))
        // The last version that gathered, of which no request was taken twice.
        const { canary, stable } = [...it.sidecar.arms.values()].at(-1) ?? { canary: { n: 0 }, stable: { n: 0 } }
        const { seen = { canary: 0, stable: 0 } } = it.state() ?? {}
        assert.ok(seen.canary > 0 && seen.canary <= canary.n && seen.stable <= stable.n, JSON.stringify(seen))
      })
  })

test('engine: what somebody asks for is done once it is written, or said not to be', async (t) => {
  const it = lab(t, { seed: 3, rollout: { dwell: '1h' } })
  const [leader, follower] = it.replicas
  assert.ok(leader && follower)
  it.lead(0)
  while (it.state()?.weight !== 10) await it.pass(100)
  const code = async (work: Promise<void>): Promise<string> => {
    const end = { code: '' }
    work.then(
      () => (end.code = 'done'),
      (error: unknown) => (end.code = error instanceof RolloutError ? error.code : String(error)),
    )
    while (end.code === '') await it.pass(100)
    return end.code
  }
  assert.equal(await code(leader.rollouts.act(ROUTE, '0', 'resume', 'ann')), 'not_now')
  assert.equal(await code(leader.rollouts.act(ROUTE, 'other', 'pause', 'ann')), 'not_found')
  assert.equal(await code(follower.rollouts.act(ROUTE, '0', 'pause', 'ann')), 'not_leading')
  assert.equal(await code(leader.rollouts.act(ROUTE, '0', 'pause', 'ann')), 'done')
  assert.deepEqual([it.state()?.phase, it.state()?.by], ['Paused', 'ann'])
  await it.pass(200)
  const seen = follower.rollouts.views()
  assert.deepEqual(
    seen.map(({ route, phase, weight, canary }) => [route, phase, weight, canary]),
    [[ROUTE, 'Paused', 10, 'new/m']],
  )
})

test('engine: evidence alone is written every five seconds, and what is decided at once', async (t) => {
  const it = lab(t, { seed: 5, rollout: { dwell: '1h' } })
  it.lead(0)
  while (it.state()?.weight !== 10) await it.pass(100)
  await it.pass(2000)
  const before = it.server.version
  await it.pass(30_000)
  const written = it.server.version - before
  assert.ok(written >= 3 && written <= 9, `${written} writes in 30 s`)
})
