import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Counter } from '../evidence/counter.ts'
import { seeded } from '../learning/random.ts'
import { advance, due } from './advance.ts'
import type { Input } from './input.ts'
import type { Plan } from './plan.ts'
import { VERBS, versionOf } from './state.ts'
import type { State, Verb } from './state.ts'
import { refusal } from './verbs.ts'

const plan: Plan = {
  canary: 'ai/new',
  ownWeight: 1,
  ownShare: 50,
  steps: [5, 25, 50, 100].map((weight) => ({ weight, dwell: 1000, samples: 30, manual: false })),
  guardrails: [
    { metric: 'ErrorRate', margin: 0.1, share: 0.5 },
    { metric: 'Latency', margin: 0.5, share: 0.5 },
  ],
  alpha: 0.05,
  maxDuration: 1e9,
  cooldown: 5000,
  oneByOne: true,
}

/** What a rollout can meet from one moment to the next. */
interface Happens {
  /** ms that pass. */
  readonly after: number
  readonly requests: number
  readonly acknowledged: boolean
  readonly verb?: Verb | undefined
  readonly edit?: 'canary' | 'steps' | 'weight' | undefined
  readonly lost?: boolean
}

const happens: fc.Arbitrary<Happens> = fc.record({
  after: fc.integer({ min: 0, max: 3000 }),
  requests: fc.integer({ min: 0, max: 400 }),
  acknowledged: fc.boolean(),
  verb: fc.option(fc.constantFrom(...VERBS), { nil: undefined, freq: 12 }),
  edit: fc.option(fc.constantFrom('canary', 'steps', 'weight'), { nil: undefined, freq: 15 }),
  lost: fc.boolean(),
})

/** A rollout in a world where requests fail by these rates: a step at a time, each with what it was given. */
function* lived(all: readonly Happens[], errors: { readonly canary: number; readonly stable: number }, seed: number) {
  const random = seeded(seed)
  let state: State | undefined
  let now = 1e12
  let at = plan
  let [version, arms] = ['', { canary: new Counter(), stable: new Counter() }]
  for (const it of all) {
    now += it.after
    if (it.edit === 'canary') at = { ...at, canary: `${at.canary}x` }
    if (it.edit === 'weight') at = { ...at, ownWeight: at.ownWeight + 1, ownShare: 10 }
    if (it.edit === 'steps')
      at = {
        ...at,
        steps: [at.steps[0]?.weight === 5 ? 10 : 5, 25, 40, 100].map((weight, i) => ({ ...step(at, i), weight })),
      }
    if (state && versionOf(state) !== version) {
      version = versionOf(state)
      arms = { canary: new Counter(), stable: new Counter() }
    }
    const weight = state?.weight ?? 0
    for (let i = 0; i < it.requests; i++) {
      const arm = random() < weight / 100 ? 'canary' : 'stable'
      arms[arm].add({ error: random() < errors[arm], latency: 50 + 100 * random() })
    }
    const input: Input = {
      now,
      of: 'uid 0',
      totals: it.lost ? undefined : arms,
      sidecars: { inForce: true, connected: 2, behind: it.acknowledged ? [] : ['ai/slow'] },
      canary: {},
      open: { canary: 0, stable: 0 },
      order: it.verb && state && !refusal(state, it.verb) ? { verb: it.verb, by: 'ann' } : undefined,
    }
    const before = state
    const { state: after, happenings } = advance(at, before, input)
    yield { plan: at, before, input, after, happenings, what: it }
    state = after
  }
}

const step = ({ steps }: Plan, i: number) =>
  steps[Math.min(i, steps.length - 1)] ?? { weight: 0, dwell: 0, samples: 1, manual: false }
const lives = fc.tuple(fc.array(happens, { maxLength: 60 }), fc.constantFrom(0, 0.05, 0.5), fc.integer())

describe('advance', () => {
  test('it never skips a step, and goes on by itself only where every sidecar has acknowledged the last', () => {
    fc.assert(
      fc.property(lives, ([all, canary, seed]) => {
        for (const { before, after, input, what } of lived(all, { canary, stable: 0.05 }, seed)) {
          if (!before || after.weight <= before.weight || what.edit || what.verb) continue
          assert.deepEqual(input.sidecars.behind, [])
          assert.equal(after.step, before.weight === 0 ? 0 : before.step + 1)
          assert.ok(before.phase === 'Pending' || before.phase === 'Progressing')
          if (before.weight > 0) assert.ok(input.now - (before.acknowledged ?? Infinity) >= 1000, 'it has dwelt')
        }
      }),
      { numRuns: 300 },
    )
  })

  test('rolled back, it has weight 0, and gets none again but by a retry or an edit of the canary', () => {
    fc.assert(
      fc.property(lives, ([all, canary, seed]) => {
        for (const { before, after, what } of lived(all, { canary, stable: 0.05 }, seed)) {
          if (after.phase === 'RolledBack' || after.phase === 'RollingBack') assert.equal(after.weight, 0)
          if (before?.phase === 'RolledBack' && after.phase !== 'RolledBack')
            assert.ok(what.verb === 'retry' || what.edit === 'canary')
          if (after.phase === 'Promoted') assert.equal(after.weight, 100)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('who goes on from what was written down comes to the same', () => {
    fc.assert(
      fc.property(lives, ([all, canary, seed]) => {
        for (const { plan: at, before, input, after } of lived(all, { canary, stable: 0.05 }, seed)) {
          const read: State | undefined = before && JSON.parse(JSON.stringify(before))
          assert.equal(JSON.stringify(advance(at, read, input).state), JSON.stringify(after))
        }
      }),
      { numRuns: 100 },
    )
  })

  test('the same evidence again is no evidence', () => {
    fc.assert(
      fc.property(lives, ([all, canary, seed]) => {
        for (const { plan: at, before, after, input } of lived(all, { canary, stable: 0.05 }, seed)) {
          if (!before || versionOf(before) !== versionOf(after)) continue
          const { order: _, ...rest } = input
          const again = advance(at, after, rest).state
          if (versionOf(again) === versionOf(after)) assert.deepEqual(again.guardrails, after.guardrails)
        }
      }),
      { numRuns: 100 },
    )
  })

  test('no two versions have the same name, so that their evidence never mixes', () => {
    fc.assert(
      fc.property(lives, ([all, canary, seed]) => {
        const weights = new Map<string, number>()
        for (const { after } of lived(all, { canary, stable: 0.05 }, seed)) {
          const known = weights.get(versionOf(after))
          if (known !== undefined) assert.equal(known, after.weight)
          weights.set(versionOf(after), after.weight)
        }
      }),
      { numRuns: 200 },
    )
  })
})

/** Goes on with the same until a phase is reached, or nothing more happens. */
function until(
  state: State | undefined,
  done: (state: State) => boolean,
  {
    at = plan,
    errors = { canary: 0, stable: 0 },
    change = {},
  }: {
    at?: Plan
    errors?: { canary: number; stable: number }
    change?: Partial<Input>
  } = {},
): State {
  const random = seeded(1)
  let now = Math.max(2e12, state?.since ?? 0)
  let [version, arms] = ['', { canary: new Counter(), stable: new Counter() }]
  let it = state
  for (let i = 0; i < 500; i++) {
    now += 500
    if (it && versionOf(it) !== version)
      [version, arms] = [versionOf(it), { canary: new Counter(), stable: new Counter() }]
    for (let n = 0; n < 100; n++) {
      const arm = random() < (it?.weight ?? 0) / 100 ? 'canary' : 'stable'
      arms[arm].add({ error: random() < errors[arm], latency: 50 + 100 * random() })
    }
    it = advance(at, it, { ...calm(now), totals: arms, ...change }).state
    if (done(it)) return it
  }
  throw new Error(`it stays ${it?.phase} ${it?.reason}: ${it?.message}`)
}

const calm = (now: number): Input => ({
  now,
  of: 'uid 0',
  totals: undefined,
  sidecars: { inForce: true, connected: 1, behind: [] },
  canary: {},
  open: { canary: 0, stable: 0 },
})
const at = (weight: number) => (state: State) => state.weight === weight
const order = (state: State, verb: Verb, plans = plan): State =>
  advance(plans, state, { ...calm(state.since + 1e6), order: { verb, by: 'ann' } }).state

test('advance: a canary that is no worse is promoted, one that fails is rolled back with the evidence', () => {
  const good = until(undefined, ({ phase }) => phase === 'Promoted')
  assert.equal(good.reason, 'Promoted')
  const bad = until(undefined, ({ phase }) => phase === 'RolledBack', { errors: { canary: 0.5, stable: 0.01 } })
  assert.equal(bad.reason, 'GuardrailBroken')
  assert.match(bad.message, /ErrorRate .* E-value/)
  assert.ok(bad.harmedBefore + bad.harmed > 0)
})

test('advance: without data it holds, and says so', () => {
  const state = until(until(undefined, at(5)), ({ reason }) => reason === 'NoData', { change: { totals: undefined } })
  assert.equal(state.phase, 'Progressing')
})

test('advance: it holds for a sidecar that does not acknowledge, and names it', () => {
  const change = { sidecars: { inForce: true, connected: 2, behind: ['ai/slow'] } }
  const state = until(until(undefined, at(5)), ({ reason }) => reason === 'WaitingForSidecars', { change })
  assert.match(state.message, /ai\/slow/)
  assert.throws(() => until(state, at(25), { change }), /WaitingForSidecars/)
})

test('advance: evidence that is not whole is waited for', () => {
  const state = until(undefined, (it) => it.weight === 25 && it.seen.canary > 20)
  const fewer = new Counter()
  fewer.add({})
  const next = advance(plan, state, { ...calm(state.stepSince + 1e6), totals: { canary: fewer, stable: fewer } }).state
  assert.equal(next.reason, 'EvidenceIncomplete')
  assert.deepEqual(next.guardrails, state.guardrails)
})

test('advance: paused it stays, its guardrails count, and it goes on from there', () => {
  const paused = order(until(undefined, at(25)), 'pause')
  assert.deepEqual([paused.phase, paused.reason, paused.weight, paused.by], ['Paused', 'PausedByHand', 25, 'ann'])
  assert.throws(() => until(paused, at(50)), /Paused/)
  assert.equal(until(paused, ({ phase }) => phase === 'RolledBack', { errors: { canary: 0.6, stable: 0 } }).weight, 0)
  const resumed = order(paused, 'resume')
  assert.equal(versionOf(resumed), versionOf(paused), 'what was found of the step counts on')
  until(resumed, ({ phase }) => phase === 'Promoted')
})

test('advance: a manual gate is passed by hand alone', () => {
  const gated: Plan = { ...plan, steps: plan.steps.map((it) => ({ ...it, manual: it.weight !== 25 })) }
  const first = until(undefined, ({ reason }) => reason === 'ManualGate', { at: gated })
  assert.equal(first.weight, 0)
  const second = until(order(first, 'resume', gated), ({ reason }) => reason === 'ManualGate', { at: gated })
  assert.equal(second.weight, 25)
  assert.equal(order(second, 'resume', gated).weight, 50)
})

test('advance: promote skips what is left, abort goes back, retry begins anew without the cooldown', () => {
  const state = until(undefined, at(5))
  const promoted = until(order(state, 'promote'), ({ phase }) => phase === 'Promoted')
  const aborted = until(order(promoted, 'abort'), ({ phase }) => phase === 'RolledBack')
  assert.deepEqual([aborted.reason, aborted.weight], ['Aborted', 0])
  const again = order(aborted, 'retry')
  assert.deepEqual([again.phase, again.weight], ['Pending', 0])
  until(again, at(5), { at: { ...plan, cooldown: 1e12 } })
})

test('advance: another canary begins anew, once the cooldown after a rollback is over', () => {
  const state = until(order(until(undefined, at(5)), 'abort'), ({ phase }) => phase === 'RolledBack')
  const other = { ...plan, canary: 'ai/other' }
  const next = advance(other, state, calm((state.rolledBack ?? 0) + 1)).state
  assert.equal(next.phase, 'Pending')
  const waits = advance(other, next, calm((state.rolledBack ?? 0) + 2)).state
  assert.equal(waits.reason, 'CoolingDown')
  assert.equal(due(other, waits, waits.since), (state.rolledBack ?? 0) + plan.cooldown)
  assert.equal(advance(other, waits, calm((state.rolledBack ?? 0) + plan.cooldown)).state.weight, 5)
})

test('advance: other steps go on at the first that gives no less, with new evidence, and never into the promotion', () => {
  const state = until(undefined, (it) => it.weight === 25 && it.seen.canary > 5)
  const steps = [10, 30, 60, 100].map((weight, i) => ({ ...step(plan, i), weight }))
  const next = advance({ ...plan, steps }, state, calm(state.stepSince + 1)).state
  assert.deepEqual([next.phase, next.step, next.weight, next.seen.canary], ['Progressing', 1, 30, 0])
  const few = [10, 20, 100].map((weight, i) => ({ ...step(plan, i), weight }))
  assert.equal(advance({ ...plan, steps: few }, state, calm(state.stepSince + 1)).state.weight, 20)
})

test('advance: a weight that is set by hand pauses it, is in force, and its step begins again when it is resumed', () => {
  const state = until(undefined, at(25))
  const edited = { ...plan, ownWeight: 7, ownShare: 2.5 }
  const paused = advance(edited, state, calm(state.stepSince + 1)).state
  assert.deepEqual([paused.phase, paused.reason, paused.weight], ['Paused', 'WeightSetByHand', 2.5])
  const resumed = order(paused, 'resume', edited)
  assert.deepEqual([resumed.phase, resumed.weight], ['Progressing', 25])
})

test('advance: requests that are not shared out as configured pause it, but not while a breaker is open or keys are sticky', () => {
  const slow = { ...plan, steps: plan.steps.map((it) => ({ ...it, samples: 1e6 })) }
  const begun = until(undefined, (it) => it.weight === 5 && it.acknowledged !== undefined, {
    at: slow,
    change: { totals: undefined },
  })
  const goOn = (
    state: State,
    seconds: number,
    share: number,
    change: Partial<Input> = {},
    { its = slow, from = 0, arms = { canary: new Counter(), stable: new Counter() } } = {},
  ): State => {
    let it = state
    for (let second = from; second < from + seconds; second++) {
      for (let n = 0; n < 100; n++) arms[n < 100 * share ? 'canary' : 'stable'].add({ latency: 50 })
      it = advance(its, it, { ...calm(state.stepSince + 1000 * second), totals: arms, ...change }).state
    }
    return it
  }
  const uneven = goOn(begun, 200, 0.5)
  assert.deepEqual([uneven.phase, uneven.reason], ['Paused', 'SampleRatioMismatch'])
  assert.match(uneven.message, /50 % .* 5 %/)
  assert.equal(order(uneven, 'resume').seen.canary, 0, 'the step begins again')
  assert.equal(goOn(begun, 100, 0.5).phase, 'Progressing', 'what a slow arm has not answered yet is waited for')
  assert.equal(goOn(begun, 200, 0.05).phase, 'Progressing')
  assert.equal(goOn(begun, 200, 0.5, {}, { its: { ...slow, oneByOne: false } }).phase, 'Progressing')
  const arms = { canary: new Counter(), stable: new Counter() }
  const open = goOn(begun, 200, 0.5, { open: { canary: 0, stable: 1 } }, { arms })
  assert.equal(open.phase, 'Progressing')
  assert.equal(goOn(open, 300, 0.05, {}, { arms, from: 200 }).phase, 'Progressing', 'it closes again')
  assert.equal(goOn(open, 300, 0.5, {}, { arms, from: 500 }).reason, 'SampleRatioMismatch')
})

test('advance: what is lost for good is counted anew, and what was found of it counts on', () => {
  const state = until(undefined, (it) => it.weight === 25 && it.seen.canary > 20)
  const totals = { canary: new Counter(), stable: new Counter() }
  const next = advance(plan, state, { ...calm(state.stepSince + 1000), totals, complete: () => true }).state
  assert.deepEqual([next.phase, next.weight, next.seen.canary], ['Progressing', 25, 0])
  assert.notEqual(versionOf(next), versionOf(state))
  assert.deepEqual(next.readings, state.readings)
})

test('advance: it is rolled back when it takes too long, and pauses are not counted', () => {
  const short = { ...plan, maxDuration: 1e7 }
  const state = until(undefined, at(25))
  const late = advance(short, state, calm((state.started ?? 0) + 1e7)).state
  assert.deepEqual([late.phase, late.reason], ['RollingBack', 'DeadlineExceeded'])
  const paused = advance(short, state, { ...calm(state.stepSince + 1), order: { verb: 'pause', by: 'ann' } }).state
  const resumed = advance(short, paused, { ...calm(paused.since + 1e8), order: { verb: 'resume', by: 'ann' } }).state
  assert.equal(resumed.phase, 'Progressing')
})

test('advance: an annotation is acted upon once for each value', () => {
  const state = until(undefined, at(5))
  const annotation = { value: 'pause@1', verb: 'pause', by: 'annotation (1)' } as const
  const paused = advance(plan, state, { ...calm(state.stepSince + 1), annotation }).state
  assert.deepEqual([paused.phase, paused.by], ['Paused', 'annotation (1)'])
  const resumed = order(paused, 'resume')
  assert.equal(advance(plan, resumed, { ...calm(resumed.since + 1), annotation }).state.phase, 'Progressing')
  const begun = advance(plan, undefined, { ...calm(1), annotation }).state
  assert.equal(advance(plan, begun, { ...calm(2), annotation }).state.phase, 'Progressing', 'it was said of another')
})

test('advance: a canary that does not resolve, or whose breaker is open, gets no more than it has', () => {
  const waits = advance(plan, undefined, calm(1)).state
  const unresolved = advance(plan, waits, { ...calm(2), canary: { fault: 'It is not there.' } }).state
  assert.deepEqual([unresolved.reason, unresolved.weight], ['CanaryUnavailable', 0])
  const state = until(undefined, at(5))
  const open = advance(plan, state, { ...calm(state.stepSince + 1e6), open: { canary: 1, stable: 0 } }).state
  assert.equal(open.reason, 'CanaryUnhealthy')
})
