import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import type { ModelRouteStatus } from '../../api/model-route.ts'
import type { RolloutStatus } from '../../api/rollout.ts'
import type { MockOptions } from '../../cli/mock/server.ts'
import { seeded } from '../../core/learning/random.ts'
import type { METRICS } from '../../core/statistics/guardrail.ts'
import { eventually } from './eventually.ts'
import { type FleetLab, NAMESPACE } from './lab.ts'
import { load } from './load.ts'
import { route } from './operators.ts'

/** How a canary differs from what it is to take the place of. */
export interface CanaryCase {
  /** Of the route and of the canary's endpoint. */
  readonly name: string
  readonly about: string
  readonly mock?: MockOptions
  /** USD per million tokens of its output; the stable target's are 10. */
  readonly price?: string
  /** The mean score that its answers get; the stable target's is 0.8. */
  readonly quality?: number
  readonly guardrails: readonly { readonly metric: (typeof METRICS)[number]; readonly margin: string }[]
  readonly outcome: 'Promoted' | 'RolledBack'
}

/** What came of it. */
export interface CanaryRun {
  readonly rollout: RolloutStatus
  /** From its first request on to its end, s. */
  readonly seconds: number
  /** From the decision to roll it back to the last sidecar's acknowledgement, ms; 0 where it was not. */
  readonly back: number
  readonly requests: number
  readonly failed: number
  readonly failures: readonly string[]
  /** Of those the canary answered. */
  readonly canary: number
  /** Requests that the canary was asked in the second after it was rolled back. */
  readonly after: number
}

/** Requests have this much before their first byte, so that a part of it stands out from what the machine adds. */
const LATENCY = 120
const SCORE = 0.8
const stable = { name: 'stable', tokens: 8, latency: `${LATENCY}ms±20` }

/** Each guardrail in turn, and none of them. */
export const cases: readonly CanaryCase[] = [
  {
    name: 'good',
    about: 'no worse in anything',
    guardrails: [
      { metric: 'ErrorRate', margin: '0.03' },
      { metric: 'Latency', margin: '0.2' },
      { metric: 'Cost', margin: '0.1' },
    ],
    outcome: 'Promoted',
  },
  {
    name: 'errors',
    about: '+5 points errors',
    mock: { faults: ['status=500,percent=5'] },
    guardrails: [{ metric: 'ErrorRate', margin: '0.01' }],
    outcome: 'RolledBack',
  },
  {
    name: 'slow',
    about: '+30 % p95 latency',
    mock: { latency: `${1.3 * LATENCY}ms±26` },
    guardrails: [{ metric: 'Latency', margin: '0.1' }],
    outcome: 'RolledBack',
  },
  {
    name: 'dear',
    about: '+25 % cost',
    price: '12.5',
    guardrails: [{ metric: 'Cost', margin: '0.1' }],
    outcome: 'RolledBack',
  },
  {
    name: 'worse',
    about: '−5 points quality',
    quality: SCORE - 0.05,
    guardrails: [{ metric: 'Quality', margin: '0.02' }],
    outcome: 'RolledBack',
  },
]

/** The model servers and endpoints that the cases need. */
export const canaryModels = [stable, ...cases.map(({ name, mock }) => ({ ...stable, ...mock, name }))]
export const canaryEndpoints = Object.fromEntries(
  [{ name: 'stable', price: '10' }, ...cases].map(({ name, price = '10' }) => [
    name,
    { models: [{ name: 'm', price: { input: '1', output: price } }] },
  ]),
)

/** Rolls a canary out under load, until it is promoted or rolled back. */
export async function rollOut(lab: FleetLab, it: CanaryCase, perSecond: number, within: number): Promise<CanaryRun> {
  const over = new AbortController()
  const random = seeded(1)
  const score = async ({ by, id, url }: { by: string; id: string; url: string }) => {
    const mean = by.endsWith('/stable') ? SCORE : (it.quality ?? SCORE)
    const body = JSON.stringify({ request_id: id, score: mean + 0.2 * (random() - 0.5) })
    const answer = await request(`${url}/v1/feedback`, { method: 'POST', body })
    await answer.body.dump()
  }
  const scored = it.guardrails.some(({ metric }) => metric === 'Quality')
  await lab.apply(routeOf(it))
  const urls = lab.sidecars.map(({ url }) => url)
  await serve(urls, [it.name])
  await eventually(() => rolloutOf(lab, it), { within: 30_000, every: 100 })
  const loaded = load({
    urls,
    model: it.name,
    perSecond,
    signal: over.signal,
    ...(scored ? { heard: score } : {}),
  })
  const began = performance.now()
  let turned = Number.NaN
  let [seconds, back, after] = [0, 0, 0]
  try {
    const ends = began + within
    for (;;) {
      const { phase } = await rolloutOf(lab, it)
      if (phase === 'RollingBack' || phase === 'RolledBack') turned ||= performance.now()
      if (phase === 'RolledBack' || phase === 'Promoted') break
      if (performance.now() > ends) throw new Error(`not decided: ${JSON.stringify(await rolloutOf(lab, it))}`)
      await sleep(20)
    }
    seconds = (performance.now() - began) / 1000
    if (!Number.isNaN(turned)) {
      back = performance.now() - turned
      const mock = lab.models[canaryModels.findIndex(({ name }) => name === it.name)]
      // What was under way has its answer.
      await sleep(2 * LATENCY)
      const before = mock?.stats().requests ?? 0
      await sleep(1000)
      after = (mock?.stats().requests ?? 0) - before
    }
  } finally {
    over.abort()
  }
  const { requests, failed, failures, by } = await loaded
  const rollout = await rolloutOf(lab, it)
  return { rollout, seconds, back, requests, failed, failures, canary: by.get(`${NAMESPACE}/${it.name}`) ?? 0, after }
}

function routeOf({ name, guardrails }: CanaryCase): object {
  return route(NAMESPACE, name, {
    rules: [
      {
        name: 'all',
        // An attempt that fails is a failure of the canary: it is not tried again until it is none.
        retry: { attempts: 0 },
        targets: [
          { endpoint: { name: 'stable', model: 'm' }, weight: 100 },
          { endpoint: { name, model: 'm' }, weight: 0 },
        ],
        rollout: {
          canary: { name, model: 'm' },
          steps: [{ weight: 1, samples: 3 }, { weight: 25 }, { weight: 50 }, { weight: 100 }],
          dwell: '1s',
          samples: 100,
          guardrails,
        },
      },
    ],
  })
}

/** Resolves when every sidecar has every model. */
export async function serve(urls: readonly string[], models: readonly string[]): Promise<void> {
  for (const url of urls)
    await eventually(
      async () => {
        const text = await (await fetch(`${url}/v1/models`)).text()
        const missing = models.find((model) => !text.includes(`"${model}"`))
        if (missing !== undefined) throw new Error(`${url} does not have ${missing} yet`)
      },
      { within: 60_000, every: 100 },
    )
}

/** Where the rollout is, as the resource says. */
export async function rolloutOf({ api }: FleetLab, { name }: { name: string }): Promise<RolloutStatus> {
  const path = `/apis/tradewind.dev/v1alpha1/namespaces/${NAMESPACE}/modelroutes/${name}`
  const { status } = await api.call<{ status?: ModelRouteStatus }>('GET', path)
  const rollout = status?.rollouts?.[0]
  if (!rollout) throw new Error('there is no rollout yet')
  return rollout
}
