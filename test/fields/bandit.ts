import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, sidecar, to } from './setting.ts'

type Arm = 'weak' | 'strong'

interface Options {
  /** What their endpoints say of their quality; left out: nothing. */
  readonly quality?: Readonly<Record<Arm, string>>
  /** Of the strong one; the weak one costs 1. */
  readonly price?: string
  /** Of the weak one's answers, ms. */
  readonly latency?: number
  readonly caller?: object
}

const CODE = 'def f(x):\n  return {x: [x_1; x_2]}\n`code`; y == {}; z = {a_b: 1};'
const TALK = 'Please write a friendly letter to my grandmother about the garden and the weather'

/** A route over a weak and a strong model that learns from what it is told of its answers. */
async function learner(t: TestContext, bandit: object, { quality, price = '2', latency, caller }: Options = {}) {
  const [weak, strong] = await upstreams(t, { faults: latency ? [`stall-headers=${latency}`] : [] }, {})
  const model = (rank: number, input: string, said: string | undefined) => ({
    models: [{ name: 'm', rank, price: { input, output: input }, ...(said ? { quality: { default: said } } : {}) }],
  })
  const { ask, send } = await sidecar(t, {
    endpoints: {
      weak: at(weak.url, model(1, '1', quality?.weak)),
      strong: at(strong.url, model(2, price, quality?.strong)),
    },
    routes: {
      chat: chat([to('weak'), to('strong')], { strategy: { type: 'Bandit', bandit } }, caller ? { caller } : {}),
      weak: chat([to('weak')], {}, { models: ['weak'] }),
    },
  })
  let asked = 0
  /** Asks so often, and scores each answer where there is something to say of it; how many the weak one gave, of one request. */
  const share = async (
    times: number,
    score?: (arm: Arm, text: string) => number,
    { text = 'Hello', headers = {} }: { text?: string; headers?: Record<string, string> } = {},
  ) => {
    let count = 0
    for (let i = 0; i < times; i++) {
      const id = `r${asked++}`
      const fields = { messages: [{ role: 'user', content: text }] }
      const { endpoint, status } = await ask({ fields, headers: { 'x-request-id': id, ...headers } })
      assert.equal(status, 200)
      const arm = endpoint as Arm // of one of the two
      if (arm === 'weak') count++
      if (score) assert.equal((await send('/v1/feedback', { request_id: id, score: score(arm, text) })).status, 200)
    }
    return count / times
  }
  return { share, warm: () => ask({ model: 'weak' }) }
}

/** Nothing is explored but what a test asks for. */
const still = { spendPercent: 100, leastPercent: 0, epsilonPercent: 0, firstRewards: 0 }
const certain = { quality: { weak: '0.9', strong: '0.95' } }

export const bandit: Coverage = {
  'ModelRoute spec.rules[].strategy.bandit.algorithm': async (t) => {
    const shares = async (algorithm: string) => {
      const settings = { algorithm, lambda: '0.5', explore: { ...still, firstRewards: 10 } }
      const { share } = await learner(t, settings, certain)
      const score = (arm: Arm, text: string) => (arm === 'strong' || text === TALK ? 1 : 0)
      for (let i = 0; i < 80; i++) await share(1, score, { text: i % 2 ? CODE : TALK })
      return [await share(20, undefined, { text: TALK }), await share(20, undefined, { text: CODE })] as const
    }
    const [talk, code] = await shares('LinTS')
    assert.ok(talk > 0.7 && code < 0.3, `${talk} ${code}`)
    const [one, other] = await shares('EpsilonGreedy')
    assert.ok(Math.abs(one - other) < 0.4, `${one} ${other}: it knows one quality for each`)
  },
  'ModelRoute spec.rules[].strategy.bandit.floor': async (t) => {
    const weak = async (floor: string) => {
      const { share } = await learner(t, { algorithm: 'Thompson', floor, explore: { ...still, firstRewards: 8 } })
      for (let seen = 0; seen < 8; seen += Math.round(10 * (await share(10, () => 0.9))));
      return share(20)
    }
    assert.ok((await weak('0.5')) > 0.7)
    assert.ok((await weak('0.95')) < 0.3)
  },
  'ModelRoute spec.rules[].strategy.bandit.lambda': async (t) => {
    const weak = async (lambda: string) => {
      const { share } = await learner(t, { algorithm: 'LinUCB', lambda, explore: still }, certain)
      return share(10)
    }
    assert.equal(await weak('0.01'), 0)
    assert.equal(await weak('1'), 1)
  },
  'ModelRoute spec.rules[].strategy.bandit.slo': async (t) => {
    const weak = async (slo: object) => {
      const settings = { algorithm: 'LinUCB', lambda: '0.5', explore: still, ...slo }
      const { share, warm } = await learner(t, settings, { ...certain, latency: 400 })
      await warm()
      return share(1)
    }
    assert.equal(await weak({}), 1)
    assert.equal(await weak({ slo: '100ms' }), 0)
  },
  'ModelRoute spec.rules[].strategy.bandit.halfLife': async (t) => {
    const weak = async (halfLife: number) => {
      const settings = { algorithm: 'EpsilonGreedy', lambda: '0.5', halfLife, explore: still }
      const { share } = await learner(t, settings, certain)
      await share(100, () => 1)
      await share(40, (arm) => (arm === 'weak' ? 0 : 1))
      return share(5)
    }
    assert.equal(await weak(20), 0)
    assert.equal(await weak(1_000_000), 1)
  },
  'ModelRoute spec.rules[].strategy.bandit.explore.spendPercent': async (t) => {
    const weak = async (spendPercent: number) => {
      const settings = {
        algorithm: 'EpsilonGreedy',
        lambda: '1',
        explore: { ...still, epsilonPercent: 50, spendPercent },
      }
      return (await learner(t, settings, certain)).share(100)
    }
    assert.equal(await weak(0), 1)
    assert.ok((await weak(100)) < 1)
  },
  'ModelRoute spec.rules[].strategy.bandit.explore.leastPercent': async (t) => {
    const weak = async (leastPercent: number) => {
      const settings = { algorithm: 'LinUCB', lambda: '1', explore: { ...still, leastPercent } }
      return (await learner(t, settings, certain)).share(300)
    }
    assert.equal(await weak(0), 1)
    assert.ok((await weak(5)) < 1)
  },
  'ModelRoute spec.rules[].strategy.bandit.explore.epsilonPercent': async (t) => {
    const weak = async (epsilonPercent: number) => {
      const settings = { algorithm: 'EpsilonGreedy', lambda: '1', explore: { ...still, epsilonPercent } }
      return (await learner(t, settings, certain)).share(100)
    }
    assert.equal(await weak(0), 1)
    assert.ok((await weak(50)) < 1)
  },
  'ModelRoute spec.rules[].strategy.bandit.explore.firstRewards': async (t) => {
    const weak = async (firstRewards: number) =>
      (await learner(t, { algorithm: 'EpsilonGreedy', lambda: '1', explore: { ...still, firstRewards } })).share(40)
    assert.equal(await weak(0), 1, 'nothing is asked for, so the cheaper one is as good')
    assert.ok((await weak(1000)) < 0.5, 'the strong one, until the other has shown what it is')
  },
  'ModelRoute spec.rules[].strategy.bandit.explore.exceptTiers[]': async (t) => {
    const explore = { ...still, epsilonPercent: 50, exceptTiers: ['enterprise'] }
    const caller = { tier: { header: 'x-tier', default: 'free' } }
    const { share } = await learner(t, { algorithm: 'EpsilonGreedy', lambda: '1', explore }, { ...certain, caller })
    assert.ok((await share(100)) < 1)
    assert.equal(await share(50, undefined, { headers: { 'x-tier': 'enterprise' } }), 1)
  },
}
