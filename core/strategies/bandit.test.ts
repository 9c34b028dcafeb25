import assert from 'node:assert/strict'
import test from 'node:test'
import { formOf } from '../bandits/form.ts'
import { learningKey, Memories, Memory } from '../bandits/memory.ts'
import { algorithms } from '../bandits/policy.ts'
import type { Algorithm } from '../bandits/policy.ts'
import type { Values } from '../decide/decide.ts'
import { seeded } from '../learning/random.ts'
import { defaultsOf } from '../schema.ts'
import type { Signals } from '../signals/signals.ts'
import { bandit } from './bandit.ts'
import type { Choosable } from './strategy.ts'

const arm = (id: string, rank: number): Choosable => ({ id, rank, weight: 1, load: () => 0, available: () => 1 })
const [cheap, strong] = [arm('ai/cheap m', 0), arm('ai/strong m', 1)]
const asking = (text: string, tier = '') => ({ readable: true, text, tier }) as unknown as Signals // what it looks at
const unknown = (cost: number): Values => ({ quality: Number.NaN, cost, latency: 0 })
const prices = (one: number, other: number) => [unknown(one), unknown(other)]

/** A rule with strategy Bandit, and people who reward what it answers. */
function scene(settings: object, seed = 1) {
  const random = seeded(seed)
  const all = { ...defaultsOf(bandit.settings.schema), ...settings } as { algorithm: Algorithm; halfLife: number }
  const memory = new Memory(formOf(all.algorithm, all.halfLife), () => 'e')
  const prefer = bandit.make({ targets: [cheap, strong], settings: { ...all }, random, wall: () => 0, memory })
  let id = 0
  const ask = (
    text: string,
    good: (target: Choosable) => number | undefined,
    { values = prices(1, 4), tier = '' }: { values?: readonly Values[]; tier?: string } = {},
  ) => {
    const preference = prefer({ key: undefined, values, signals: asking(text, tier) })
    const { first, answered } = preference
    assert.ok(first)
    const decision = `r${id++}`
    answered?.({ decision, target: first.id, judged: [], now: 0 })
    const reward = good(first)
    if (reward !== undefined) memory.reward(decision, reward, 0)
    return preference
  }
  const share = (times: number, of: Choosable, ...rest: Parameters<typeof ask>) => {
    let count = 0
    for (let i = 0; i < times; i++) if (ask(...rest).first === of) count++
    return count / times
  }
  return { memory, ask, share, random }
}

const explore = { spendPercent: 100, leastPercent: 1, epsilonPercent: 5, firstRewards: 30 }

test('Bandit: it learns which target is worth its price, and asks that one', () => {
  for (const algorithm of algorithms) {
    const { share, random } = scene({ algorithm, lambda: '0.3', explore })
    const good = (target: Choosable) => (random() < (target === cheap ? 0.4 : 0.95) ? 1 : 0)
    share(600, strong, 'What is it?', good)
    assert.ok(share(300, strong, 'What is it?', good) > 0.9, algorithm)
  }
})

test('Bandit: a new price counts from the next request on, with what was learnt', () => {
  const { share, random, memory } = scene({ algorithm: 'Thompson', lambda: '0.6', explore })
  const good = (target: Choosable) => (random() < (target === cheap ? 0.6 : 0.85) ? 1 : 0)
  share(800, strong, 'What is it?', good)
  const seen = memory.learner.seen
  const none = () => undefined
  assert.ok(share(200, cheap, 'What is it?', none) > 0.8)
  assert.ok(share(200, strong, 'What is it?', none, { values: prices(1, 1) }) > 0.8)
  assert.equal(memory.learner.seen, seen, 'nothing was learnt in between')
})

test('Bandit: with LinTS and LinUCB prompts of another kind have another target', () => {
  const code = 'def f(x):\n  return {x: [x_1; x_2]}\n`code`; y == {}; z = {a_b: 1};'
  const talk = 'Please write a friendly letter to my grandmother about the garden and the weather'
  for (const algorithm of ['LinTS', 'LinUCB'] as const) {
    const { ask, share, random } = scene({ algorithm, lambda: '0.3', explore })
    const good = (text: string) => (target: Choosable) =>
      random() < (target === strong ? 0.95 : text === code ? 0.2 : 0.9) ? 1 : 0
    for (let i = 0; i < 1500; i++) {
      const text = i % 2 ? code : talk
      ask(text, good(text))
    }
    assert.ok(share(200, strong, code, good(code)) > 0.8, algorithm)
    assert.ok(share(200, cheap, talk, good(talk)) > 0.8, algorithm)
  }
})

test('Bandit: a reward that does not come is not a bad one', () => {
  const { share, memory } = scene({ algorithm: 'Thompson', lambda: '0.1', explore })
  share(300, cheap, 'What is it?', () => undefined)
  assert.equal(memory.learner.seen, 0)
  const silent = memory.learner.belief(cheap.id, Float64Array.of(1)).mean
  share(300, cheap, 'What is it?', () => 0)
  assert.ok(memory.learner.belief(cheap.id, Float64Array.of(1)).mean < silent / 2)
})

test('Bandit: a later reward for the same request stands in the place of the one before', () => {
  const { ask, memory } = scene({ algorithm: 'Thompson', lambda: '0.1', explore })
  ask('What is it?', () => 1)
  assert.ok(memory.reward('r0', 0, 1))
  assert.ok(memory.reward('r0', 0, 2))
  assert.equal(memory.learner.seen, 1)
  assert.equal(memory.reward('unheard of', 1, 2), false)
})

test('Bandit: tiers that are excepted have the best that is known, and exploring never costs more than its part', () => {
  const settings = { algorithm: 'EpsilonGreedy', lambda: '0.9', explore: { ...explore, exceptTiers: ['enterprise'] } }
  const { ask, share, random } = scene(settings)
  const good = (target: Choosable) => (random() < (target === cheap ? 0.8 : 0.85) ? 1 : 0)
  share(400, cheap, 'What is it?', good)
  assert.equal(
    share(500, cheap, 'What is it?', () => undefined, { tier: 'enterprise' }),
    1,
  )
  assert.ok(share(1000, cheap, 'What is it?', () => undefined, { tier: 'free' }) < 1)

  const bounded = scene({ algorithm: 'EpsilonGreedy', lambda: '0.9', explore: { ...explore, spendPercent: 2 } })
  let [spent, extra] = [0, 0]
  for (let i = 0; i < 3000; i++) {
    const { first, reason } = bounded.ask('What is it?', () => 1)
    const cost = first === strong ? 4 : 1
    spent += cost
    if (reason === 'explored' && first === strong) extra += 3
    assert.ok(extra <= 0.02 * spent + 1e-9, `${extra} of ${spent}`)
  }
  assert.ok(extra > 0)
  assert.ok(ask('x', () => 1).propensities)
})

test('Bandit: nothing being known, a floor has the strongest asked, and the cheap one tried', () => {
  const { share, ask, random } = scene({ algorithm: 'LinTS', floor: '0.7', explore })
  const good = (target: Choosable) => (random() < (target === cheap ? 0.9 : 0.95) ? 1 : 0)
  const first = ask('What is it?', good)
  assert.ok(first.reason === 'unproven' || first.reason === 'explored')
  const tried = share(200, cheap, 'What is it?', good)
  assert.ok(tried > 0.02 && tried < 0.5, `${tried}`)
  share(1500, cheap, 'What is it?', good)
  assert.ok(share(300, cheap, 'What is it?', good) > 0.9, 'the cheapest that is good enough')
})

test('Bandit: a target that has become bad is left, and asked again once it is good again', () => {
  const { share, random } = scene({ algorithm: 'Thompson', lambda: '0.2', halfLife: 100, explore })
  const is = (quality: number) => (target: Choosable) => (random() < (target === cheap ? quality : 0.85) ? 1 : 0)
  share(600, cheap, 'What is it?', is(0.9))
  assert.ok(share(100, cheap, 'What is it?', is(0.9)) > 0.8)
  share(500, cheap, 'What is it?', is(0.2))
  assert.ok(share(100, cheap, 'What is it?', is(0.2)) < 0.2)
  share(4000, cheap, 'What is it?', is(0.95))
  assert.ok(share(200, cheap, 'What is it?', is(0.95)) > 0.8)
})

test('memories: kept by rule while its form is the same, and forgotten with the rule', () => {
  let names = 0
  const memories = new Memories(() => `e${names++}`)
  const of = (algorithm: Algorithm) => memories.of({ route: 'ai/r', rule: '0', form: formOf(algorithm, 500) })
  const one = of('LinTS')
  assert.equal(of('LinUCB'), one, 'the same contexts')
  const other = of('Thompson')
  assert.notEqual(other.epoch, one.epoch)
  memories.keep(new Set([learningKey({ route: 'ai/r', rule: '0', form: other.form })]))
  assert.equal(of('Thompson'), other)
  assert.notEqual(of('LinTS'), one)
})
