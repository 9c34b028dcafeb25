import { setTimeout as sleep } from 'node:timers/promises'
import type { ModelRoute } from '../../api/model-route.ts'
import type { RolloutStatus } from '../../api/rollout.ts'
import { seeded } from '../../core/learning/random.ts'
import { serve } from './canaries.ts'
import { eventually } from './eventually.ts'
import { type FleetLab, NAMESPACE } from './lab.ts'
import { load } from './load.ts'
import { route } from './operators.ts'

/** Models of a lab for this: the canaries of odd rollouts are harmful. */
export const killModels = [
  { name: 'stable', tokens: 4, latency: '5ms' },
  { name: 'good', tokens: 4, latency: '5ms' },
  { name: 'bad', tokens: 4, latency: '5ms', faults: ['status=500,percent=60'] },
]

export interface Kills {
  readonly rollouts: number
  readonly kills: number
  /** Rollouts that came to another end than without kills. */
  readonly other: readonly string[]
  /** Rollouts in whose status a step was left out, or a step came back. */
  readonly skipped: readonly string[]
  readonly requests: number
  readonly failures: readonly string[]
}

export interface KillOptions {
  readonly rounds: number
  /** Rollouts at a time. */
  readonly width: number
  readonly seed: number
  readonly perSecond: number
}

const STEPS = [{ weight: 10 }, { weight: 25 }, { weight: 50 }, { weight: 100 }]

/** Rollouts, some good and some bad, whose leader is killed at a random moment of each round. */
export async function killLeaders(lab: FleetLab, { rounds, width, seed, perSecond }: KillOptions): Promise<Kills> {
  const random = seeded(seed)
  const other: string[] = []
  const skipped: string[] = []
  const failures: string[] = []
  let [kills, requests] = [0, 0]
  for (let round = 0; round < rounds; round++) {
    const names = Array.from({ length: width }, (_, i) => `r${round}-${i}`)
    const history = watchRollouts(lab, names)
    await lab.apply(...names.map((name, i) => rolloutOf(name, i % 2 === 0 ? 'good' : 'bad')))
    const over = new AbortController()
    const urls = lab.sidecars.map(({ url }) => url)
    await serve(urls, names)
    const loads = names.map((model) => load({ urls, model, perSecond: perSecond / width, signal: over.signal }))
    const ended = eventually(
      () => {
        const open = names.filter((name) => !['Promoted', 'RolledBack'].includes(history.last(name)?.phase ?? ''))
        if (open.length > 0) throw new Error(open.map((name) => JSON.stringify(history.last(name))).join('\n'))
      },
      { within: 90_000, every: 50 },
    )
    const killed = (async () => {
      await sleep(8000 * random())
      await lab.killLeader()
      kills++
    })()
    try {
      await Promise.all([ended, killed])
    } finally {
      over.abort()
      for (const it of await Promise.all(loads)) {
        requests += it.requests
        failures.push(...it.failures)
      }
      history.stop()
    }
    for (const [i, name] of names.entries()) {
      const { phase } = history.last(name) ?? {}
      if (phase !== (i % 2 === 0 ? 'Promoted' : 'RolledBack')) other.push(`${name}: ${phase}`)
      const steps = history.steps(name)
      if (steps.some((step, at) => step !== at)) skipped.push(`${name}: ${steps.join(' ')}`)
    }
    await lab.server.kubectl(['delete', 'modelroute', '-n', NAMESPACE, ...names])
  }
  return { rollouts: rounds * width, kills, other, skipped, requests, failures }
}

/** A rollout of half of the requests, that stays there: what it has counted is compared with what was sent. */
export const halfOf = (name: string): object =>
  route(NAMESPACE, name, {
    rules: [
      {
        name: 'all',
        targets: targetsOf('good'),
        rollout: {
          canary: { name: 'good', model: 'm' },
          steps: [{ weight: 50 }, { weight: 100, manual: true }],
          dwell: '0s',
          samples: 1_000_000,
          guardrails: [{ metric: 'ErrorRate', margin: '0.15' }],
        },
      },
    ],
  })

function rolloutOf(name: string, canary: string): object {
  return route(NAMESPACE, name, {
    rules: [
      {
        name: 'all',
        targets: targetsOf(canary),
        rollout: {
          canary: { name: canary, model: 'm' },
          steps: STEPS,
          dwell: '1s',
          samples: 10,
          guardrails: [{ metric: 'ErrorRate', margin: '0.15' }],
        },
      },
    ],
  })
}

const targetsOf = (canary: string) => [
  { endpoint: { name: 'stable', model: 'm' }, weight: 100 },
  { endpoint: { name: canary, model: 'm' }, weight: 0 },
]

/** Reads where rollouts are, again and again: each transition that is written down is seen, since steps last for a second. */
function watchRollouts({ api }: FleetLab, names: readonly string[]) {
  const last = new Map<string, RolloutStatus>()
  const steps = new Map<string, number[]>()
  const over = new AbortController()
  void (async () => {
    while (!over.signal.aborted) {
      const { items } = await api.call<{ items: ModelRoute[] }>(
        'GET',
        `/apis/tradewind.dev/v1alpha1/namespaces/${NAMESPACE}/modelroutes`,
      )
      for (const { metadata, status } of items) {
        const found = status?.rollouts?.[0]
        if (!found || !names.includes(metadata.name)) continue
        last.set(metadata.name, found)
        const seen = steps.get(metadata.name) ?? []
        steps.set(metadata.name, seen)
        if (found.weight > 0 && seen.at(-1) !== found.step) seen.push(found.step)
      }
      await sleep(50)
    }
  })()
  return {
    last: (name: string) => last.get(name),
    steps: (name: string) => steps.get(name) ?? [],
    stop: () => over.abort(),
  }
}
