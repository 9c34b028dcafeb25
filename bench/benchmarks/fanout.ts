import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../../test/helpers/eventually.ts'
import { trustedRoots } from '../../test/helpers/operators.ts'
import { type Benchmark, Notes, type Series } from '../benchmark.ts'
import {
  applyObject,
  type ControlPlane,
  each,
  makeEndpoints,
  makeNamespace,
  makePod,
  startControlPlane,
  tokenOf,
  weighted,
} from '../control/cluster.ts'
import type { Applied, FleetCommand } from '../control/fleet.ts'
import { startSidecar } from '../control/sidecars.ts'
import { Worker } from '../control/worker.ts'
import { anyCore, type Lab } from '../lab.ts'
import { cpuTime, resident } from '../proc.ts'
import { median } from '../statistics.ts'
import { peers } from '../systems/index.ts'
import { now } from '../wire.ts'

const SHARED = 'platform'
/** The label by which one route selects a single pod of its namespace. */
const CANARY = 'canary'

interface Size {
  readonly namespaces: number
  readonly routesEach: number
  readonly podsEach: number
  /** Whole sidecars, the rest are their configuration modules. */
  readonly real: number
}

/** One edit, and how many sidecars have to hear of it. */
interface Edit {
  readonly what: string
  readonly concerned: number
  readonly apply: (plane: ControlPlane, round: number) => Promise<unknown>
}

/** One edit to 2,000 connected sidecars: when the last has it, what was sent to whom, and what the operator is made of meanwhile. */
export const fanout: Benchmark = {
  name: 'fanout',
  about:
    '2,000 connected sidecars and 10,000 routes: one edit until its last acknowledgement, bytes, operator CPU and memory',
  without: peers,
  run: (lab) =>
    anyCore(() =>
      measure(
        lab,
        lab.quick
          ? { namespaces: 10, routesEach: 20, podsEach: 10, real: 2 }
          : { namespaces: 100, routesEach: 100, podsEach: 20, real: 20 },
      ),
    ),
}

async function measure(lab: Lab, size: Size): Promise<readonly Series[]> {
  const plane = await startControlPlane()
  const stops: (() => unknown)[] = [() => plane.stop()]
  try {
    const at = now()
    const accounts = await populate(plane, size)
    lab.log(`${size.namespaces * size.routesEach} routes written in ${((now() - at) / 1000).toFixed(0)} s`)
    const workers = await connect(lab, plane, size, accounts, stops)
    return await edits(lab, plane, size, workers)
  } finally {
    for (const stop of stops) await stop()
  }
}

const home = (i: number) => `team-${i}`

/** Everything but the sidecars; resolves with the uids of the namespaces' accounts. */
async function populate({ api }: ControlPlane, { namespaces, routesEach }: Size): Promise<readonly string[]> {
  await makeNamespace(api, SHARED)
  await share({ api }, 0)
  const accounts: string[] = []
  for (let i = 0; i < namespaces; i++) {
    accounts.push(await makeNamespace(api, home(i)))
    await makeEndpoints(api, home(i), [9001, 9002])
  }
  await each(namespaces * routesEach, 16, (i) => put({ api }, i % namespaces, Math.floor(i / namespaces), 90))
  return accounts
}

/** Route 0 of a namespace is split with the shared endpoint, route 1 is for one pod alone. */
function put({ api }: Pick<ControlPlane, 'api'>, namespace: number, route: number, weight: number): Promise<number> {
  const spec = weighted(`model-${route}`, [weight, 100 - weight])
  const special =
    route === 0
      ? {
          rules: [
            { targets: [{ endpoint: { name: 'model-0' } }, { endpoint: { name: 'shared', namespace: SHARED } }] },
          ],
        }
      : route === 1
        ? { workloads: { selector: { matchLabels: { role: CANARY } } } }
        : {}
  return applyObject(api, 'ModelRoute', home(namespace), `route-${route}`, { ...spec, ...special })
}

function share({ api }: Pick<ControlPlane, 'api'>, round: number): Promise<number> {
  return applyObject(api, 'ModelEndpoint', SHARED, 'shared', {
    provider: { type: 'OpenAI' },
    address: { type: 'URL', url: 'http://127.0.0.1:9003/v1' },
    models: [{ name: 'gpt-4o-mini' }],
    headers: { set: { 'x-round': `${round}` } },
    allowedRoutes: { namespaces: { from: 'All' } },
  })
}

async function connect(
  lab: Lab,
  plane: ControlPlane,
  { namespaces, podsEach, real }: Size,
  accounts: readonly string[],
  stops: (() => unknown)[],
): Promise<readonly Worker<FleetCommand>[]> {
  const { api, server, operator } = plane
  const sidecars: { namespace: string; name: string; token: string }[] = []
  await each(namespaces * podsEach, 16, async (i) => {
    const at = i % namespaces
    const name = `app-${Math.floor(i / namespaces)}`
    const uid = await makePod(api, home(at), name, Math.floor(i / namespaces) === podsEach - 1 ? { role: CANARY } : {})
    sidecars.push({ namespace: home(at), name, token: tokenOf(server, home(at), accounts[at] ?? '', { name, uid }) })
  })
  const ca = await trustedRoots(server, home(0))
  const workers = Array.from({ length: 3 }, (_, i) => {
    const directory = join(lab.directory, `fleet-${i}`)
    mkdirSync(directory, { recursive: true })
    return new Worker<FleetCommand>(join(import.meta.dirname, '../control/fleet.ts'), [directory])
  })
  stops.unshift(...workers.map((it) => () => it.stop()))
  const at = now()
  for (const { namespace, name, token } of sidecars.slice(0, real)) {
    const directory = join(lab.directory, `sidecar-${namespace}-${name}`)
    const { child } = await startSidecar({ directory, operatorPort: operator.ports.push, token, ca })
    stops.unshift(() => child.stop())
  }
  const rest = sidecars.slice(real)
  const url = `wss://localhost:${operator.ports.push}`
  await Promise.all(
    workers.map((worker, i) =>
      worker.ask({
        type: 'connect',
        operator: url,
        ca,
        sidecars: rest
          .filter((_, j) => j % workers.length === i)
          .map(({ namespace, name, token }) => ({ name: `${namespace}-${name}`, token })),
      }),
    ),
  )
  lab.log(`${sidecars.length} sidecars connected in ${((now() - at) / 1000).toFixed(0)} s, ${real} of them whole`)
  // Statuses of all that was made are written before anything is measured.
  await eventually(
    async () => {
      const waiting = await operator.metric('tradewind_operator_status_queue')
      if (waiting > 0) throw new Error(`${waiting} statuses are still to be written`)
    },
    { within: 600_000, every: 1000 },
  )
  return workers
}

async function edits(
  lab: Lab,
  plane: ControlPlane,
  { namespaces, routesEach, podsEach }: Size,
  workers: readonly Worker<FleetCommand>[],
): Promise<readonly Series[]> {
  const { operator } = plane
  const all = namespaces * podsEach
  const kinds: readonly Edit[] = [
    { what: 'a shared endpoint', concerned: all, apply: (at, round) => share(at, round + 1) },
    {
      what: "one namespace's route",
      concerned: podsEach,
      apply: (at, round) => put(at, round % namespaces, 2, round + 1),
    },
    {
      what: "one pod's route",
      concerned: 1,
      apply: (at, round) => put(at, round % namespaces, 1, round + 1),
    },
  ]
  const series: Series[] = []
  for (const { what, concerned, apply } of kinds) {
    const notes = new Notes(
      `${namespaces * routesEach} routes, ${all} sidecars; edit of ${what}, which concerns ${concerned}`,
    )
    const taken: Record<'applied' | 'converged' | 'bytes' | 'pushes' | 'cpu', number[]> = {
      applied: [],
      converged: [],
      bytes: [],
      pushes: [],
      cpu: [],
    }
    const rounds = lab.quick ? 3 : 12
    for (let round = -2; round < rounds; round++) {
      await Promise.all(workers.map((it) => it.ask({ type: 'reset' })))
      const before = await counters(plane)
      const cpu = cpuTime(operator.child.pid)
      const since = now()
      await apply(plane, round + 2)
      const after = await eventually(
        async () => {
          const found = await counters(plane)
          const missing = concerned - (found.acknowledged - before.acknowledged)
          if (missing > 0) throw new Error(`${missing} of ${concerned} acknowledgements are missing`)
          return found
        },
        { within: 60_000, every: 25 },
      )
      const applied = await Promise.all(workers.map((it) => it.ask<Applied>({ type: 'applied' })))
      const lost = applied.reduce((sum, it) => sum + it.lost, 0)
      if (lost > 0) throw new Error(`${lost} connections were lost`)
      if (after.acknowledged - before.acknowledged !== concerned)
        throw new Error(`${after.acknowledged - before.acknowledged} acknowledged what concerns ${concerned}`)
      // The statuses that follow are part of what an edit costs.
      await eventually(
        async () => {
          if ((await operator.metric('tradewind_operator_status_queue')) > 0) throw new Error('statuses are waiting')
        },
        { within: 60_000, every: 100 },
      )
      if (round < 0) continue
      taken.applied.push(Math.max(...applied.map((it) => it.last)) - since)
      taken.converged.push((after.converged - before.converged) * 1000)
      taken.bytes.push(after.bytes - before.bytes)
      taken.pushes.push(after.pushes - before.pushes)
      taken.cpu.push((cpuTime(operator.child.pid) - cpu) / 1000)
    }
    notes.add('tradewind', 'last_in_force', 'ms', median(taken.applied))
    notes.add('tradewind', 'last_acknowledged', 'ms', median(taken.converged))
    notes.add('tradewind', 'pushes', '', median(taken.pushes))
    notes.add('tradewind', 'bytes_per_push', 'B', median(taken.bytes) / median(taken.pushes))
    notes.add('tradewind', 'operator_cpu', 'ms', median(taken.cpu))
    notes.add('tradewind', 'operator_resident', 'MiB', resident(operator.child.pid))
    lab.log(
      `${what}: last in force after ${median(taken.applied).toFixed(0)} (most ${Math.max(...taken.applied).toFixed(0)}) ms, acknowledged ${median(taken.converged).toFixed(0)} ms after it arrived, ${median(taken.pushes)} pushes of ${(median(taken.bytes) / median(taken.pushes)).toFixed(0)} B, CPU ${median(taken.cpu).toFixed(0)} ms, ${resident(operator.child.pid).toFixed(0)} MiB`,
    )
    series.push(...notes.list())
  }
  return series
}

/** What the operator has counted so far. */
async function counters({ operator }: ControlPlane) {
  const [acknowledged, converged, bytes, pushes] = await Promise.all(
    [
      'tradewind_operator_acknowledgements_total',
      'tradewind_operator_convergence_seconds_sum',
      'tradewind_operator_push_bytes_total',
      'tradewind_operator_pushes_total',
    ].map((name) => operator.metric(name)),
  )
  return { acknowledged: acknowledged ?? 0, converged: converged ?? 0, bytes: bytes ?? 0, pushes: pushes ?? 0 }
}
