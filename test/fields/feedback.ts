import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, sidecar, to } from './setting.ts'

const QUESTION = 'Where is the parcel that I ordered on Monday last week?'
const NEAR = 'Where is the parcel that I ordered on Tuesday last week?'

/** Two models, of which the weak one is cheaper; `ask` says which one answered. */
async function two(t: TestContext, feedback: object | undefined, rule: object = {}) {
  const [weak, strong] = await upstreams(t, {}, {})
  const model = (rank: number, input: string) => ({
    models: [{ name: 'm', rank, quality: { default: '0.9' }, price: { input, output: input } }],
  })
  const { ask, send } = await sidecar(t, {
    endpoints: { weak: at(weak.url, model(1, '1')), strong: at(strong.url, model(2, '10')) },
    routes: {
      chat: chat([to('weak'), to('strong')], {
        strategy: { type: 'LeastCost' },
        ...(feedback ? { feedback } : {}),
        ...rule,
      }),
    },
  })
  let asked = 0
  const say = async (text: string, headers: Record<string, string> = {}, before: readonly string[] = []) => {
    const id = `r${++asked}`
    const turns = before.flatMap((it) => [
      { role: 'user', content: it },
      { role: 'assistant', content: 'Well.' },
    ])
    const messages = [...turns, { role: 'user', content: text }]
    const { endpoint } = await ask({ fields: { messages }, headers: { 'x-request-id': id, ...headers } })
    return { id, endpoint }
  }
  const rate = async (id: string, rating: unknown = 'bad') => {
    const answer = await send('/v1/feedback', { request_id: id, rating })
    assert.equal(answer.status, 200, answer.text)
  }
  return { say, rate }
}

/** Who answers a request after the answer to another was rated badly. */
async function after(t: TestContext, feedback: object | undefined, text: string, rule: object = {}) {
  const { say, rate } = await two(t, feedback ?? {}, rule)
  const { id, endpoint } = await say(QUESTION)
  assert.equal(endpoint, 'weak')
  if (feedback) await rate(id)
  return (await say(text)).endpoint
}

export const feedback: Coverage = {
  'ModelRoute spec.rules[].feedback.upgrade.for': async (t) => {
    assert.equal(await after(t, {}, QUESTION), 'strong')
    const { say, rate } = await two(t, { upgrade: { for: '200ms' } })
    await rate((await say(QUESTION)).id)
    await eventually(async () => assert.equal((await say(QUESTION)).endpoint, 'weak'))
  },
  'ModelRoute spec.rules[].feedback.upgrade.halfLife': async (t) => {
    const { say, rate } = await two(t, { upgrade: { halfLife: '500ms' } })
    await rate((await say(QUESTION)).id)
    await eventually(async () => assert.equal((await say(QUESTION)).endpoint, 'weak'))
  },
  'ModelRoute spec.rules[].feedback.upgrade.bar': async (t) => {
    assert.equal(await after(t, { upgrade: { bar: '0.3' } }, QUESTION), 'weak')
    assert.equal(await after(t, { upgrade: { bar: '0.1' } }, QUESTION), 'strong')
  },
  'ModelRoute spec.rules[].feedback.upgrade.similar[]': async (t) => {
    assert.equal(await after(t, { upgrade: { similar: ['Text'] } }, NEAR), 'weak')
    assert.equal(await after(t, { upgrade: { similar: ['Near'] } }, NEAR), 'strong')
    assert.equal(await after(t, { upgrade: { similar: ['Task'] } }, 'Hello'), 'strong')
  },
  'ModelRoute spec.rules[].feedback.upgrade.nearness': async (t) => {
    assert.equal(await after(t, { upgrade: { nearness: '0.95' } }, NEAR), 'weak')
    assert.equal(await after(t, { upgrade: { nearness: '0.4' } }, NEAR), 'strong')
  },
  'ModelRoute spec.rules[].feedback.implicit[]': async (t) => {
    const upgrade = { bar: '0.1' }
    const said = async (implicit: object, text: string) => {
      const { say } = await two(t, { upgrade, ...implicit })
      await say(QUESTION)
      return (await say(text, {}, [QUESTION])).endpoint
    }
    assert.equal(await said({}, QUESTION), 'weak')
    assert.equal(await said({ implicit: ['Repeat'] }, QUESTION), 'strong')
    assert.equal(await said({ implicit: ['Repeat'] }, 'No, that is wrong.'), 'weak')
    assert.equal(await said({ implicit: ['Correction'] }, 'No, that is wrong.'), 'strong')
    assert.equal(await said({ implicit: ['Correction'] }, QUESTION), 'weak')
  },
}
