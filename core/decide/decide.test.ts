import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bytes } from '../bytes.ts'
import { PeakEwma } from '../ewma.ts'
import { Failure } from '../errors.ts'
import { Exchange } from '../exchange.ts'
import type { Facts } from '../exchange.ts'
import { seeded } from '../learning/random.ts'
import { priceOf } from '../price.ts'
import { algorithms } from '../bandits/policy.ts'
import { defaultsOf } from '../schema.ts'
import { bandit } from '../strategies/bandit.ts'
import { strategyTypes } from '../strategies/index.ts'
import { surfaceOf } from '../surfaces/index.ts'
import type { Rule, Target } from '../target.ts'
import type { Adjustment } from './adjust.ts'
import { Chooser, isGap } from './chooser.ts'
import type { Decision } from './decision.ts'
import { replay } from './decision.ts'
import { Lengths } from './lengths.ts'

interface Made {
  readonly name: string
  readonly rank?: number
  readonly weight?: number
  readonly priority?: number
  readonly price?: readonly [input: string, output: string] | undefined
  readonly quality?: number | undefined
  readonly tasks?: Readonly<Record<string, number>>
  readonly capabilities?: Partial<Target['model']['capabilities']>
  readonly available?: number
  readonly latency?: number
}

/** A target with what the decision looks at, and nothing else. */
function target(made: Made): Target {
  const { name, rank = 0, weight = 1, priority = 0, price, quality, tasks = {}, available = 1, latency = 0 } = made
  const ewma = new PeakEwma(() => 0, 1000)
  if (latency > 0) ewma.observe(latency)
  const priced = price && priceOf({ input: price[0], output: price[1] })
  const parts = {
    id: `ai/${name} m`,
    weight,
    priority,
    rank,
    load: () => ewma.load(),
    available: () => available,
    endpoint: { name: `ai/${name}` },
    model: {
      name: 'm',
      rank,
      capabilities: { contextWindow: undefined, maxOutputTokens: undefined, prefill: undefined, ...made.capabilities },
      quality: quality === undefined ? undefined : { default: quality, tasks: new Map(Object.entries(tasks)) },
      pricing: () => priced,
      state: { ewma, lengths: new Lengths() },
    },
  }
  return parts as unknown as Target // the rest of a target is for calling it
}

function rule(targets: readonly Target[], strategy: Rule['strategy'], adjust: readonly Adjustment[] = []): Rule {
  const parts = {
    name: 'r',
    route: 'ai/chat',
    targets,
    unresolved: [],
    strategy,
    adjust,
    sticky: 'x-key',
    onUnavailable: 'Redistribute',
  }
  return parts as unknown as Rule // the rest of a rule is for other layers
}

function exchange(body: object, headers: readonly string[] = []): Exchange {
  const place = surfaceOf('/v1/chat/completions')
  assert.ok(place)
  const bytes = new Bytes([Buffer.from(JSON.stringify(body))])
  const facts = { requestedModel: 'chat', attempts: [] } as unknown as Facts // what a choice writes of them
  return new Exchange(
    { surface: place.surface, found: place.found, method: 'POST', query: '', headers, body: bytes },
    facts,
  )
}
const says = (text: string, rest: object = {}) => ({
  model: 'chat',
  messages: [{ role: 'user', content: text }],
  ...rest,
})

const telemetry = {
  decisions: true,
  attemptStarted: () => undefined,
  attemptEnded() {},
  exchangeStarted() {},
  exchangeEnded() {},
}
const deps = (random: () => number = () => 0.5) => ({ now: () => 1, wall: () => 1, random, telemetry })
const chosen = (of: Rule, asked: Exchange, random?: () => number) => new Chooser(of, deps(random)).choose(asked)
const names = ({ order }: ReturnType<typeof chosen>) => order.map(({ id }) => id.slice(3, -2)).join(' ')
const leastCost = (settings: object = {}) => ({ type: 'LeastCost', settings: { ...settings } }) as const

const banditSettings = defaultsOf(bandit.settings.schema)

const small = target({ name: 'small', rank: 1, price: ['0.10', '0.40'], quality: 0.7, tasks: { math: 0.4 } })
const middle = target({ name: 'middle', rank: 2, price: ['1.00', '4.00'], quality: 0.85, tasks: { math: 0.8 } })
const strong = target({ name: 'strong', rank: 3, price: ['5.00', '20.00'], quality: 0.95 })
const ladder = [strong, small, middle]

test('LeastCost: the cheapest that clears the floor, then the dearer ones, then those below it, the best first', () => {
  assert.equal(names(chosen(rule(ladder, leastCost()), exchange(says('hello')))), 'small middle strong')
  const above = chosen(rule(ladder, leastCost({ floor: '0.8' })), exchange(says('hello')))
  assert.equal(names(above), 'middle strong small')
  assert.equal(above.preference.reason, 'least_cost')
  const none = chosen(rule(ladder, leastCost({ floor: '0.99' })), exchange(says('hello')))
  assert.equal(names(none), 'strong middle small')
  assert.equal(none.preference.reason, 'below_floor')
})

test('LeastCost: quality is of the task', () => {
  const asked = exchange(says('hello'), ['x-tradewind-task', 'math'])
  assert.equal(
    names(chosen(rule(ladder, leastCost({ floor: '0.65' })), exchange(says('hello')))),
    'small middle strong',
  )
  assert.equal(names(chosen(rule(ladder, leastCost({ floor: '0.65' })), asked)), 'middle strong small')
})

test('LeastCost: a floor is never cleared by a quality that nobody stated', () => {
  const unknown = target({ name: 'unknown', price: ['0.01', '0.01'] })
  const result = chosen(rule([unknown, small, strong], leastCost({ floor: '0.9' })), exchange(says('hello')))
  assert.equal(names(result), 'strong small unknown')
})

test('LeastCost: a price that is not known counts as the dearest', () => {
  const unpriced = target({ name: 'unpriced', quality: 1, rank: 9 })
  assert.equal(
    names(chosen(rule([unpriced, small, strong], leastCost()), exchange(says('hello')))),
    'small strong unpriced',
  )
})

test('LeastCost: lambda weighs quality against cost', () => {
  const at = (lambda: string) =>
    names(chosen(rule(ladder, leastCost({ lambda })), exchange(says('hello')))).split(' ')[0]
  assert.equal(at('0'), 'strong')
  assert.equal(at('0.2'), 'middle')
  assert.equal(at('10'), 'small')
})

test('LeastCost: long answers count by what was seen of them', () => {
  // Cheap to ask and dear to hear: which of the two is cheaper depends on the length of the answer.
  const talker = target({ name: 'talker', price: ['0.10', '10.00'], quality: 1 })
  const reader = target({ name: 'reader', price: ['9.00', '0.50'], quality: 1 })
  const of = rule([talker, reader], leastCost())
  const chooser = new Chooser(of, deps())
  const first = () => chooser.choose(exchange(says('hello '.repeat(100)))).order[0]?.id
  assert.equal(first(), 'ai/reader m')
  for (let i = 0; i < 200; i++) {
    const asked = exchange(says('hello'))
    const { preference } = chooser.choose(asked)
    asked.target = talker
    asked.facts.usage = {
      ...{ cached: 0, cacheWrite: 0, cacheWrite1h: 0, reasoning: 0, audioInput: 0, audioOutput: 0, imageInput: 0 },
      input: 1,
      output: 2,
    }
    chooser.learn(asked, preference)
  }
  assert.equal(first(), 'ai/talker m')
})

test('LeastCost: a conversation stays where it is cached, until another is cheaper even so', () => {
  const warm = target({ name: 'warm', price: ['1.00', '1.00'], quality: 1 })
  Object.assign(warm.model, { pricing: () => priceOf({ input: '1.00', output: '1.00', cacheRead: '0.10' }) })
  const rival = target({ name: 'rival', price: ['0.90', '0.90'], quality: 1 })
  const bargain = target({ name: 'bargain', price: ['0.01', '0.01'], quality: 1 })
  const turn = (chooser: Chooser) => {
    const asked = exchange(says('word '.repeat(2000)), ['x-key', 'c1'])
    const { order, preference } = chooser.choose(asked)
    return { asked, preference, first: order[0]?.id }
  }
  for (const [other, expected] of [
    [rival, 'ai/warm m'],
    [bargain, 'ai/bargain m'],
  ] as const) {
    const chooser = new Chooser(rule([warm, other], leastCost()), deps())
    const { asked, preference, first } = turn(chooser)
    assert.equal(first, other.id, 'cold, the cheaper one')
    asked.target = warm
    asked.facts.usage = {
      cached: 0,
      cacheWrite: 0,
      cacheWrite1h: 0,
      reasoning: 0,
      audioInput: 0,
      audioOutput: 0,
      imageInput: 0,
      input: 2000,
      output: 10,
    }
    chooser.learn(asked, preference)
    assert.equal(turn(chooser).first, expected)
  }
})

test('LeastLatency: within the SLO the cheapest, else the fastest', () => {
  const quick = target({ name: 'quick', latency: 100, price: ['5.00', '5.00'] })
  const slower = target({ name: 'slower', latency: 300, price: ['1.00', '1.00'] })
  const slow = target({ name: 'slow', latency: 3000, price: ['0.01', '0.01'] })
  const at = (slo?: string) =>
    names(
      chosen(
        rule([quick, slower, slow], { type: 'LeastLatency', settings: slo === undefined ? {} : { slo } }),
        exchange(says('hello')),
      ),
    )
  assert.equal(at(), 'quick slower slow')
  assert.equal(at('500ms'), 'slower quick slow')
  assert.equal(at('5s'), 'slow slower quick')
})

test('a target that cannot take a request is not asked, whatever the strategy', () => {
  const blind = target({ name: 'blind', capabilities: { input: new Set(['Text']), tools: false, jsonSchema: false } })
  const sees = target({ name: 'sees', weight: 1, capabilities: { input: new Set(['Text', 'Image']) } })
  const image = {
    model: 'chat',
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }] }],
  }
  const tools = says('hello', {
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
  })
  const schema = says('hello', {
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } },
  })
  for (const type of strategyTypes.filter((each) => each !== 'LeastCost'))
    for (const body of [image, tools, schema])
      for (let draw = 0; draw < 1; draw += 0.1)
        assert.equal(
          names(
            chosen(
              rule([blind, sees], { type, settings: type === 'Bandit' ? banditSettings : {} }),
              exchange(body),
              () => draw,
            ),
          ),
          'sees',
          type,
        )
  assert.throws(
    () => chosen(rule([blind], { type: 'Weighted', settings: {} }), exchange(image)),
    (error) =>
      error instanceof Failure &&
      error.code === 'no_capable_target' &&
      /ai\/blind m takes Text, and the request has Image/.test(error.message),
  )
})

test('a prompt that seems too long for a window, or an answer for a model, puts the target off and does not rule it out', () => {
  const short = target({ name: 'short', capabilities: { contextWindow: 100, maxOutputTokens: 50 } })
  const long = target({ name: 'long', capabilities: { contextWindow: 100_000 } })
  const of = (targets: readonly Target[]) => rule(targets, { type: 'Weighted', settings: {} })
  for (let draw = 0; draw < 1; draw += 0.1) {
    assert.equal(names(chosen(of([short, long]), exchange(says('word '.repeat(500))), () => draw)), 'long short')
    assert.equal(names(chosen(of([short, long]), exchange(says('hi', { max_tokens: 60 })), () => draw)), 'long short')
  }
  assert.equal(names(chosen(of([short]), exchange(says('word '.repeat(500))))), 'short')
})

test('adjustments: ranks, lists and pins change who may be asked, and all that match apply', () => {
  const when = (value: string) => ({ headers: [{ name: 'x-a', type: 'Exact' as const, value }] })
  const adjust: Adjustment[] = [
    { when: when('medical'), minRank: 2 },
    { when: when('free'), maxRank: 2 },
    { when: when('eu'), deny: [{ endpoint: 'ai/strong' }] },
    { when: when('own'), allow: [{ endpoint: 'ai/small', model: 'm' }] },
    { when: when('pinned'), pin: { endpoint: 'ai/strong' } },
    { when: when('nobody'), allow: [{ endpoint: 'ai/small', model: 'other' }] },
    { when: when('trust'), boost: [{ endpoint: 'ai/small', by: 0.2 }] },
    { when: when('best'), floor: 0.9 },
    { when: when('value'), lambda: 0 },
  ]
  const at = (value: string) =>
    names(chosen(rule(ladder, leastCost({ floor: '0.8' }), adjust), exchange(says('hello'), ['x-a', value])))
  assert.equal(at('none'), 'middle strong small')
  assert.equal(at('medical'), 'middle strong')
  assert.equal(at('free'), 'middle small')
  assert.equal(at('eu'), 'middle small')
  assert.equal(at('own'), 'small')
  assert.equal(at('pinned'), 'strong middle small')
  assert.equal(at('trust'), 'small middle strong')
  assert.equal(at('best'), 'strong middle small')
  assert.equal(at('value'), 'strong middle small')
  assert.throws(
    () => at('nobody'),
    (error) =>
      error instanceof Failure &&
      error.code === 'target_not_allowed' &&
      /is not among those that an adjustment allows/.test(error.message),
  )
})

test('a target that ramps up takes no more than its part, where others can', () => {
  const ramping = target({ name: 'ramping', price: ['0.01', '0.01'], quality: 1, available: 0.25 })
  const random = seeded(1)
  const chooser = new Chooser(rule([ramping, strong], leastCost()), deps(random))
  let first = 0
  for (let i = 0; i < 2000; i++) if (chooser.choose(exchange(says('hi'))).order[0]?.id === ramping.id) first++
  assert.ok(Math.abs(first / 2000 - 0.25) < 0.03, `${first}`)
})

test('what need not be looked into is decided as what is', () => {
  const targets = [1, 5, 20].map((weight, index) =>
    target({ name: `t${index}`, weight, rank: index, latency: index * 50 }),
  )
  for (const type of ['Weighted', 'LeastLatency'] as const) {
    const of = rule(targets, { type, settings: {} })
    const plain = new Chooser(of, { ...deps(seeded(3)), telemetry: { ...telemetry, decisions: false } })
    const written = new Chooser(of, deps(seeded(3)))
    for (let i = 0; i < 500; i++) {
      const headers = i % 3 === 0 ? ['x-key', `k${i}`] : []
      const [a, b] = [plain.choose(exchange(says('hi'), headers)), written.choose(exchange(says('hi'), headers))]
      assert.equal(names(a), names(b))
      assert.equal(a.decision, undefined)
      assert.equal(b.decision?.order.length, 3)
    }
  }
})

test('explanations are exact: 10,000 random requests and rules, each decision made again from what was written down of it', () => {
  const random = seeded(42)
  const any = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T // the index is within it
  const maybe = <T>(value: () => T): T | undefined => (random() < 0.5 ? value() : undefined)
  const decimal = (most: number) => (random() * most).toFixed(3)
  const reasons = new Map<string, number>()
  for (let n = 0; n < 10_000; n++) {
    const targets = Array.from({ length: 1 + Math.floor(random() * 5) }, (_, i) =>
      target({
        name: `t${i}`,
        rank: Math.floor(random() * 4),
        weight: 1 + Math.floor(random() * 100),
        priority: random() < 0.2 ? 1 : 0,
        price: maybe(() => [decimal(10), decimal(30)]),
        quality: maybe(random),
        tasks: { math: random() },
        available: any([0, 0.05, 1, 1, 1]),
        latency: Math.floor(random() * 3000),
        capabilities: {
          contextWindow: maybe(() => 40),
          maxOutputTokens: maybe(() => 100),
          tools: maybe(() => false),
          input: maybe(() => new Set(['Text'])),
        },
      }),
    )
    const some = () => ({ endpoint: `ai/t${Math.floor(random() * 5)}` })
    const adjust = Array.from({ length: Math.floor(random() * 3) }, (): Adjustment => ({
      when: { headers: maybe(() => [{ name: 'x-key', type: 'Present' as const, value: '' }]) ?? [] },
      minRank: maybe(() => Math.floor(random() * 2)),
      maxRank: maybe(() => 2 + Math.floor(random() * 2)),
      floor: maybe(random),
      lambda: maybe(random),
      boost: maybe(() => [{ ...some(), by: random() - 0.5 }]),
      deny: maybe(() => [some()]),
      pin: maybe(some),
    }))
    const type = any(strategyTypes)
    const settings =
      type === 'LeastCost'
        ? { floor: maybe(() => random().toFixed(2)), lambda: maybe(() => decimal(2)), slo: maybe(() => '500ms') }
        : type === 'LeastLatency'
          ? { slo: maybe(() => '500ms') }
          : type === 'Bandit'
            ? { ...banditSettings, algorithm: any(algorithms), floor: maybe(() => random().toFixed(2)), lambda: '0.3' }
            : {}
    const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
    const asked = exchange(
      says(
        any(['hi', 'What is 3 × 4? Solve it.', 'word '.repeat(60)]),
        maybe(() => ({ max_tokens: 200 })),
      ),
      [...(maybe(() => ['x-key', `k${n % 7}`]) ?? []), ...(maybe(() => ['x-tradewind-task', 'math']) ?? [])],
    )
    let result: ReturnType<Chooser['choose']>
    try {
      result = chosen(rule(targets, { type, settings: given }, adjust), asked, random)
    } catch (error) {
      assert.ok(error instanceof Failure, String(error))
      continue
    }
    const { decision, order } = result
    assert.ok(decision)
    const written = JSON.parse(JSON.stringify(decision)) as Decision
    assert.deepEqual(
      replay(written),
      order.map(({ id }) => id),
      JSON.stringify(decision),
    )
    assert.ok(order.every((slot) => !isGap(slot)))
    reasons.set(decision.reason, (reasons.get(decision.reason) ?? 0) + 1)
  }
  for (const reason of [
    'weighted',
    'sticky',
    'fastest',
    'least_cost',
    'best_value',
    'best_known',
    'explored',
    'below_floor',
    'pinned',
    'only_target',
  ])
    assert.ok((reasons.get(reason) ?? 0) > 20, `${reason}: ${reasons.get(reason)}`)
})
