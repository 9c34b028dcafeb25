import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter } from '../evidence/counter.ts'
import { seeded } from '../learning/random.ts'
import type { Random } from '../learning/random.ts'
import { advance } from './advance.ts'
import type { State } from './advance.ts'
import { analyse } from './analysis.ts'
import type { MetricPlan } from './analysis.ts'
import { CLUSTERS } from './assignment.ts'
import type { Design, Standing } from './decision.ts'

interface Truth {
  readonly errors?: number
  readonly cost?: number
  readonly quality?: number
  /** How many requests come of ten that should. */
  readonly lost?: number
}

const errors: MetricPlan = { metric: 'ErrorRate', primary: true, direction: 'Decrease', minimumEffect: 0.02 }
const cost: MetricPlan = { metric: 'Cost', primary: true, direction: 'Decrease', minimumEffect: 0.1 }
const quality: MetricPlan = { metric: 'Quality', primary: false, direction: 'Increase', minimumEffect: 0.05 }

const design = (
  metrics: readonly MetricPlan[],
  arms = ['control', 'treatment'],
  rest: Partial<Design> = {},
): Design => ({
  arms: arms.map((name) => ({ name, weight: 1 })),
  control: 'control',
  metrics,
  alpha: 0.05,
  oneByOne: true,
  samples: 500,
  maxDuration: 100_000,
  ...rest,
})

/** One request of an arm. */
function request(
  counters: readonly Counter[],
  { errors: p = 0.02, cost: mean = 1, quality: mark = 0.7 }: Truth,
  random: Random,
) {
  const counter = counters[Math.floor(random() * CLUSTERS)]
  counter?.add({ error: random() < p, cost: mean * (0.5 + random()), size: random() })
  counter?.rate(Math.min(1, Math.max(0, mark + (random() - 0.5) * 0.4)))
}

/** Looks after every 100 requests an arm until it is decided or blocked, at one second a look. */
function played(of: Design, truths: Readonly<Record<string, Truth>>, { seed = 1, looks = 80 } = {}) {
  const random = seeded(seed)
  const evidence = new Map(of.arms.map(({ name }) => [name, Array.from({ length: CLUSTERS }, () => new Counter())]))
  let state: State | undefined
  for (let look = 1; look <= looks; look++) {
    for (const [name, truth] of Object.entries(truths))
      for (let i = 0; i < 100; i++)
        if (random() * 10 >= (truth.lost ?? 0)) request(evidence.get(name) ?? [], truth, random)
    state = advance(of, state, { now: look * 1000, version: 'v', held: undefined, analysis: analyse(of, evidence) })
    if (state.phase !== 'Running') return { state, look }
  }
  assert.ok(state)
  return { state, look: looks }
}

const end = ({ phase, decision, winner, reason }: Standing) => [phase, decision, winner, reason]

test('decide: an arm that is better in the primary metric, and no worse in the others, ships', () => {
  const { state } = played(design([cost, quality]), { control: {}, treatment: { cost: 0.8 } })
  assert.deepEqual(end(state), ['Decided', 'Ship', 'treatment', 'Better'])
  assert.match(state.message, /Cost of treatment differs from control by -\d+(\.\d)? %/)
  assert.match(state.message, /Quality of treatment/)
})

test('decide: one that is cheaper and worse does not ship, but stops for the harm', () => {
  const { state, look } = played(design([cost, quality]), { control: {}, treatment: { cost: 0.8, quality: 0.55 } })
  assert.deepEqual(end(state), ['Decided', 'Stop', 'control', 'Harmful'])
  assert.ok(look < 20)
})

test('decide: harm is found before the least number of requests', () => {
  const of = design([errors], undefined, { samples: 100_000 })
  const { state, look } = played(of, { control: {}, treatment: { errors: 0.25 } })
  assert.deepEqual(end(state), ['Decided', 'Stop', 'control', 'Harmful'])
  assert.ok(look <= 5, String(look))
})

test('decide: where no effect that counts is possible any more, it stops', () => {
  const { state } = played(design([cost]), { control: {}, treatment: {} })
  assert.deepEqual(end(state), ['Decided', 'Stop', 'control', 'NoEffect'])
})

test('decide: what is not decided in time stops', () => {
  const { state } = played(design([errors], undefined, { maxDuration: 3000 }), { control: {}, treatment: {} })
  assert.deepEqual(end(state), ['Decided', 'Stop', 'control', 'DeadlineExceeded'])
})

test('decide: the best of several ships, and one that does harm is out', () => {
  const truths = { control: {}, cheap: { cost: 0.85 }, cheaper: { cost: 0.7 }, bad: { cost: 0.5, quality: 0.5 } }
  const of = design([cost, quality], Object.keys(truths), { samples: 1500 })
  assert.deepEqual(end(played(of, truths).state), ['Decided', 'Ship', 'cheaper', 'Better'])
})

test('decide: requests that do not fall to the arms as they should block it, and nothing is read', () => {
  const { state } = played(design([cost]), { control: {}, treatment: { cost: 0.5, lost: 2 } })
  assert.deepEqual([state.phase, state.reason, state.analysis.comparisons], ['Blocked', 'SampleRatioMismatch', []])
  assert.match(state.message, /withheld/)
  const early = played(design([cost]), { control: {}, treatment: { cost: 0.5, lost: 2 } }, { looks: 7 })
  assert.deepEqual([early.state.phase, early.state.reason], ['Running', 'Doubtful'])
})

test('decide: a metric that nobody measures ships nothing', () => {
  const escalations: MetricPlan = { metric: 'FirstToken', primary: false, direction: 'Decrease', minimumEffect: 0.1 }
  const { state } = played(design([cost, escalations]), { control: {}, treatment: { cost: 0.8 } }, { looks: 30 })
  assert.deepEqual(end(state), ['Running', undefined, undefined, 'Undecided'])
  assert.match(state.message, /FirstToken of treatment is not known yet/)
})

test('decide: of 300 experiments with arms that are alike, at most 5 % ship one or call it harmful', () => {
  const ends = Array.from({ length: 300 }, (_, seed) =>
    played(
      design([errors, { ...quality, minimumEffect: 0.02 }]),
      { control: {}, treatment: {} },
      { seed: seed + 1, looks: 30 },
    ),
  ).map(({ state }) => `${state.phase} ${state.reason}`)
  const share = (end: string) => ends.filter((it) => it === end).length / ends.length
  // A rate of 5 % is more than this in one of 1,000 such tests.
  assert.ok(
    share('Decided Better') < 0.09 && share('Decided Harmful') < 0.09 && share('Blocked SampleRatioMismatch') < 0.02,
    ends.join(),
  )
})

test('advance: what is decided stays decided, a part of the evidence decides nothing, and another version begins anew', () => {
  const of = design([cost])
  const counted = (n: number, mean: number) => {
    const random = seeded(1)
    const evidence = new Map(of.arms.map(({ name }) => [name, Array.from({ length: CLUSTERS }, () => new Counter())]))
    for (let i = 0; i < n; i++)
      for (const { name } of of.arms) request(evidence.get(name) ?? [], { cost: name === 'control' ? 1 : mean }, random)
    return analyse(of, evidence)
  }
  const input = { now: 1000, version: 'v', held: undefined }
  const running = advance(of, undefined, { ...input, analysis: counted(400, 0.5) })
  assert.deepEqual([running.phase, running.reason, running.started], ['Running', 'Collecting', 1000])
  const partly = advance(of, running, { ...input, now: 2000, analysis: counted(300, 9) })
  assert.deepEqual(partly, running)
  const decided = advance(of, partly, { ...input, now: 3000, analysis: counted(2000, 0.5) })
  assert.deepEqual([decided.decision, decided.started, decided.since], ['Ship', 1000, 3000])
  assert.deepEqual(advance(of, decided, { ...input, now: 4000, analysis: counted(4000, 2) }), decided)
  const anew = advance(of, decided, { ...input, now: 5000, version: 'w', analysis: counted(100, 1) })
  assert.deepEqual([anew.phase, anew.started], ['Running', 5000])
})

test('advance: it waits while it is held, and goes on after', () => {
  const of = design([cost])
  const nothing = analyse(of, new Map())
  const held = { reason: 'LayerOverlap', message: 'Another goes first.' }
  const waits = advance(of, undefined, { now: 1000, version: 'v', held, analysis: nothing })
  assert.deepEqual([waits.phase, waits.reason], ['Blocked', 'LayerOverlap'])
  const on = advance(of, waits, { now: 2000, version: 'v', held: undefined, analysis: nothing })
  assert.deepEqual([on.phase, on.since], ['Running', 2000])
})
