import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { says } from '../helpers/ladder.ts'
import { Router } from '../helpers/router.ts'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, sidecar, to } from './setting.ts'

const promise = { strong: 'strong', weak: 'weak', threshold: 0.4, expires: '2999-01-01' }
const router = new Router({ weak: { chat: 0.9 }, strong: { chat: 0.9 } }, promise)
const known = router.example('chat')

/** A request costs 30 tokens at most with either; the strong model is as dear as is said. */
const model = (name: string, rank: number, price: string | undefined) => ({
  models: [{ name, rank, ...(price === undefined ? {} : { price: { input: price, output: price } }) }],
})

/** After so many requests: how often the model that did not answer them was asked, and the judge. */
async function audited(
  t: TestContext,
  audit: object | undefined,
  {
    text = known,
    times = 1,
    price = undefined as string | undefined,
    judged = true,
    until = (asked: number) => asked > 0,
  } = {},
) {
  const [a, b, c] = await upstreams(
    t,
    { faults: [says('The answer is 42.')] },
    { faults: [says('The answer is 42.')] },
    { faults: [says('8')] },
  )
  const { ask } = await sidecar(t, {
    endpoints: {
      a: at(a.url, model('weak', 0, price)),
      b: at(b.url, model('strong', 1, price)),
      c: at(c.url, { models: [{ name: 'm' }, { name: 'other' }] }),
    },
    routes: {
      chat: chat([to('a'), to('b')], {
        strategy: { type: 'Classifier', classifier: { artefact: { name: 'router' }, floor: '0.05' } },
        ...(audit
          ? { audit: { ...audit, ...(judged ? { judge: { endpoint: { name: 'c', model: 'm' } }, ...audit } : {}) } }
          : {}),
      }),
    },
    artefacts: { router: router.bytes },
  })
  let other = b
  for (let i = 0; i < times; i++) {
    const { endpoint } = await ask({ fields: { messages: [{ role: 'user', content: text }] } })
    other = endpoint === 'a' ? b : a
  }
  await eventually(() => assert.ok(until(other.stats().requests), String(other.stats().requests)))
  return { asked: other.stats().requests, judge: c }
}

const none = { until: () => true }

export const audit: Coverage = {
  'ModelRoute spec.rules[].audit.percent': async (t) => {
    await audited(t, { percent: 100 }, { times: 5, until: (asked) => asked === 5 })
    // At 1 of 100 all of 20 would not be drawn in the age of the universe.
    assert.ok((await audited(t, { percent: 1 }, { times: 20, ...none })).asked < 20)
    assert.equal((await audited(t, undefined, { times: 20, ...none })).asked, 0)
  },
  'ModelRoute spec.rules[].audit.novelPercent': async (t) => {
    const novel = { text: 'Übersetze bitte diesen Absatz über Gletscherkunde.', times: 10 }
    await audited(t, { novelPercent: 100 }, { ...novel, until: (asked) => asked >= 8 })
    assert.equal((await audited(t, { novelPercent: 0 }, { ...novel, ...none })).asked, 0)
  },
  'ModelRoute spec.rules[].audit.spendPercent': async (t) => {
    const share = async (spendPercent: number) =>
      (await audited(t, { percent: 100, spendPercent }, { times: 40, price: '1', ...none })).asked
    const [all, few] = [await share(100), await share(5)]
    assert.ok(few <= 8 && all >= 2 * few, `${all} ${few}`)
  },
  'ModelRoute spec.rules[].audit.judge.endpoint.name': async (t) => {
    const by = async (judged: boolean) => (await audited(t, { percent: 100 }, { judged })).judge
    const judge = await by(true)
    await eventually(() => assert.equal(judge.stats().requests, 2))
    assert.equal((await by(false)).stats().requests, 0)
  },
  'ModelRoute spec.rules[].audit.judge.endpoint.namespace': async (t) => {
    const { judge } = await audited(t, {
      percent: 100,
      judge: { endpoint: { name: 'c', namespace: 'ai', model: 'm' } },
    })
    await eventually(() => assert.equal(judge.stats().requests, 2))
    // One that cannot be asked: nothing is compared by anything else.
    const elsewhere = { name: 'c', namespace: 'elsewhere', model: 'm' }
    const { asked } = await audited(t, { percent: 100, judge: { endpoint: elsewhere } }, none)
    assert.equal(asked, 0)
  },
  'ModelRoute spec.rules[].audit.judge.endpoint.model': async (t) => {
    for (const name of ['m', 'other']) {
      const { judge } = await audited(t, { percent: 100, judge: { endpoint: { name: 'c', model: name } } })
      await eventually(() => assert.match(judge.requests().at(-1)?.body ?? '', new RegExp(`"model":"${name}"`)))
    }
  },
  'ModelRoute spec.rules[].audit.judge.prompt': async (t) => {
    const words = async (prompt: object) => {
      const endpoint = { name: 'c', model: 'm' }
      const { judge } = await audited(t, { percent: 100, judge: { endpoint, ...prompt } })
      await eventually(() => assert.equal(judge.stats().requests, 2))
      return judge.requests()[0]?.body ?? ''
    }
    assert.match(await words({ prompt: 'Say 0 to 10, as a pirate.' }), /pirate/)
    assert.doesNotMatch(await words({}), /pirate/)
  },
}
