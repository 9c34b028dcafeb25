import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Router } from '../helpers/router.ts'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, sidecar, to } from './setting.ts'
import type { Asking } from './setting.ts'

/** Three models, each better and dearer than the one before. */
const ladder = {
  small: { rank: 1, quality: { default: '0.7' }, price: { input: '0.10', output: '0.40' } },
  middle: { rank: 2, quality: { default: '0.85' }, price: { input: '1.00', output: '4.00' } },
  strong: { rank: 3, quality: { default: '0.95' }, price: { input: '5.00', output: '20.00' } },
}
type Rung = keyof typeof ladder
const rungs = Object.keys(ladder) as Rung[] // its own keys

interface Options {
  readonly models?: Partial<Record<Rung, object>>
  readonly rule?: object
  readonly asking?: Asking
  readonly artefacts?: Readonly<Record<string, Uint8Array>>
  /** Of the answers of each, ms. */
  readonly latency?: Partial<Record<Rung, number>>
  /** How often each is asked beforehand by its own route, so that its latency is known. */
  readonly before?: number
}

/** Which of the three answers, with that changed of their models and of the rule. */
async function first(t: TestContext, options: Options): Promise<Rung> {
  return (await asked(t, options)).endpoint as Rung // of an endpoint of the ladder
}

async function asked(t: TestContext, { models = {}, rule = {}, asking, artefacts, latency = {}, before = 0 }: Options) {
  const mocks = await upstreams(
    t,
    ...rungs.map((rung) => ({ faults: latency[rung] ? [`stall-headers=${latency[rung]}`] : [] })),
  )
  const { ask } = await sidecar(t, {
    endpoints: Object.fromEntries(
      mocks.map(({ url }, i) => {
        const rung = rungs[i] ?? 'small'
        return [rung, at(url, { models: [{ name: 'm', ...ladder[rung], ...models[rung] }] })]
      }),
    ),
    routes: {
      chat: chat(
        rungs.map((rung) => to(rung)),
        rule,
      ),
      ...Object.fromEntries(rungs.map((rung) => [rung, chat([to(rung)], {}, { models: [rung] })])),
    },
    ...(artefacts ? { artefacts } : {}),
  })
  for (let i = 0; i < before; i++) for (const rung of rungs) assert.equal((await ask({ model: rung })).status, 200)
  const answer = await ask(asking)
  assert.ok(answer.status === 200 || answer.code !== '', answer.text)
  return answer
}

const leastCost = (settings: object = {}) => ({ strategy: { type: 'LeastCost', leastCost: settings } })
const leastLatency = (settings: object = {}) => ({ strategy: { type: 'LeastLatency', leastLatency: settings } })
const headed: Asking = { headers: { 'x-vip': 'yes' } }
/** A rule with an adjustment for requests that carry a header, and what answers them with it and without. */
async function adjusted(
  t: TestContext,
  adjustment: object,
  settings: object = { floor: '0.8' },
): Promise<readonly [Rung, Rung]> {
  const when = { headers: [{ name: 'x-vip', type: 'Present' }] }
  const rule = { ...leastCost(settings), adjust: [{ when, ...adjustment }] }
  return [await first(t, { rule, asking: headed }), await first(t, { rule })]
}

/** The code of the error that requests with the header get. */
async function refused(t: TestContext, adjustment: object): Promise<string> {
  const when = { headers: [{ name: 'x-vip', type: 'Present' }] }
  return (await asked(t, { rule: { ...leastCost(), adjust: [{ when, ...adjustment }] }, asking: headed })).code
}

const acceptable = {
  small: { math: 0.2, chat: 0.9 },
  middle: { math: 0.7, chat: 0.9 },
  strong: { math: 0.95, chat: 0.95 },
}
const router = new Router(acceptable)
const classify = (settings: object) => ({
  strategy: { type: 'Classifier', classifier: { artefact: { name: 'router' }, ...settings } },
})
const artefacts = { router: router.bytes }
const heads = rungs.map((rung) => ({ model: rung, head: rung }))
/** Models by their own names, which are those of the heads. */
const named = Object.fromEntries(rungs.map((rung) => [rung, { name: rung }]))
const question = (text: string): Asking => ({ fields: { messages: [{ role: 'user', content: text }] } })

export const decide: Coverage = {
  'ModelEndpoint spec.models[].quality.default': async (t) => {
    assert.equal(await first(t, { rule: leastCost({ floor: '0.8' }) }), 'middle')
    const better = { small: { quality: { default: '0.9' } } }
    assert.equal(await first(t, { rule: leastCost({ floor: '0.8' }), models: better }), 'small')
  },
  'ModelEndpoint spec.models[].quality.tasks{}': async (t) => {
    const models = { small: { quality: { default: '0.7', tasks: { greeting: '0.99' } } } }
    const rule = leastCost({ floor: '0.8' })
    assert.equal(await first(t, { rule, models }), 'middle')
    assert.equal(await first(t, { rule, models, asking: { headers: { 'x-tradewind-task': 'greeting' } } }), 'small')
  },
  'ModelEndpoint spec.models[].capabilities.input[]': async (t) => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
    const asking = { fields: { messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, image] }] } }
    const models = { small: { capabilities: { input: ['Text'] } } }
    assert.equal(await first(t, { rule: leastCost(), asking }), 'small')
    assert.equal(await first(t, { rule: leastCost(), asking, models }), 'middle')
    assert.equal(await first(t, { rule: leastCost(), models }), 'small')
  },
  'ModelRoute spec.rules[].strategy.leastLatency.slo': async (t) => {
    const latency = { small: 1200, middle: 600 }
    assert.equal(await first(t, { rule: leastLatency(), latency, before: 2 }), 'strong')
    assert.equal(await first(t, { rule: leastLatency({ slo: '10s' }), latency, before: 2 }), 'small')
  },
  'ModelRoute spec.rules[].strategy.leastCost.floor': async (t) => {
    assert.equal(await first(t, { rule: leastCost() }), 'small')
    assert.equal(await first(t, { rule: leastCost({ floor: '0.9' }) }), 'strong')
  },
  'ModelRoute spec.rules[].strategy.leastCost.lambda': async (t) => {
    assert.equal(await first(t, { rule: leastCost({ lambda: '0.01' }) }), 'strong')
    assert.equal(await first(t, { rule: leastCost({ lambda: '0.2' }) }), 'middle')
  },
  'ModelRoute spec.rules[].strategy.leastCost.slo': async (t) => {
    const latency = { small: 400 }
    assert.equal(await first(t, { rule: leastCost(), latency, before: 1 }), 'small')
    assert.equal(await first(t, { rule: leastCost({ slo: '100ms' }), latency, before: 1 }), 'middle')
  },
  'ModelRoute spec.rules[].strategy.classifier.artefact.name': async (t) => {
    const rule = classify({ floor: '0.6', heads })
    const ask = (text: string, name = 'router') =>
      first(t, { rule, models: named, artefacts: { [name]: router.bytes }, asking: question(text) })
    assert.equal(await ask(router.example('chat')), 'small')
    assert.equal(await ask(router.example('math')), 'middle')
    // Without what it was to decide by, it is not cheap.
    assert.equal(await ask(router.example('chat'), 'other'), 'strong')
  },
  'ModelRoute spec.rules[].strategy.classifier.heads[].model': async (t) => {
    const asking = question(router.example('math'))
    const one = (model: string) =>
      first(t, {
        rule: classify({ floor: '0.6', heads: [{ model, head: 'strong' }] }),
        models: named,
        artefacts,
        asking,
      })
    assert.equal(await one('small'), 'small')
    assert.equal(await one('middle'), 'middle')
  },
  'ModelRoute spec.rules[].strategy.classifier.heads[].head': async (t) => {
    const asking = question(router.example('math'))
    const one = (head: string) =>
      first(t, {
        rule: classify({ floor: '0.6', heads: [{ model: 'small', head }] }),
        models: named,
        artefacts,
        asking,
      })
    assert.equal(await one('small'), 'middle')
    assert.equal(await one('middle'), 'small')
  },
  'ModelRoute spec.rules[].strategy.classifier.promises': async (t) => {
    const certified = { strong: 'strong', weak: 'middle', threshold: 0.45, expires: '2999-01-01' }
    const { bytes } = new Router(acceptable, certified)
    const ask = (text: string, settings: object = {}, made = bytes) =>
      asked(t, { rule: classify(settings), models: named, artefacts: { router: made }, asking: question(text) })
    // Whatever is cheaper, only what is promised answers, and only requests that it is promised for.
    const kept = await ask(router.example('chat'))
    assert.deepEqual([kept.endpoint, kept.reason], ['middle', 'classifier'])
    const unsure = await ask(router.example('math'))
    assert.deepEqual([unsure.endpoint, unsure.reason], ['strong', 'unsure'])
    const novel = await ask('Übersetze bitte diesen Absatz über Gletscherkunde.')
    assert.deepEqual([novel.endpoint, novel.reason], ['strong', 'novel'])
    const old = await ask(
      router.example('chat'),
      {},
      new Router(acceptable, { ...certified, expires: '2026-01-02' }).bytes,
    )
    assert.deepEqual([old.endpoint, old.reason], ['strong', 'expired'])
    assert.equal((await ask(router.example('math'), { promises: 'Ignore' })).endpoint, 'small')
  },
  'ModelRoute spec.rules[].strategy.classifier.floor': async (t) => {
    const asking = question(router.example('math'))
    assert.equal(await first(t, { rule: classify({ floor: '0.6' }), models: named, artefacts, asking }), 'middle')
    assert.equal(await first(t, { rule: classify({ floor: '0.9' }), models: named, artefacts, asking }), 'strong')
  },
  'ModelRoute spec.rules[].strategy.classifier.lambda': async (t) => {
    const asking = question(router.example('math'))
    assert.equal(await first(t, { rule: classify({ lambda: '10' }), models: named, artefacts, asking }), 'small')
    assert.equal(await first(t, { rule: classify({ lambda: '0.01' }), models: named, artefacts, asking }), 'strong')
  },
  'ModelRoute spec.rules[].strategy.classifier.slo': async (t) => {
    const options = {
      models: named,
      artefacts,
      asking: question(router.example('chat')),
      latency: { small: 400 },
      before: 1,
    }
    assert.equal(await first(t, { ...options, rule: classify({ floor: '0.6' }) }), 'small')
    assert.equal(await first(t, { ...options, rule: classify({ floor: '0.6', slo: '100ms' }) }), 'middle')
  },
  'ModelRoute spec.rules[].adjust[].minRank': async (t) => {
    assert.deepEqual(await adjusted(t, { minRank: 3 }), ['strong', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].maxRank': async (t) => {
    assert.deepEqual(await adjusted(t, { maxRank: 1 }), ['small', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].floor': async (t) => {
    assert.deepEqual(await adjusted(t, { floor: '0.9' }), ['strong', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].lambda': async (t) => {
    assert.deepEqual(await adjusted(t, { lambda: '0' }), ['strong', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].allow[].name': async (t) => {
    assert.deepEqual(await adjusted(t, { allow: [{ name: 'small' }] }), ['small', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].allow[].model': async (t) => {
    assert.deepEqual(await adjusted(t, { allow: [{ name: 'small', model: 'm' }] }), ['small', 'middle'])
    assert.equal(await refused(t, { allow: [{ name: 'small', model: 'other' }] }), 'target_not_allowed')
  },
  'ModelRoute spec.rules[].adjust[].allow[].namespace': async (t) => {
    assert.deepEqual(await adjusted(t, { allow: [{ name: 'small', namespace: 'ai' }] }), ['small', 'middle'])
    assert.equal(await refused(t, { allow: [{ name: 'small', namespace: 'other' }] }), 'target_not_allowed')
  },
  'ModelRoute spec.rules[].adjust[].deny[].name': async (t) => {
    assert.deepEqual(await adjusted(t, { deny: [{ name: 'middle' }] }), ['strong', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].deny[].model': async (t) => {
    assert.deepEqual(await adjusted(t, { deny: [{ name: 'middle', model: 'm' }] }), ['strong', 'middle'])
    assert.deepEqual(await adjusted(t, { deny: [{ name: 'middle', model: 'other' }] }), ['middle', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].deny[].namespace': async (t) => {
    assert.deepEqual(await adjusted(t, { deny: [{ name: 'middle', namespace: 'ai' }] }), ['strong', 'middle'])
    assert.deepEqual(await adjusted(t, { deny: [{ name: 'middle', namespace: 'other' }] }), ['middle', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].boost[].name': async (t) => {
    assert.deepEqual(await adjusted(t, { boost: [{ name: 'small', by: '0.2' }] }), ['small', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].boost[].model': async (t) => {
    assert.deepEqual(await adjusted(t, { boost: [{ name: 'small', model: 'm', by: '0.2' }] }), ['small', 'middle'])
    assert.deepEqual(await adjusted(t, { boost: [{ name: 'small', model: 'n', by: '0.2' }] }), ['middle', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].boost[].namespace': async (t) => {
    assert.deepEqual(await adjusted(t, { boost: [{ name: 'small', namespace: 'ai', by: '0.2' }] }), ['small', 'middle'])
    assert.deepEqual(await adjusted(t, { boost: [{ name: 'small', namespace: 'b', by: '0.2' }] }), ['middle', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].boost[].by': async (t) => {
    assert.deepEqual(await adjusted(t, { boost: [{ name: 'middle', by: '-0.1' }] }), ['strong', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].pin.name': async (t) => {
    assert.deepEqual(await adjusted(t, { pin: { name: 'strong' } }), ['strong', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].pin.model': async (t) => {
    assert.deepEqual(await adjusted(t, { pin: { name: 'strong', model: 'm' } }), ['strong', 'middle'])
    assert.deepEqual(await adjusted(t, { pin: { name: 'strong', model: 'n' } }), ['middle', 'middle'])
  },
  'ModelRoute spec.rules[].adjust[].pin.namespace': async (t) => {
    assert.deepEqual(await adjusted(t, { pin: { name: 'strong', namespace: 'ai' } }), ['strong', 'middle'])
    assert.deepEqual(await adjusted(t, { pin: { name: 'strong', namespace: 'b' } }), ['middle', 'middle'])
  },
}
