import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter } from '../evidence/counter.ts'
import type { Sample } from '../evidence/counter.ts'
import { seeded } from '../learning/random.ts'
import type { Random } from '../learning/random.ts'
import { against, Guardrail } from './guardrail.ts'
import type { Arms, GuardrailState, Metric } from './guardrail.ts'

const ALPHA = 0.05
/** A rate of at most 5 % shows up as more than this in one of 150 runs by a chance of 1 in 1,000. */
const SLACK = 0.11
const gaussian = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const logNormal = (random: Random, sigma: number): number => Math.exp(sigma * gaussian(random))

/** One exchange of an arm, the `at`-th of it; or a mark. */
type Draw = (random: Random, at: number) => Sample & { readonly mark?: number }
const counters = (): Arms<Counter> => ({ canary: new Counter(), stable: new Counter() })
function draw(counter: Counter, from: Draw, random: Random, times: number): void {
  for (let i = 0; i < times; i++) {
    const { mark, ...sample } = from(random, counter.n)
    counter.add(sample)
    if (mark !== undefined) counter.rate(mark)
  }
}

interface Case {
  readonly metric: Metric
  readonly margin: number
  readonly canary: Draw
  readonly stable: Draw
  readonly batch?: readonly [canary: number, stable: number]
  readonly most?: number
  readonly alpha?: number
}

/** Of runs with a look after each batch: how many were rolled back, after how many requests of the canary half of them, and how many cleared. */
function watched(runs: number, { metric, margin, canary, stable, batch = [20, 20], most = 1500, alpha = ALPHA }: Case) {
  let cleared = 0
  const found = Array.from({ length: runs }, (_, run) => {
    const random = seeded(run + 1)
    const guardrail = new Guardrail({ metric, margin, alpha })
    const totals = counters()
    let [at, harmless] = [Number.POSITIVE_INFINITY, false]
    while (totals.canary.n < most) {
      draw(totals.canary, canary, random, batch[0])
      draw(totals.stable, stable, random, batch[1])
      assert.ok(guardrail.update(totals))
      const { evidence, needs } = guardrail.reading
      // Bounds narrow slowly: to look at them now and then is enough to see where they break.
      if (totals.canary.n % (5 * batch[0]) === 0) harmless ||= guardrail.harmless
      if (evidence >= needs && !Number.isFinite(at)) at = totals.canary.n
    }
    if (harmless) cleared++
    return at
  }).sort((a, b) => a - b)
  return {
    rate: found.filter(Number.isFinite).length / runs,
    median: found[runs >> 1] ?? 0,
    cleared: cleared / runs,
  }
}

const failing =
  (share: number): Draw =>
  (random) => ({ error: random() < share })
const slow =
  (factor: number, sigma = 0.5): Draw =>
  (random) => ({ latency: 800 * factor * logNormal(random, sigma) })
const dear =
  (factor: number, sigma = 0.8): Draw =>
  (random) => ({ cost: 0.01 * factor * logNormal(random, sigma) })
const good =
  (mean: number): Draw =>
  (random) => ({ mark: Math.min(1, Math.max(0, mean + 0.15 * gaussian(random))) })

/** Canaries that are worse by all of the margin: the worst that are harmless, and the best that are not to be cleared. */
const edges: Readonly<Record<string, Case>> = {
  errors: { metric: 'ErrorRate', margin: 0.02, canary: failing(0.03), stable: failing(0.01) },
  'errors, a twentieth of the traffic': {
    metric: 'ErrorRate',
    margin: 0.02,
    canary: failing(0.12),
    stable: failing(0.1),
    batch: [2, 38],
    most: 600,
  },
  latency: { metric: 'Latency', margin: 0.2, canary: slow(1.2), stable: slow(1), batch: [50, 50] },
  'latency with a heavy tail': {
    metric: 'Latency',
    margin: 0.1,
    canary: slow(1.1, 1.8),
    stable: slow(1, 1.8),
    batch: [50, 50],
  },
  'latency while both get slower and faster': {
    metric: 'Latency',
    margin: 0.1,
    canary: (random, at) => ({ latency: 880 * (1 + 3 * Math.sin(at / 300) ** 2) * logNormal(random, 0.5) }),
    stable: (random, at) => ({ latency: 800 * (1 + 3 * Math.sin(at / 300) ** 2) * logNormal(random, 0.5) }),
  },
  cost: { metric: 'Cost', margin: 0.2, canary: dear(1.2), stable: dear(1) },
  'cost with a heavy tail, a twentieth of the traffic': {
    metric: 'Cost',
    margin: 0.2,
    canary: dear(1.2, 1.3),
    stable: dear(1, 1.3),
    batch: [10, 190],
    most: 1000,
  },
  quality: { metric: 'Quality', margin: 0.03, canary: good(0.67), stable: good(0.7) },
}
for (const [name, it] of Object.entries(edges))
  test(`worse by just the margin: rolled back, and cleared, in at most 5 % of runs: ${name}`, () => {
    const { rate, cleared } = watched(150, it)
    assert.ok(rate <= SLACK, `rolled back ${rate}`)
    assert.ok(cleared <= SLACK, `cleared ${cleared}`)
  })

test('latency with ties: rolled back at the margin, and cleared a little above it, in at most 5 % of runs', () => {
  const tied =
    (factor: number): Draw =>
    (random) => ({ latency: factor * (random() < 0.93 ? 100 : random() < 0.5 ? 200 : 400) })
  const at = (factor: number): Case => ({ metric: 'Latency', margin: 0.1, canary: tied(factor), stable: tied(1) })
  assert.ok(watched(150, at(1.1)).rate <= SLACK)
  // By as much as sketches tell.
  assert.ok(watched(150, at(1.13)).cleared <= SLACK)
})

const same: readonly Case[] = [
  { metric: 'ErrorRate', margin: 0.02, canary: failing(0.01), stable: failing(0.01) },
  { metric: 'Latency', margin: 0.2, canary: slow(1), stable: slow(1), most: 2500 },
  { metric: 'Latency', margin: 0.2, canary: () => ({ latency: 250 }), stable: () => ({ latency: 250 }) },
  { metric: 'Cost', margin: 0.2, canary: dear(1), stable: dear(1) },
  { metric: 'Quality', margin: 0.03, canary: good(0.7), stable: good(0.7) },
]
for (const it of same)
  test(`as its control: seldom rolled back, and mostly cleared in time: ${it.metric}`, () => {
    const { rate, cleared } = watched(60, it)
    assert.ok(rate <= 0.05, `rolled back ${rate}`)
    assert.ok(cleared >= 0.8, `cleared ${cleared}`)
  })

const harmful: readonly (readonly [most: number, Case])[] = [
  [500, { metric: 'ErrorRate', margin: 0.01, canary: failing(0.06), stable: failing(0.01) }],
  [800, { metric: 'ErrorRate', margin: 0.01, canary: failing(0.06), stable: failing(0.01), alpha: ALPHA / 7 }],
  [700, { metric: 'Latency', margin: 0.1, canary: slow(1.3), stable: slow(1) }],
  [1100, { metric: 'Cost', margin: 0.1, canary: dear(1.25), stable: dear(1) }],
  [700, { metric: 'Quality', margin: 0.02, canary: good(0.65), stable: good(0.7) }],
]
for (const [most, it] of harmful)
  test(`harm is found at a median of at most ${most} requests: ${it.metric}, α ${(it.alpha ?? ALPHA).toFixed(3)}`, () => {
    const { median } = watched(60, it)
    assert.ok(median <= most, `${median}`)
  })

const METRICS: readonly (readonly [Metric, number, Draw, Draw])[] = [
  ['ErrorRate', 0.01, failing(0.06), failing(0.01)],
  ['Latency', 0.1, slow(1.6), slow(1)],
  ['Cost', 0.1, dear(1.5), dear(1)],
  ['Quality', 0.02, good(0.6), good(0.7)],
]
for (const [metric, margin, bad, well] of METRICS) {
  test(`${metric}: goes on from its state as if nothing had been, and the same totals again change nothing`, () => {
    const random = seeded(3)
    const spec = { metric, margin, alpha: ALPHA }
    const whole = new Guardrail(spec)
    let [totals, state]: [Arms<Counter>, GuardrailState | undefined] = [counters(), undefined]
    for (let look = 0; look < 60; look++) {
      const other: Guardrail = new Guardrail(spec, state)
      if (look === 35) {
        totals = counters()
        for (const it of [whole, other]) it.step()
      }
      // Sometimes of one arm alone.
      if (look % 3 !== 1) draw(totals.canary, well, random, 7)
      if (look % 3 !== 2) draw(totals.stable, well, random, 11)
      assert.ok(whole.update(totals))
      assert.ok(other.update(totals))
      assert.ok(other.update(totals))
      assert.deepEqual(other.reading, whole.reading)
      state = JSON.parse(JSON.stringify(other.state)) as GuardrailState // what was just written
      assert.ok(JSON.stringify(state).length < 3000)
    }
    assert.notEqual(whole.reading.evidence, 1)
  })

  test(`${metric}: totals that are less than before are not taken`, () => {
    const random = seeded(5)
    const [few, many] = [counters(), counters()]
    for (const counter of [few.canary, few.stable]) draw(counter, well, random, 60)
    for (const counter of [many.canary, many.stable]) draw(counter, well, random, 120)
    const guardrail = new Guardrail({ metric, margin, alpha: ALPHA })
    assert.ok(guardrail.update(few))
    assert.ok(guardrail.update(many))
    const before = guardrail.reading
    assert.equal(guardrail.update(few), false)
    assert.deepEqual(guardrail.reading, before)
  })

  test(`${metric}: a canary that goes bad in its third step is found, whatever it was before`, () => {
    const random = seeded(11)
    const guardrail = new Guardrail({ metric, margin, alpha: ALPHA })
    for (const canary of [well, well, bad]) {
      guardrail.step()
      const totals = counters()
      for (let look = 0; look < 100; look++) {
        draw(totals.canary, canary, random, 20)
        draw(totals.stable, well, random, 20)
        guardrail.update(totals)
      }
      const { evidence, needs } = guardrail.reading
      assert.equal(evidence >= needs, canary === bad)
    }
  })
}

test('steps of different shares in good hours and bad are not held against the canary', () => {
  const random = seeded(17)
  for (const metric of ['ErrorRate', 'Cost'] as const) {
    const guardrail = new Guardrail({ metric, margin: 0.01, alpha: ALPHA })
    // Half of the traffic while all fails and is dear, a twentieth while all is well: all in all the canary looks much worse.
    for (const [of, canary, stable] of [
      [3, 20, 20],
      [1, 2, 38],
    ] as const) {
      guardrail.step()
      const totals = counters()
      const hour: Draw = (random) => ({ error: random() < of * 0.1, cost: of * logNormal(random, 0.5) })
      for (let look = 0; look < 100; look++) {
        draw(totals.canary, hour, random, canary)
        draw(totals.stable, hour, random, stable)
        guardrail.update(totals)
      }
    }
    const { evidence, needs } = guardrail.reading
    assert.ok(evidence < needs / 2, `${metric} ${evidence}`)
  }
})

test('no data is neither harm nor its absence', () => {
  for (const metric of ['ErrorRate', 'Latency', 'Cost', 'Quality'] as const) {
    const guardrail = new Guardrail({ metric, margin: 0.1, alpha: ALPHA })
    guardrail.update(counters())
    assert.equal(guardrail.reading.evidence, 1)
    assert.equal(guardrail.reading.upper, undefined)
    assert.equal(guardrail.harmless, false)
  }
})

test('together, guardrails are never less evidence than the strongest alone', () => {
  const reading = (evidence: number, share: number) => ({
    ...new Guardrail({ metric: 'ErrorRate', margin: 0.02, alpha: ALPHA, share }).reading,
    evidence,
  })
  assert.ok(Math.abs(against([reading(20, 1)]) - 1) < 1e-12)
  assert.ok(Math.abs(against([reading(10, 0.5), reading(30, 0.5)]) - 1) < 1e-12)
  assert.ok(against([reading(60, 1 / 3), reading(0, 2 / 3)]) >= 1 - 1e-12)
})
