import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { seeded, type Random } from '../../core/learning/random.ts'
import { eventually } from './eventually.ts'
import { type FleetLab, type LabSidecar, NAMESPACE, startFleetLab } from './lab.ts'
import { load } from './load.ts'
import { route } from './operators.ts'

export interface SoakOptions {
  readonly seconds: number
  readonly seed: number
  readonly sidecars: number
  readonly perSecond: number
  /** Hears of what is done to it, as it is done. */
  readonly did?: (what: string) => void
}

export interface Soaked {
  readonly requests: number
  readonly failed: number
  readonly failures: readonly string[]
  /** How often each thing was done. */
  readonly done: Readonly<Record<string, number>>
  /** Resident memory, MiB, of each process that was there all the time: the median of its second quarter, and of its last. */
  readonly memory: Readonly<Record<string, readonly [early: number, late: number]>>
}

/** Every so many ms something happens. */
const EVERY = 1500
const MODEL = 'chat'
/** Names of the model servers; at most one at a time has a fault, so that somebody can always answer. */
const MODELS = ['a', 'b', 'c'] as const
const FAULTS = [
  ['status=500'],
  ['status=503'],
  ['reset'],
  ['hang-up'],
  ['rate-limit'],
  ['html'],
  ['error-200'],
  ['error-first'],
  ['empty'],
  ['cut'],
  ['error-middle'],
  ['malformed'],
  ['truncate'],
  ['delay=700'],
] as const

/**
 * Edits, kills and faults at random under a steady load, each drawn from the seed: whatever happens, a model is left that can answer, so
 * that no request may fail.
 */
export async function soak({ seconds, seed, sidecars, perSecond, did = () => {} }: SoakOptions): Promise<Soaked> {
  const lab = await startFleetLab({
    operators: 2,
    sidecars,
    models: MODELS.map((name) => ({ name, tokens: 12, tokensPerSecond: 400, latency: '10ms' })),
    endpoints: Object.fromEntries(MODELS.map((name) => [name, { circuitBreaker: { openFor: '500ms' } }])),
  })
  const over = new AbortController()
  const random = seeded(seed)
  const done: Record<string, number> = {}
  // Taken off while its sidecar is restarted, as an app is that goes with it.
  const urls = lab.sidecars.map(({ url }) => url)
  try {
    await lab.apply(chat([1, 1, 1]))
    await Promise.all(lab.sidecars.map((it) => serves(it)))
    const loaded = load({ urls, model: MODEL, perSecond, signal: over.signal })
    const memory = watchMemory(lab, over.signal)
    const ends = performance.now() + seconds * 1000
    while (performance.now() < ends) {
      const [name, act] = draw(random, lab, urls)
      did(name)
      done[name] = (done[name] ?? 0) + 1
      await act()
      await sleep(EVERY * random())
    }
    for (const it of lab.models) await it.setFaults([])
    over.abort()
    const { requests, failed, failures } = await loaded
    return { requests, failed, failures, done, memory: memory() }
  } finally {
    over.abort()
    await lab.stop()
  }
}

type Act = readonly [name: string, run: () => Promise<unknown>]

function draw(random: Random, lab: FleetLab, urls: string[]): Act {
  const one = <T>(list: readonly T[]): T => {
    const drawn = list[Math.floor(random() * list.length)]
    if (drawn === undefined) throw new Error('nothing to draw from')
    return drawn
  }
  const what = random()
  if (what < 0.35) {
    const weights = [100, 0, 20 + Math.floor(80 * random())].sort(() => random() - 0.5)
    return ['edit', () => lab.apply(chat(weights))]
  }
  if (what < 0.45) return ['begin a rollout', () => lab.apply(chat([1, 1, 1], one(MODELS)))]
  if (what < 0.85) {
    const [model, faults] = [one(lab.models), one(FAULTS)]
    const long = 500 + 2500 * random()
    const fault = async () => {
      await model.setFaults([...faults])
      await sleep(long)
      await model.setFaults([])
      // Answers that were begun under it come to their end, and breakers close, before another model may fail. One that gets no requests
      // does not: it is given some.
      await eventually(() => closed(lab), { within: 8000, every: 200 }).catch(async () => {
        await lab.apply(chat([1, 1, 1]))
        await eventually(() => closed(lab), { within: 40_000, every: 200 })
      })
    }
    return [`fault ${faults.join()}`, fault]
  }
  if (what < 0.91) return ['kill the leader', () => killLeader(lab)]
  if (what < 0.96) {
    const sidecar = one(lab.sidecars)
    return ['restart a sidecar', () => restart(sidecar, urls)]
  }
  return ['restart the API server', () => lab.server.restart()]
}

/** The route, with a rollout of a canary where one is named. */
const chat = (weights: readonly number[], canary?: string): object =>
  route(NAMESPACE, MODEL, {
    rules: [
      {
        name: 'all',
        targets: MODELS.map((name, i) => ({ endpoint: { name, model: 'm' }, weight: weights[i] ?? 1 })),
        ...(canary === undefined ? {} : { rollout: rolloutOf(canary) }),
      },
    ],
  })

const rolloutOf = (name: string): object => ({
  canary: { name, model: 'm' },
  steps: [{ weight: 10 }, { weight: 50 }, { weight: 100 }],
  dwell: '1s',
  samples: 20,
  cooldown: '0s',
  guardrails: [{ metric: 'ErrorRate', margin: '0.2' }],
})

async function killLeader(lab: FleetLab): Promise<void> {
  await eventually(async () => (await lab.leader()) ?? Promise.reject(new Error('nobody leads')), { within: 20_000 })
  await lab.killLeader()
}

async function restart(sidecar: LabSidecar, urls: string[]): Promise<void> {
  const at = urls.indexOf(sidecar.url)
  if (at < 0 || urls.length < 2) return
  urls.splice(at, 1)
  // What was just sent has its connection.
  await sleep(500)
  await sidecar.child.stop(20_000)
  sidecar.start()
  await serves(sidecar)
  urls.push(sidecar.url)
}

/** Resolves when the sidecar has a configuration. */
async function serves({ url }: LabSidecar): Promise<void> {
  await eventually(
    async () => {
      const { body } = await request(`${url}/v1/models`)
      if (!(await body.text()).includes(`"${MODEL}"`)) throw new Error(`${url} does not serve yet`)
    },
    { within: 60_000, every: 100 },
  )
}

interface Found {
  readonly endpoints: readonly {
    readonly models: readonly { readonly name: string; readonly breaker: string; readonly coolingMs: number }[]
  }[]
}

/** Resolves where no sidecar keeps a model out. */
async function closed({ sidecars }: FleetLab): Promise<void> {
  for (const { admin, pod } of sidecars) {
    const { body } = await request(`${admin}/endpoints`)
    const { endpoints } = (await body.json()) as Found // its own page
    const out = endpoints
      .flatMap(({ models }) => models)
      .find(({ breaker, coolingMs }) => breaker !== 'closed' || coolingMs > 0)
    if (out) throw new Error(`${pod} keeps ${out.name} out`)
  }
}

/** Resident memory by process, every second. */
function watchMemory(lab: FleetLab, signal: AbortSignal): () => Soaked['memory'] {
  const seen = new Map<number, { readonly name: string; readonly values: number[] }>()
  const timer = setInterval(() => {
    const processes = [
      ...lab.sidecars.map(({ pod, child }) => ({ name: pod, child })),
      ...lab.operators.map(({ pod, child }) => ({ name: pod, child })),
    ]
    for (const { name, child } of processes) {
      const mib = resident(child.pid)
      if (mib === undefined) continue
      const known = seen.get(child.pid) ?? { name, values: [] }
      seen.set(child.pid, known)
      known.values.push(mib)
    }
  }, 1000)
  signal.addEventListener('abort', () => clearInterval(timer))
  return () => {
    const longest = Math.max(...[...seen.values()].map(({ values }) => values.length))
    const whole = [...seen.values()].filter(({ values }) => values.length >= longest - 2)
    return Object.fromEntries(whole.map(({ name, values }) => [name, [median(values, 1), median(values, 3)] as const]))
  }
}

/** Of the quarter of the values, 0…3. */
function median(values: readonly number[], quarter: number): number {
  const from = Math.floor((values.length * quarter) / 4)
  const part = values.slice(from, Math.ceil((values.length * (quarter + 1)) / 4)).sort((a, b) => a - b)
  return part[part.length >> 1] ?? Number.NaN
}

/** MiB; undefined where the process has ended. */
function resident(pid: number): number | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    return (pages * 4096) / 2 ** 20
  } catch {
    return undefined
  }
}
