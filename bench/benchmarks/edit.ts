import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
import type { Command, Totals } from '../control/prober.ts'
import { type SidecarProcess, startSidecar } from '../control/sidecars.ts'
import { StatusWatch } from '../control/watch.ts'
import { Worker } from '../control/worker.ts'
import { anyCore, type Lab, leanUpstream, proxyCore } from '../lab.ts'
import { wrk } from '../load/wrk.ts'
import { percentile } from '../statistics.ts'
import { peers } from '../systems/index.ts'
import { now } from '../wire.ts'

const NAMESPACE = 'team-0'
const ROUTE = 'chat'
const MODEL = 'gpt-4o-mini'
const SIDECARS = 3

/** Each shows in the traffic: a target gets its first request, or its last. */
const STEPS: readonly (readonly [
  weights: readonly [number, number],
  comes: string | undefined,
  goes: string | undefined,
])[] = [
  [[100, 0], undefined, 'model-1'],
  [[0, 100], 'model-1', 'model-0'],
  [[50, 50], 'model-0', undefined],
  [[0, 1], undefined, 'model-0'],
  [[1, 0], 'model-0', 'model-1'],
  [[30, 70], 'model-1', undefined],
  [[90, 10], undefined, undefined],
]

/** How routes are laid out: the first namespace is the sidecar's own. */
interface Layout {
  readonly what: string
  readonly namespaces: number
  readonly routesEach: number
}

/** Applies a weight as a user would, and finds the first request that it splits. */
export const edit: Benchmark = {
  name: 'edit',
  about: 'from the apply of a weight to the first request split by it, and to its status; 200 edits under load',
  without: peers,
  run: (lab) => anyCore(() => measure(lab)),
}

async function measure(lab: Lab): Promise<readonly Series[]> {
  const scale = lab.quick ? 10 : 1
  const layouts: readonly Layout[] = [
    {
      what: `${3000 / scale} routes in 30 namespaces, the sidecar has ${100 / scale}`,
      namespaces: 30,
      routesEach: 100 / scale,
    },
    {
      what: `${3000 / scale} routes in one namespace, the sidecar has them all`,
      namespaces: 1,
      routesEach: 3000 / scale,
    },
  ]
  const series: Series[] = []
  for (const layout of layouts) series.push(...(await over(lab, layout, scale)))
  lab.evidence.set(
    'elsewhere',
    'Of other control planes no figure was taken here. Published of gateways on other machines, for the same edit: 10 to 30 ms (the best), 120 to 300 ms, 600 ms.',
  )
  return series
}

async function over(lab: Lab, layout: Layout, scale: number): Promise<readonly Series[]> {
  const plane = await startControlPlane()
  const upstream = await leanUpstream(lab)
  const stops: (() => unknown)[] = [() => upstream.stop(), () => plane.stop()]
  try {
    const ports = upstream.targets.map(({ port }) => port)
    const sidecars = await populate(lab, plane, layout, ports, stops)
    const [first] = sidecars
    if (!first) throw new Error('there is no sidecar')
    const prober = new Worker<Command>(join(import.meta.dirname, '../control/prober.ts'), [String(first.port)])
    const status = new StatusWatch(plane.api, NAMESPACE, ROUTE)
    stops.unshift(
      () => prober.stop(),
      () => status.stop(),
    )
    const bench = { lab, plane, prober, status, sidecar: first }
    const series: Series[] = []
    series.push(...(await idle(bench, `${layout.what}; nothing else`, 200 / scale)))
    const churn = await startChurn(plane, ports, scale)
    series.push(
      ...(await idle(bench, `${layout.what}; ${5000 / scale} more routes change without a pause`, 200 / scale)),
    )
    lab.log(`the churn was ${(await churn.stop()).toFixed(0)} edits a second`)
    series.push(...(await underLoad(bench, layout, 200 / scale)))
    return series
  } finally {
    for (const stop of stops) await stop()
  }
}

interface Bench {
  readonly lab: Lab
  readonly plane: ControlPlane
  readonly prober: Worker<Command>
  readonly status: StatusWatch
  readonly sidecar: SidecarProcess
}

async function populate(
  lab: Lab,
  plane: ControlPlane,
  { namespaces, routesEach }: Layout,
  ports: readonly number[],
  stops: (() => unknown)[],
): Promise<readonly SidecarProcess[]> {
  const { api, server } = plane
  let account = ''
  for (let i = 0; i < namespaces; i++) {
    const uid = await makeNamespace(api, `team-${i}`)
    if (i === 0) account = uid
    await makeEndpoints(api, `team-${i}`, ports)
  }
  await applyObject(api, 'ModelRoute', NAMESPACE, ROUTE, weighted(MODEL, [90, 10]))
  await each(namespaces * routesEach - 1, 16, (i) =>
    applyObject(api, 'ModelRoute', `team-${i % namespaces}`, `other-${i}`, weighted(`other-${i}`, [90, 10])),
  )
  const pods: { readonly name: string; readonly uid: string }[] = []
  for (let i = 0; i < SIDECARS; i++) pods.push({ name: `app-${i}`, uid: await makePod(api, NAMESPACE, `app-${i}`) })
  const ca = await trustedRoots(server, NAMESPACE)
  const sidecars: SidecarProcess[] = []
  for (const [i, pod] of pods.entries()) {
    const sidecar = await startSidecar({
      directory: join(lab.directory, `sidecar-${namespaces}-${i}`),
      operatorPort: plane.operator.ports.push,
      token: tokenOf(server, NAMESPACE, account, pod),
      ca,
      // The one that is measured has its core as in the other benchmarks.
      ...(i === 0 ? { core: proxyCore } : {}),
    })
    stops.unshift(() => sidecar.child.stop())
    sidecars.push(sidecar)
  }
  return sidecars
}

/** Edits of a route on an otherwise idle sidecar, one at a time, each from all to one target to all to the other. */
async function idle({ lab, plane, prober, status }: Bench, work: string, edits: number): Promise<readonly Series[]> {
  const served: number[] = []
  const written: number[] = []
  const programmed: number[] = []
  await prober.ask({ type: 'start', rate: 0 })
  for (let i = -10; i < edits; i++) {
    const to = i % 2 === 0 ? 'model-1' : 'model-0'
    const since = now()
    const first = prober.ask<number>({ type: 'first', endpoint: to, since })
    const weights = to === 'model-1' ? [0, 100] : [100, 0]
    const generation = await applyObject(plane.api, 'ModelRoute', NAMESPACE, ROUTE, weighted(MODEL, weights))
    const answered = now()
    const at = await within(first, `the first request to ${to}`)
    await status.programmed(generation, SIDECARS)
    const done = now()
    // The first ones warm up what compiles just in time.
    if (i >= 0) {
      served.push(at - since)
      written.push(answered - since)
      programmed.push(done - since)
    }
    // No rhythm that would fall in with anybody's timer.
    await sleep(30 + Math.random() * 40)
  }
  const totals = await prober.ask<Totals>({ type: 'stop' })
  if (totals.failed > 0) throw new Error(`${totals.failed} requests failed: ${totals.failures.join('\n')}`)
  lab.log(
    `${work}: p50 ${percentile(served, 50).toFixed(1)}, p99 ${percentile(served, 99).toFixed(1)}, most ${Math.max(...served).toFixed(1)} ms; API server p50 ${percentile(written, 50).toFixed(1)} ms, p99 ${percentile(written, 99).toFixed(1)} ms`,
  )
  const notes = new Notes(`${work}; ${edits} edits`)
  notes.add('tradewind', 'edit_served_p50', 'ms', percentile(served, 50))
  notes.add('tradewind', 'edit_served_p99', 'ms', percentile(served, 99))
  notes.add('tradewind', 'api_server_p50', 'ms', percentile(written, 50))
  notes.add('tradewind', 'api_server_p99', 'ms', percentile(written, 99))
  notes.add('tradewind', 'edit_programmed_p50', 'ms', percentile(programmed, 50))
  notes.add('tradewind', 'edit_programmed_p99', 'ms', percentile(programmed, 99))
  return notes.list()
}

/** Edits of every sort while the sidecar has half of the load that it can bear. */
async function underLoad({ lab, plane, prober, status, sidecar }: Bench, { what }: Layout, edits: number) {
  await wrk(sidecar, lab.directory, 32, lab.quick ? 1 : 4)
  const greatest = await wrk(sidecar, lab.directory, 32, lab.quick ? 2 : 6)
  const most = greatest.requests / greatest.seconds
  await prober.ask({ type: 'start', rate: Math.round(most / 2) })
  await sleep(1000)
  const served: number[] = []
  const programmed: number[] = []
  for (let i = 0; i < edits; i++) {
    const [weights, comes, goes] = STEPS[i % STEPS.length] ?? [[1, 1], undefined, undefined]
    const since = now()
    const first = comes && prober.ask<number>({ type: 'first', endpoint: comes, since })
    const generation = await applyObject(plane.api, 'ModelRoute', NAMESPACE, ROUTE, weighted(MODEL, weights))
    await status.programmed(generation, SIDECARS)
    programmed.push(now() - since)
    if (first) served.push((await within(first, `the first request to ${comes}`)) - since)
    if (goes && !comes) {
      // What is under way is answered within a moment.
      await sleep(50)
      const last = await prober.ask<number>({ type: 'last', endpoint: goes })
      served.push(Math.max(0, last - since))
    }
    await sleep(20 + Math.random() * 40)
  }
  const totals = await prober.ask<Totals>({ type: 'stop' })
  lab.log(
    `${totals.rate.toFixed(0)} of ${most.toFixed(0)} requests/s: ${totals.requests} requests, ${totals.failed} failed ${totals.failures.join('\n')}; p99 ${percentile(served, 99).toFixed(1)} ms`,
  )
  const notes = new Notes(
    `${what}; ${edits} edits, from and to no weight too, under half of the sidecar's greatest load, all Programmed ${SIDECARS}/${SIDECARS} at their generation`,
  )
  notes.add('tradewind', 'edit_served_p50', 'ms', percentile(served, 50))
  notes.add('tradewind', 'edit_served_p99', 'ms', percentile(served, 99))
  notes.add('tradewind', 'edit_programmed_p50', 'ms', percentile(programmed, 50))
  notes.add('tradewind', 'edit_programmed_p99', 'ms', percentile(programmed, 99))
  notes.add('tradewind', 'load', '1/s', totals.rate)
  notes.add('tradewind', 'requests', '', totals.requests)
  notes.add('tradewind', 'failed_requests', '', totals.failed)
  return notes.list()
}

/** Changes the weights of 5,000 routes in 50 namespaces over and over, one of them the sidecar's own, as fast as four clients can. */
async function startChurn({ api }: ControlPlane, ports: readonly number[], scale: number) {
  const home = (i: number) => (i % 50 === 0 ? NAMESPACE : `churn-${i % 50}`)
  for (let i = 1; i < 50; i++) {
    await makeNamespace(api, home(i))
    await makeEndpoints(api, home(i), ports)
  }
  const count = 5000 / scale
  const put = (i: number, weight: number) =>
    applyObject(api, 'ModelRoute', home(i), `churn-${i}`, weighted(`churn-${i}`, [weight, 100 - weight]))
  await each(count, 16, (i) => put(i, 90))
  const over = new AbortController()
  let edits = 0
  const started = now()
  const clients = Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted) {
      const edit = edits++
      await put((edit * 997) % count, edit % 101)
    }
  })
  return {
    /** Resolves with how many edits a second there were. */
    async stop(): Promise<number> {
      over.abort()
      await Promise.all(clients)
      return (edits * 1000) / (now() - started)
    },
  }
}

function within<T>(promised: Promise<T>, what: string, ms = 20_000): Promise<T> {
  return Promise.race([
    promised,
    sleep(ms, undefined, { ref: false }).then(() => {
      throw new Error(`${what} did not come within ${ms} ms`)
    }),
  ])
}
