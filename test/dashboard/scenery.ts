import { seeded } from '../../core/learning/random.ts'
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

const PODS = ['support-7d9f', 'support-kx2p', 'search-5c8b', 'search-q9wz', 'batch-0']

/** Sets up a small company's routes. Gives what makes a second of its traffic. */
export function scenery(stage: Stage): () => void {
  const { world } = stage
  for (const name of Object.keys(ENDPOINTS))
    world.endpoint(`ai/${name}`, { models: [{ name: `${name}-large`, price: { input: '1', output: '2' } }] })
  for (const [name, model, targets] of ROUTES) world.route(name, model, targets)
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
