import { Sketch } from '../../core/evidence/sketch.ts'
import { NO_TALLY } from '../../core/evidence/tally.ts'
import type { Tally } from '../../core/evidence/tally.ts'
import { seeded } from '../../core/learning/random.ts'
import { MIRROR_ARMS } from '../../core/mirror/arms.ts'
import type { ExperimentView } from '../../operator/experiments.ts'
import { rolloutView } from '../helpers/scripted-rollouts.ts'
import type { Stage } from './stage.ts'

/** Routes, with the shares of their targets, and how many requests a second they get. */
const ROUTES = [
  ['ai/support-chat', 'support-chat', { openai: 90, anthropic: 10 }, 48],
  ['ai/search-answers', 'search', { openai: 1 }, 17],
  ['ai/summaries', 'summarise', { 'small-models': 70, openai: 30 }, 9],
  ['ai/code-review', 'review', { anthropic: 1 }, 3.2],
  ['ai/translations', 'translate', { 'small-models': 1 }, 0.4],
  ['ai/moderation', 'moderate', { 'small-models': 1 }, 120],
  ['ai/nightly-batch', 'batch', { anthropic: 50, openai: 50 }, 0],
] as const

/** How fast, how dear and how bad each endpoint is. */
const ENDPOINTS = {
  openai: { ms: 620, cost: 0.0021, errors: 0.002 },
  anthropic: { ms: 480, cost: 0.0013, errors: 0.001 },
  'small-models': { ms: 140, cost: 0.0001, errors: 0.004 },
} as const
type Endpoint = keyof typeof ENDPOINTS

const side = (n: number, errors: number, ms: number, cost: number): Tally => {
  const latency = new Sketch()
  for (let i = 0; i < n - errors; i++) latency.add(ms * (0.6 + (i % 10) / 10))
  return { ...NO_TALLY, n, errors, latency, cost: { n, sum: n * cost, squares: n * cost * cost } }
}
const share = (n: number, part: number) => ({ ...NO_TALLY, n, quality: { n, sum: n * part, squares: n * part } })

/** What a mirror of search has found. */
const MIRRORED: ReadonlyMap<string, Tally> = new Map([
  [MIRROR_ARMS.pair, { ...side(1840, 9, 150, 0.0001), quality: { n: 1512, sum: 1391, squares: 1391 } }],
  [MIRROR_ARMS.pairOf, side(1840, 4, 640, 0.0021)],
  [MIRROR_ARMS.marked, share(160, 0.81)],
  [MIRROR_ARMS.markedOf, share(160, 0.83)],
  [MIRROR_ARMS.markable, share(1512, 0.92)],
  [MIRROR_ARMS.leadAlike, { ...NO_TALLY, n: 140, quality: { n: 140, sum: 70, squares: 35 } }],
  [MIRROR_ARMS.leadUnlike, { ...NO_TALLY, n: 20, quality: { n: 20, sum: 9, squares: 4.5 } }],
  [MIRROR_ARMS.spent, { ...NO_TALLY, cost: { n: 1840, sum: 0.184, squares: 0 } }],
])

/** What an experiment has found. */
const EXPERIMENT: ExperimentView = {
  route: 'ai/nightly-batch',
  rule: '0',
  name: 'shorter-prompt',
  phase: 'Running',
  reason: 'Gathering',
  message: 'Arm short costs less than the control; its quality is not known to be as good yet.',
  version: 'abc',
  started: new Date(Date.now() - 5 * 3_600_000).toISOString(),
  since: new Date(Date.now() - 5 * 3_600_000).toISOString(),
  ratio: '0.8',
  arms: [
    { name: 'control', target: 'anthropic', requests: 4021 },
    { name: 'short', target: 'openai', requests: 3987 },
  ],
  metrics: [
    {
      metric: 'Cost',
      primary: true,
      arm: 'short',
      value: '0.0011',
      control: '0.0013',
      measured: 3987,
      estimate: '-0.154',
      lower: '-0.19',
      upper: '-0.11',
      evidence: '8100',
      verdict: 'Better',
    },
    {
      metric: 'Quality',
      primary: false,
      arm: 'short',
      value: '0.81',
      control: '0.82',
      measured: 611,
      estimate: '-0.01',
      lower: '-0.05',
      upper: '0.03',
      evidence: '0.3',
      verdict: 'Open',
    },
  ],
}

const PODS = ['support-7d9f', 'support-kx2p', 'search-5c8b', 'search-q9wz', 'batch-0']

/** Sets up a small company's routes. Gives what makes a second of its traffic. */
export function scenery(stage: Stage): () => void {
  const { world } = stage
  for (const name of Object.keys(ENDPOINTS))
    world.endpoint(`ai/${name}`, { models: [{ name: `${name}-large`, price: { input: '1', output: '2' } }] })
  for (const [name, model, targets] of ROUTES) world.route(name, model, targets)
  const until = new Date(Date.now() + 3_600_000).toISOString()
  world.route(
    'ai/translations',
    'translate',
    {},
    {
      rules: [
        {
          name: '0',
          targets: [{ endpoint: { name: 'small-models' } }],
          faults: [{ type: 'Abort', status: 503, percent: 5, headers: [{ name: 'x-drill', value: 'outage' }], until }],
        },
      ],
    },
  )
  world.route(
    'ai/search-answers',
    'search',
    {},
    {
      rules: [
        {
          name: '0',
          targets: [{ endpoint: { name: 'openai' } }],
          mirror: {
            target: { name: 'small-models' },
            percent: 20,
            budget: { usdPerSidecarHour: '0.50', spendPercent: 20 },
          },
        },
      ],
    },
  )
  stage.totals = (route) => (route === 'ai/search-answers' ? MIRRORED : undefined)
  stage.experiments = [EXPERIMENT]
  world.route('ai/legacy', 'old-name', { 'gone-endpoint': 1 })
  for (const pod of PODS) stage.sidecar(`ai/${pod}`)
  stage.publish()
  stage.connect()
  // One whose connection is stuck since then, one that refuses what comes, and one that has not come.
  const slow = stage.sidecars.get('ai/search-q9wz')
  if (slow) slow.held = true
  const strict = stage.sidecars.get('ai/batch-0')
  if (strict)
    strict.refuse = () => [
      { resource: 'route/ai/code-review', path: '/rules/0/retry', message: 'retry.attempts must be at most 5.' },
    ]
  world.pod('ai/fresh-1')
  world.route('ai/code-review', 'review', { anthropic: 80, openai: 20 })
  stage.publish()
  stage.rollouts.set(
    rolloutView('ai/support-chat', '0', {
      canary: 'anthropic/anthropic-large',
      message: 'It waits for 237 more requests of the canary at this step; no guardrail has evidence of harm.',
      step: 2,
      steps: 6,
      weight: 10,
      samples: { canary: 213, stable: 1893 },
      guardrails: [
        {
          metric: 'ErrorRate',
          margin: '0.02',
          evidence: '3.16',
          needs: '80',
          canary: '0.014',
          stable: '0.011',
          lower: '-0.0123',
          upper: '0.0188',
          counts: { canary: 213, stable: 1893 },
        },
        {
          metric: 'Latency',
          margin: '0.2',
          evidence: '0.4',
          needs: '80',
          canary: '702',
          stable: '690',
          lower: '-0.11',
          upper: '0.17',
          counts: { canary: 209, stable: 1871 },
        },
        {
          metric: 'Cost',
          margin: '0.1',
          evidence: '0.021',
          needs: '80',
          canary: '0.00131',
          stable: '0.00208',
          lower: '-0.46',
          upper: '-0.28',
          counts: { canary: 213, stable: 1893 },
        },
        { metric: 'Quality', margin: '0.05', evidence: '1', needs: '80', counts: { canary: 0, stable: 0 } },
      ],
    }),
    rolloutView('ai/summaries', '0', {
      phase: 'RolledBack',
      reason: 'ErrorRate',
      canary: 'openai/openai-large',
      message:
        'Rolled back at 25 %: the canary fails 6.1 % of its requests, the stable targets 0.9 %; E-value 93 of 80.',
      step: 3,
      weight: 0,
      harmed: 11,
      samples: { canary: 212, stable: 640 },
      guardrails: [
        {
          metric: 'ErrorRate',
          margin: '0.02',
          evidence: '93',
          needs: '80',
          canary: '0.061',
          stable: '0.009',
          lower: '0.021',
          upper: '0.083',
          counts: { canary: 212, stable: 640 },
        },
      ],
    }),
  )
  const random = seeded(7)
  return () => {
    for (const pod of PODS) stage.report(`ai/${pod}`, second(random), modelsOf(pod))
  }
}

function second(random: () => number) {
  return ROUTES.flatMap(([route, , targets, rate]) => {
    const all = Object.values(targets).reduce((sum, it) => sum + it, 0)
    return Object.entries(targets).map(([name, weight]) => {
      const { ms, cost, errors } = ENDPOINTS[name as Endpoint] // they are of these
      const mean = ((rate / PODS.length) * weight) / all
      const requests = Math.floor(mean * (0.7 + 0.6 * random()) + random())
      const failed = Array.from({ length: requests }, () => random() < errors).filter(Boolean).length
      const latency = Array.from(
        { length: requests },
        () => ms * Math.exp(0.5 * (random() + random() + random() - 1.5)),
      )
      return {
        route,
        rule: '0',
        endpoint: `ai/${name}`,
        model: `${name}-large`,
        requests,
        errors: failed,
        cost: Math.round(requests * cost * 1e12),
        latency,
      }
    })
  })
}

const modelsOf = (pod: string) =>
  Object.keys(ENDPOINTS).map((name) => ({
    endpoint: `ai/${name}`,
    model: `${name}-large`,
    state: name === 'small-models' && pod === 'batch-0' ? ('open' as const) : ('closed' as const),
    healthy: true,
  }))
