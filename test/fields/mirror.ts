import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Mock, MockOptions } from '../../cli/mock/server.ts'
import { eventually } from '../helpers/eventually.ts'
import { says } from '../helpers/ladder.ts'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, sidecar, to } from './setting.ts'

interface Shape {
  readonly times?: number
  /** At once, or one after another. */
  readonly together?: boolean
  /** Of the candidate, USD for a million tokens; that of what answers is 1. */
  readonly price?: string
  readonly fields?: Readonly<Record<string, unknown>>
  readonly candidate?: MockOptions
  readonly until?: (candidate: Mock) => boolean
}

/** What comes of requests that `a` answers, `b` is a candidate for and `c` may judge; resolves when `until` holds of the candidate. */
async function mirrored(t: TestContext, mirror: object | undefined, shape: Shape = {}) {
  const { times = 1, together = false, price = '0', fields = {}, until = (it) => it.stats().requests > 0 } = shape
  const [a, b, c] = await upstreams(
    t,
    { faults: [says('The answer is 42.')] },
    { faults: [says('The answer is 42.')], ...shape.candidate },
    { faults: [says('8')] },
  )
  const models = (...all: readonly (readonly [name: string, price: string])[]) => ({
    models: all.map(([name, each]) => ({ name, price: { input: each, output: each } })),
  })
  const budget = { spendPercent: 1000 }
  const { ask } = await sidecar(t, {
    endpoints: {
      a: at(a.url, models(['m', '1'])),
      b: at(b.url, models(['m', price], ['other', price])),
      c: at(c.url, models(['m', '0'], ['other', '0'])),
    },
    routes: {
      chat: chat(
        [to('a')],
        mirror && { mirror: { target: { name: 'b', model: 'm' }, percent: 100, budget, ...mirror } },
      ),
    },
  })
  const one = async () => assert.equal((await ask({ fields: { max_tokens: 10, ...fields } })).endpoint, 'a')
  if (together) await Promise.all(Array.from({ length: times }, one))
  else for (let i = 0; i < times; i++) await one()
  await eventually(() => assert.ok(until(b), String(b.stats().requests)))
  return { asked: b.stats().requests, candidate: b, judge: c }
}

const none = { until: () => true }
const judged = (rest: object = {}) => ({ judge: { endpoint: { name: 'c', model: 'm' }, percent: 100, ...rest } })

export const mirror: Coverage = {
  'ModelRoute spec.rules[].mirror.target.name': async (t) => {
    assert.equal((await mirrored(t, {})).asked, 1)
    assert.equal((await mirrored(t, undefined, none)).asked, 0)
  },
  'ModelRoute spec.rules[].mirror.target.namespace': async (t) => {
    await mirrored(t, { target: { name: 'b', namespace: 'ai', model: 'm' } })
    const { asked } = await mirrored(t, { target: { name: 'b', namespace: 'elsewhere', model: 'm' } }, none)
    assert.equal(asked, 0)
  },
  'ModelRoute spec.rules[].mirror.target.model': async (t) => {
    for (const model of ['m', 'other']) {
      const { candidate } = await mirrored(t, { target: { name: 'b', model } })
      assert.match(candidate.requests()[0]?.body ?? '', new RegExp(`"model":"${model}"`))
    }
  },
  'ModelRoute spec.rules[].mirror.percent': async (t) => {
    const all = { times: 20, until: (it: Mock) => it.stats().requests === 20 }
    await mirrored(t, { percent: 100 }, all)
    // At 1 of 100 all of 20 would not be drawn in the age of the universe.
    assert.ok((await mirrored(t, { percent: 1 }, { times: 20, ...none })).asked < 20)
    assert.equal((await mirrored(t, { percent: 0 }, { times: 20, ...none })).asked, 0)
  },
  'ModelRoute spec.rules[].mirror.budget.usdPerSidecarHour': async (t) => {
    // The worst case of a request is some 1,150 tokens: a dollar for a million of them.
    const within = async (usdPerSidecarHour: string) =>
      (await mirrored(t, { budget: { usdPerSidecarHour } }, { times: 30, price: '1', ...none })).asked
    assert.equal(await within('0.0001'), 0)
    await mirrored(t, { budget: { usdPerSidecarHour: '9999' } }, { times: 30, price: '1' })
  },
  'ModelRoute spec.rules[].mirror.budget.spendPercent': async (t) => {
    const fields = { messages: [{ role: 'user', content: 'word '.repeat(400) }] }
    const share = async (spendPercent: number) =>
      (await mirrored(t, { budget: { spendPercent } }, { times: 40, price: '1', fields, ...none })).asked
    const [much, little] = [await share(1000), await share(5)]
    assert.ok(little <= 4 && much > 20, `${much} ${little}`)
  },
  'ModelRoute spec.rules[].mirror.maxTokens': async (t) => {
    for (const maxTokens of [7, 9]) {
      const fields = { max_tokens: undefined }
      const { candidate } = await mirrored(t, { maxTokens }, { fields })
      assert.match(candidate.requests()[0]?.body ?? '', new RegExp(`"max_tokens":${maxTokens}`))
    }
  },
  'ModelRoute spec.rules[].mirror.maxConcurrent': async (t) => {
    for (const maxConcurrent of [1, 3]) {
      const until = (it: Mock) => it.stats().requests === maxConcurrent
      const hangs = { candidate: { faults: ['stall-headers'] }, times: 10, together: true, until }
      assert.equal((await mirrored(t, { maxConcurrent }, hangs)).asked, maxConcurrent)
    }
  },
  'ModelRoute spec.rules[].mirror.judge.endpoint.name': async (t) => {
    const { judge } = await mirrored(t, judged())
    await eventually(() => assert.equal(judge.stats().requests, 2))
    assert.equal((await mirrored(t, {})).judge.stats().requests, 0)
  },
  'ModelRoute spec.rules[].mirror.judge.endpoint.namespace': async (t) => {
    const { judge } = await mirrored(t, judged({ endpoint: { name: 'c', namespace: 'ai', model: 'm' } }))
    await eventually(() => assert.equal(judge.stats().requests, 2))
    // The mirror goes on without marks.
    const elsewhere = await mirrored(t, judged({ endpoint: { name: 'c', namespace: 'elsewhere', model: 'm' } }))
    assert.equal(elsewhere.judge.stats().requests, 0)
  },
  'ModelRoute spec.rules[].mirror.judge.endpoint.model': async (t) => {
    for (const model of ['m', 'other']) {
      const { judge } = await mirrored(t, judged({ endpoint: { name: 'c', model } }))
      await eventually(() => assert.match(judge.requests().at(-1)?.body ?? '', new RegExp(`"model":"${model}"`)))
    }
  },
  'ModelRoute spec.rules[].mirror.judge.percent': async (t) => {
    const marks = async (percent: number) => {
      const all = { times: 20, until: (it: Mock) => it.stats().requests === 20 }
      return (await mirrored(t, judged({ percent }), all)).judge
    }
    const judge = await marks(100)
    await eventually(() => assert.equal(judge.stats().requests, 40))
    assert.ok((await marks(1)).stats().requests < 40)
  },
  'ModelRoute spec.rules[].mirror.judge.prompt': async (t) => {
    const words = async (prompt: object) => {
      const { judge } = await mirrored(t, judged(prompt))
      await eventually(() => assert.equal(judge.stats().requests, 2))
      return judge.requests()[0]?.body ?? ''
    }
    assert.match(await words({ prompt: 'Say 0 to 10, as a pirate.' }), /pirate/)
    assert.doesNotMatch(await words({}), /pirate/)
  },
}
