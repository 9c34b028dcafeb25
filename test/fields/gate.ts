import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { MockOptions } from '../../cli/mock/server.ts'
import { says } from '../helpers/ladder.ts'
import { Router } from '../helpers/router.ts'
import { gateArtefact, trainedGate } from '../helpers/trained-gate.ts'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, sidecar, to } from './setting.ts'
import type { Asking, Setting } from './setting.ts'

const REFUSAL = says('I am sorry, but I cannot help with that.')

/** A model of the ladder, at 1, 10 and 100 USD for a million tokens. */
const rung = (rank: number) => ({
  name: 'm',
  rank,
  price: { input: String(10 ** rank), output: String(10 ** rank) },
})

/** `a` is cheap and asked first, `b` stronger, `c` the strongest, which is no target of the rule. */
async function cascade(
  t: TestContext,
  gate: object,
  mocks: readonly [MockOptions, MockOptions?, MockOptions?] = [{ faults: [REFUSAL] }],
  rest: Partial<Setting> & { readonly c?: object } = {},
) {
  const [a, b, c] = await upstreams(t, mocks[0], mocks[1] ?? {}, mocks[2] ?? {})
  const { ask } = await sidecar(t, {
    endpoints: {
      a: at(a.url, { models: [rung(0)] }),
      b: at(b.url, { models: [rung(1)] }),
      c: at(c.url, { models: [rung(2)], ...rest.c }),
      ...rest.endpoints,
    },
    routes: { chat: chat([to('a'), to('b', { priority: 1 })], { gate }) },
    ...(rest.artefacts ? { artefacts: rest.artefacts } : {}),
  })
  const by = async (asking: Asking = {}) => (await ask(asking)).endpoint
  return { a, b, c, ask, by }
}

/** Who answers with a gate, where the cheap target gives an answer of these words. */
async function answering(t: TestContext, gate: object, words: string, asking: Asking = {}): Promise<string> {
  return (await cascade(t, gate, [{ faults: [says(words)] }])).by(asking)
}

const only = (type: string, rest: object = {}) => ({ checks: [{ type, ...rest }] })

/** Of the cheap target's answers, how many requests another is asked about. */
async function asides(t: TestContext, gate: object, other: MockOptions, rest: { readonly c?: object } = {}) {
  const made = await cascade(t, gate, [{ faults: [says('The answer is 42.')] }, {}, other], rest)
  return { ...made, endpoint: await made.by() }
}

const marks = (mark: string): MockOptions => ({ faults: [says(mark)] })
const judge = (rest: object = {}) => ({
  judge: { endpoint: { name: 'c' }, percent: 100, ...rest },
})

/** Two endpoints of a rule with a classifier that is to some degree sure of the first. */
async function speculation(t: TestContext, speculate: object | undefined, acceptable: number, times = 1) {
  const [a, b] = await upstreams(t, {}, { latency: '30s' })
  const router = new Router({ a: { chat: acceptable }, b: { chat: 0.95 } })
  const strategy = { type: 'Classifier', classifier: { artefact: { name: 'router' }, floor: '0.05' } }
  const { ask } = await sidecar(t, {
    endpoints: {
      a: at(a.url, { models: [{ ...rung(0), name: 'a' }] }),
      b: at(b.url, { models: [{ ...rung(1), name: 'b' }] }),
    },
    routes: { chat: chat([to('a'), to('b')], { strategy, ...(speculate ? { speculate } : {}) }) },
    artefacts: { router: router.bytes },
  })
  const fields = { messages: [{ role: 'user', content: router.example('chat') }] }
  // So many answers are needed before it is known how long they take, and three slow ones are less than a tenth of them.
  a.setPace({ latency: '1ms' })
  for (let i = 0; i < 44; i++) await ask({ fields })
  a.setPace({ latency: '600ms' })
  b.reset()
  for (let i = 0; i < times; i++) assert.equal((await ask({ fields })).endpoint, 'a')
  return b.stats().requests
}

export const gate: Coverage = {
  'ModelRoute spec.rules[].gate.mode': async (t) => {
    const stream = { stream: true }
    const buffer = await cascade(t, { mode: 'Buffer' })
    assert.equal(await buffer.by(stream), 'b')
    const audit = await cascade(t, { mode: 'Audit' })
    assert.equal(await audit.by(stream), 'a')
    // What only its end shows is not looked for in a beginning.
    const cut = { faults: [says('word '.repeat(80))], tokensPerSecond: 500 }
    const limit = { ...stream, fields: { max_tokens: 60 } }
    assert.equal(await (await cascade(t, { mode: 'Buffer' }, [cut])).by(limit), 'b')
    assert.equal(await (await cascade(t, { mode: 'Prefix' }, [cut])).by(limit), 'a')
  },
  'ModelRoute spec.rules[].gate.prefix.tokens': async (t) => {
    const late = `${'Well. '.repeat(10)}So: ${'one two three four five six '.repeat(40)}`
    for (const [tokens, endpoint] of [
      [100, 'b'],
      [10, 'a'],
    ] as const) {
      const gate = { mode: 'Prefix', prefix: { tokens, within: '30s' }, checks: [{ type: 'Repetition' }] }
      assert.equal(
        await (await cascade(t, gate, [{ faults: [says(late)], tokensPerSecond: 400 }])).by({ stream: true }),
        endpoint,
      )
    }
  },
  'ModelRoute spec.rules[].gate.prefix.within': async (t) => {
    const slow = { faults: [says(`I am sorry, but I ${'really '.repeat(4)}cannot do that.`)], tokensPerSecond: 20 }
    for (const [within, endpoint] of [
      ['30s', 'b'],
      ['100ms', 'a'],
    ] as const) {
      const gate = { mode: 'Prefix', prefix: { within } }
      assert.equal(await (await cascade(t, gate, [slow])).by({ stream: true }), endpoint)
    }
  },
  'ModelRoute spec.rules[].gate.checks[].type': async (t) => {
    assert.equal(await answering(t, only('Refusal'), 'I cannot help with that.'), 'b')
    assert.equal(await answering(t, only('Code'), 'I cannot help with that.'), 'a')
    assert.equal(await answering(t, only('Code'), '```js\nf('), 'b')
  },
  'ModelRoute spec.rules[].gate.checks[].refusal.patterns[]': async (t) => {
    const own = only('Refusal', { refusal: { patterns: ['^leider'] } })
    assert.equal(await answering(t, own, 'Leider geht das nicht.'), 'b')
    assert.equal(await answering(t, only('Refusal'), 'Leider geht das nicht.'), 'a')
  },
  'ModelRoute spec.rules[].gate.checks[].citations.minimum': async (t) => {
    const two = only('Citations', { citations: { minimum: 2 } })
    assert.equal(await answering(t, two, 'It is so [1].'), 'b')
    assert.equal(await answering(t, only('Citations'), 'It is so [1].'), 'a')
  },
  'ModelRoute spec.rules[].gate.checks[].pattern.must': async (t) => {
    const must = only('Pattern', { pattern: { must: '^[0-9]+$' } })
    assert.equal(await answering(t, must, 'Seven.'), 'b')
    assert.equal(await answering(t, must, '7'), 'a')
  },
  'ModelRoute spec.rules[].gate.checks[].pattern.mustNot': async (t) => {
    const mustNot = only('Pattern', { pattern: { mustNot: 'TODO' } })
    assert.equal(await answering(t, mustNot, 'A TODO.'), 'b')
    assert.equal(await answering(t, mustNot, 'Done.'), 'a')
  },
  'ModelRoute spec.rules[].gate.logProbs.minimum': async (t) => {
    assert.equal(await (await cascade(t, { logProbs: { minimum: '-0.0001' } }, [{}])).by(), 'b')
    assert.equal(await (await cascade(t, { logProbs: { minimum: '-50' } }, [{}])).by(), 'a')
  },
  'ModelRoute spec.rules[].gate.logProbs.mean': async (t) => {
    assert.equal(await (await cascade(t, { logProbs: { mean: '-0.0001' } }, [{}])).by(), 'b')
    assert.equal(await (await cascade(t, { logProbs: { mean: '-50' } }, [{}])).by(), 'a')
  },
  'ModelRoute spec.rules[].gate.learned.artefact.name': async (t) => {
    const sure = [{ faults: [says('It is 42.')] }] as const
    const unsure = [{ faults: [says('Maybe it is 42, perhaps.')] }] as const
    const artefacts = { gates: gateArtefact(trainedGate('m', { certified: 0.5 })) }
    const by = async (name: string, mocks: readonly [MockOptions]) =>
      (await cascade(t, { learned: { artefact: { name } } }, mocks, { artefacts })).by()
    assert.equal(await by('gates', sure), 'a')
    assert.equal(await by('gates', unsure), 'b')
    assert.equal(await by('others', sure), 'b', 'without the artefact no cheap answer is trusted')
  },
  'ModelRoute spec.rules[].gate.learned.threshold': async (t) => {
    const artefacts = { gates: gateArtefact(trainedGate('m')) }
    const by = async (learned: object, words: string) =>
      (
        await cascade(t, { learned: { artefact: { name: 'gates' }, ...learned } }, [{ faults: [says(words)] }], {
          artefacts,
        })
      ).by()
    assert.equal(await by({ threshold: '0.5' }, 'It is 42.'), 'a')
    assert.equal(await by({ threshold: '0.01' }, 'It is 42.'), 'b')
    assert.equal(await by({ threshold: '0.5' }, 'Maybe it is 42.'), 'b')
    assert.equal(await by({}, 'It is 42.'), 'b', 'nothing is certified')
  },
  'ModelRoute spec.rules[].gate.agreement.samples': async (t) => {
    for (const samples of [2, 3]) {
      const { a, endpoint } = await asides(t, { agreement: { samples } }, {})
      assert.deepEqual([endpoint, a.stats().requests], ['a', samples])
    }
  },
  'ModelRoute spec.rules[].gate.agreement.with.endpoint.name': async (t) => {
    const other = marks('The answer is 41.')
    assert.equal((await asides(t, { agreement: { with: { endpoint: { name: 'c' } } } }, other)).endpoint, 'b')
    assert.equal((await asides(t, { agreement: {} }, other)).endpoint, 'a')
  },
  'ModelRoute spec.rules[].gate.agreement.with.endpoint.namespace': (t) =>
    elsewhere(t, (endpoint) => ({ agreement: { with: { endpoint } } }), 'The answer is 41.'),
  'ModelRoute spec.rules[].gate.agreement.with.endpoint.model': (t) =>
    several(t, (endpoint) => ({ agreement: { with: { endpoint } } }), 'The answer is 41.'),
  'ModelRoute spec.rules[].gate.judge.endpoint.name': async (t) => {
    assert.equal((await asides(t, judge(), marks('2'))).endpoint, 'b')
    assert.equal((await asides(t, judge({ endpoint: { name: 'b' } }), marks('2'))).endpoint, 'a')
  },
  'ModelRoute spec.rules[].gate.judge.endpoint.namespace': (t) => elsewhere(t, (endpoint) => judge({ endpoint }), '2'),
  'ModelRoute spec.rules[].gate.judge.endpoint.model': (t) => several(t, (endpoint) => judge({ endpoint }), '2'),
  'ModelRoute spec.rules[].gate.judge.percent': async (t) => {
    const asked = async (percent: number) => {
      const { c, by } = await asides(t, judge({ percent }), marks('9'))
      for (let i = 1; i < 30; i++) await by()
      return c.stats().requests
    }
    assert.equal(await asked(100), 30)
    assert.ok((await asked(1)) < 15)
  },
  'ModelRoute spec.rules[].gate.judge.bar': async (t) => {
    assert.equal((await asides(t, judge({ bar: 8 }), marks('7'))).endpoint, 'b')
    assert.equal((await asides(t, judge({ bar: 7 }), marks('7'))).endpoint, 'a')
  },
  'ModelRoute spec.rules[].gate.judge.prompt': async (t) => {
    const { c } = await asides(t, judge({ prompt: 'Be strict.' }), marks('9'))
    assert.match(c.requests()[0]?.body ?? '', /Be strict\./)
    const { c: usual } = await asides(t, judge(), marks('9'))
    assert.match(usual.requests()[0]?.body ?? '', /You grade answers/)
  },
  'ModelRoute spec.rules[].gate.maxEscalations': async (t) => {
    assert.equal(await (await cascade(t, { maxEscalations: 0 })).by(), 'a')
    assert.equal(await (await cascade(t, { maxEscalations: 1 })).by(), 'b')
  },
  'ModelRoute spec.rules[].gate.budget.request': async (t) => {
    assert.equal(await (await cascade(t, { budget: { request: '0.0001' } })).by(), 'a')
    assert.equal(await (await cascade(t, { budget: { request: '0.01' } })).by(), 'b')
  },
  'ModelRoute spec.rules[].gate.budget.multiple': async (t) => {
    assert.equal(await (await cascade(t, { budget: { multiple: 5 } })).by(), 'a')
    assert.equal(await (await cascade(t, { budget: { multiple: 50 } })).by(), 'b')
  },
  'ModelRoute spec.rules[].speculate.band.from': async (t) => {
    assert.equal(await speculation(t, { band: { from: '0.3' }, percent: 100 }, 0.6), 1)
    assert.equal(await speculation(t, { band: { from: '0.5' }, percent: 100 }, 0.6), 0)
    assert.equal(await speculation(t, undefined, 0.6), 0)
  },
  'ModelRoute spec.rules[].speculate.band.to': async (t) => {
    assert.equal(await speculation(t, { band: { to: '0.7' }, percent: 100 }, 0.4), 1)
    assert.equal(await speculation(t, { band: { to: '0.5' }, percent: 100 }, 0.4), 0)
  },
  'ModelRoute spec.rules[].speculate.percent': async (t) => {
    assert.equal(await speculation(t, { percent: 100 }, 0.6, 3), 3)
    assert.ok((await speculation(t, { percent: 1 }, 0.6, 3)) < 3)
  },
}

type Reference = { readonly name: string; readonly namespace?: string; readonly model?: string }

/** An endpoint of another namespace, which lets the route in, finds against the answer; one of that name in the route’s own does not. */
async function elsewhere(t: TestContext, gate: (endpoint: Reference) => object, against: string): Promise<void> {
  const [other] = await upstreams(t, marks(against))
  const all = { namespaces: { from: 'All' } }
  const endpoints = {
    'shared/c': at(other.url, { models: [rung(2)], allowedRoutes: all, allowCredentialUse: all }),
  }
  const agreeing = [{ faults: [says('The answer is 42.')] }, {}, marks('The answer is 42. I give it 9')] as const
  const own = await cascade(t, gate({ name: 'c' }), agreeing, { endpoints: {} })
  assert.equal(await own.by(), 'a')
  const [a, b] = await upstreams(t, agreeing[0], {})
  const { ask } = await sidecar(t, {
    endpoints: { a: at(a.url, { models: [rung(0)] }), b: at(b.url, { models: [rung(1)] }), ...endpoints },
    routes: { chat: chat([to('a'), to('b', { priority: 1 })], { gate: gate({ name: 'c', namespace: 'shared' }) }) },
  })
  assert.equal((await ask()).endpoint, 'b')
}

/** Of an endpoint of two models, the one that is named is asked; with none named, the reference does not resolve, and nobody is. */
async function several(t: TestContext, gate: (endpoint: Reference) => object, against: string): Promise<void> {
  const c = { models: [rung(2), { ...rung(2), name: 'n' }] }
  const named = await asides(t, gate({ name: 'c', model: 'n' }), marks(against), { c })
  assert.equal(named.endpoint, 'b')
  assert.equal(named.c.requests()[0]?.model, 'n')
  assert.equal((await asides(t, gate({ name: 'c' }), marks(against), { c })).endpoint, 'a')
}
