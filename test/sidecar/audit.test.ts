import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledRule } from '../../api/compiled.ts'
import { seeded } from '../../core/learning/random.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { ask, gate, said } from '../helpers/ladder.ts'
import { Router } from '../helpers/router.ts'
import { completion, event, json, scripted } from '../helpers/scripted.ts'

type Audit = NonNullable<CompiledRule['audit']>

interface Shape {
  /** The judge's mark for the cheap model's answer; the strong one's is 9. */
  readonly mark?: () => number
  /** What both say. */
  readonly weak?: () => string
  readonly strong?: (response: ServerResponse) => void
  readonly audit?: Partial<Audit> | undefined
  readonly rule?: Partial<CompiledRule>
  readonly priced?: boolean
  readonly threshold?: number
}

const CHEAP = 'Cheap words.'
const STRONG = 'Strong words.'

/** What it says, streamed where a stream was asked for. */
function says(response: ServerResponse, body: string, text: string): void {
  if (!body.includes('"stream":true'))
    return json(response, completion(text, { prompt_tokens: 10, completion_tokens: 10 }))
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const word of text.split(/(?<= )/)) response.write(event({ content: word }))
  response.end(`${event({}, 'stop')}data: [DONE]\n\n`)
}

/** A cheap model `a` and a strong one `b` behind a certificate, and a judge `c`. */
async function promised(t: TestContext, shape: Shape = {}) {
  const { mark = () => 9, weak = () => CHEAP, audit, priced = false, threshold = 0.4 } = shape
  const cheap = await scripted(t, (response, body) => says(response, body, weak()))
  const strong = await scripted(t, (response, body) =>
    shape.strong ? shape.strong(response) : says(response, body, STRONG),
  )
  const judge = await scripted(t, (response, body) =>
    says(response, body, body.includes(CHEAP) ? `${mark()}/10` : '9/10'),
  )
  const promise = { strong: 'b-model', weak: 'a-model', threshold, expires: '2999-01-01' }
  const router = new Router({ 'a-model': { chat: 0.9 }, 'b-model': { chat: 0.9 } }, promise)
  const prices = (rank: number) =>
    priced ? { prices: [{ price: { input: String(10 ** rank), output: String(10 ** rank) } }] } : {}
  const settings: Audit = {
    ...{ percent: 100, novelPercent: 100, spendPercent: 100 },
    judge: { by: { endpoint: 'ai/c', model: 'c-model' } },
    ...audit,
  }
  const partsOf = (timeout: object = {}, more: Partial<CompiledRule> = { audit: settings }) => ({
    routes: [
      route(
        'chat',
        [
          rule([target('a'), target('b')], {
            strategy: { type: 'Classifier', settings: { artefact: { name: 'router' }, floor: '0.05' } },
            ...more,
            ...shape.rule,
          }),
        ],
        timeout,
      ),
    ],
    endpoints: [cheap, strong, judge].map(({ url }, rank) => {
      const name = ['a', 'b', 'c'][rank] ?? ''
      return endpoint(name, url, {
        models: [{ name: `${name}-model`, rank, defaults: {}, force: {}, ...prices(rank) }],
      })
    }),
    artefacts: { 'ai/router': { artefact: Buffer.from(router.bytes).toString('base64') } },
  })
  const sidecar = await dataPath(t, partsOf())
  const chat = router.example('chat')
  const one = (text = chat, more: object = {}) =>
    ask(sidecar.url, { body: { messages: [{ role: 'user', content: text }] }, ...more })
  const { audits } = sidecar.telemetry
  /** Until so many requests were audited, or were to be. */
  const audited = (count: number) => eventually(() => assert.equal(audits.length, count))
  return { ...sidecar, partsOf, one, audits, audited, cheap, strong, judge }
}

for (const stream of [false, true])
  test(`audit: ${stream ? 'streamed' : 'whole'}: the caller has the cheap answer before the strong model is asked, and nothing of the audit is in it`, async (t) => {
    let asked: ServerResponse | undefined
    const { one, audits, audited, telemetry, judge } = await promised(t, { strong: (response) => (asked = response) })
    const { by, text, answer } = await one(undefined, { stream })
    assert.equal(by, 'ai/a')
    assert.match(stream ? said(text) : text, /Cheap words\./)
    assert.equal(answer.headers['x-tradewind-attempts'], '1')
    // It has all of its answer, and its request is over, while the strong one has yet to say a word.
    await eventually(() => assert.ok(asked))
    assert.equal(telemetry.exchanges.length, 1)
    assert.deepEqual(
      telemetry.exchanges[0]?.attempts.map(({ why }) => why),
      ['chosen'],
    )
    assert.equal(audits.length, 0)
    if (asked) says(asked, stream ? '"stream":true' : '', STRONG)
    await audited(1)
    const [audit] = audits
    assert.deepEqual(
      [audit?.id, audit?.kind, audit?.own, audit?.other, audit?.outcome, audit?.by],
      [telemetry.exchanges[0]?.requestId, 'kept', 'ai/a a-model', 'ai/b b-model', 'compared', 'Judge'],
    )
    assert.deepEqual(audit?.quality, { own: 0.9, other: 0.9 })
    assert.match(audit?.version ?? '', /^[0-9a-f]{64}$/)
    assert.deepEqual(
      telemetry.attempts.map(({ why, endpoint: by }) => [why, by]),
      [
        ['chosen', 'ai/a'],
        ['audit', 'ai/b'],
        ['audit', 'ai/c'],
        ['audit', 'ai/c'],
      ],
    )
    assert.equal(judge.requests(), 2)
  })

test('audit: as many requests are audited as the share says', async (t) => {
  const { one, audits, path } = await promised(t, { audit: { percent: 10 } })
  Object.assign(path.deps, { random: seeded(11) })
  for (let i = 0; i < 400; i++) assert.equal((await one()).by, 'ai/a')
  await eventually(() => assert.ok(audits.length >= 20 && audits.length <= 65, String(audits.length)))
})

test('audit: a promise that is kept is not alarmed about', async (t) => {
  const random = seeded(7)
  // What is lost is at the edge of what was promised, 0.02 ÷ 0.5 of the requests that stay cheap.
  const { one, audits, path } = await promised(t, { mark: () => (random() < 0.04 ? 0 : 9) })
  Object.assign(path.deps, { random: seeded(12) })
  for (let i = 0; i < 500; i++) assert.equal((await one()).by, 'ai/a')
  await eventually(() => assert.ok(audits.filter(({ outcome }) => outcome === 'compared').length >= 400))
  assert.ok(audits.every(({ verdict }) => !verdict?.alarm))
})

test('audit: where the cheap model has become worse, it alarms, and the strong one answers', async (t) => {
  let mark = 9
  const { one, audits, telemetry } = await promised(t, { mark: () => mark })
  for (let i = 0; i < 50; i++) assert.equal((await one()).by, 'ai/a')
  mark = 3
  let asked = 0
  while ((await one()).by === 'ai/a') assert.ok(++asked < 500)
  const alarmed = audits.find(({ verdict }) => verdict?.alarm)
  assert.ok((alarmed?.verdict?.alarm?.evidence ?? 0) >= 20)
  assert.equal(alarmed?.verdict?.threshold, Infinity)
  await eventually(() => assert.equal(telemetry.exchanges.at(-1)?.reason, 'alarmed'))
  const before = telemetry.attempts.filter(({ why }) => why === 'audit').length
  for (let i = 0; i < 20; i++) assert.equal((await one()).by, 'ai/b')
  assert.ok(
    telemetry.attempts.filter(({ why }) => why === 'audit').length <= before + 30,
    'nothing is left to be audited',
  )
})

test('audit: an alarm outlives an edit of the route, its removal and its artefact’s', async (t) => {
  const { one, apply, partsOf } = await promised(t, { mark: () => 1 })
  let asked = 0
  while ((await one()).by === 'ai/a') assert.ok(++asked < 500)
  assert.deepEqual(apply(partsOf({ requestTimeout: 5000 })), [])
  assert.equal((await one()).by, 'ai/b')
  assert.deepEqual(apply({}), [])
  assert.equal((await one()).status, 404)
  assert.deepEqual(apply(partsOf()), [])
  assert.equal((await one()).by, 'ai/b')
})

test('audit: a request that is like nothing known has the cheap answer compared, and no promise hears of it', async (t) => {
  const { one, audits, audited } = await promised(t, { mark: () => 2 })
  assert.equal((await one('Novel: ∫ x² dx over [0, 3]; prove it by {induction}')).by, 'ai/b')
  await audited(1)
  const [audit] = audits
  assert.deepEqual(
    [audit?.kind, audit?.own, audit?.other, audit?.quality, audit?.verdict],
    ['novel', 'ai/b b-model', 'ai/a a-model', { own: 0.9, other: 0.2 }, undefined],
  )
})

test('audit: without a judge answers are compared by what they come to; what comes to nothing short is not', async (t) => {
  let weak = 'So the answer is 42.'
  const long = 'x'.repeat(200)
  let strong = 'Thus: \\boxed{42}'
  const shape: Shape = {
    weak: () => weak,
    strong: (response) => says(response, '', strong),
    audit: { judge: undefined },
  }
  const { one, audits, audited } = await promised(t, shape)
  await one()
  await audited(1)
  weak = 'The answer is 41.'
  await one()
  await audited(2)
  strong = weak = long
  await one()
  await audited(3)
  assert.deepEqual(
    audits.map(({ outcome, by, quality }) => [outcome, by, quality?.own]),
    [
      ['compared', 'Agreement', 1],
      ['compared', 'Agreement', 0],
      ['incomparable', 'Agreement', undefined],
    ],
  )
})

test('audit: a strong model that fails is no loss, and no failure of the request', async (t) => {
  const { one, audits, audited } = await promised(t, { strong: (response) => json(response, { error: {} }, 400) })
  assert.equal((await one()).status, 200)
  await audited(1)
  assert.deepEqual([audits[0]?.outcome, audits[0]?.verdict], ['failed', undefined])
})

test('audit: audits cost no more than their part of what is spent', async (t) => {
  const { one, audits, telemetry } = await promised(t, { priced: true, audit: { spendPercent: 50 } })
  for (let i = 0; i < 200; i++) await one()
  await eventually(() => assert.equal(audits.length, 200))
  const cost = (of: boolean) =>
    telemetry.attempts.reduce((sum, { why, cost: own = 0 }) => sum + ((why === 'audit') === of ? own : 0), 0)
  const [longest] = audits
    .map(({ attempts }) => attempts.reduce((sum, it) => sum + (it.cost ?? 0), 0))
    .toSorted((x, y) => y - x)
  assert.ok(cost(true) > 0 && cost(true) <= 0.5 * cost(false) + (longest ?? 0) * 8, `${cost(true)} of ${cost(false)}`)
  assert.ok(audits.some(({ outcome }) => outcome === 'unaffordable'))
})

test('audit: no more than eight are under way, each ends at the deadline, and all when the sidecar stops', async (t) => {
  const held: ServerResponse[] = []
  const { one, audits, apply, partsOf, path, strong } = await promised(t, {
    strong: (response) => void held.push(response),
  })
  assert.deepEqual(apply(partsOf({ requestTimeout: 1000 })), [])
  for (let i = 0; i < 12; i++) await one()
  assert.deepEqual(audits.map(({ outcome }) => outcome).filter((it) => it === 'busy').length, 4)
  await eventually(() => assert.equal(held.length, 8))
  await eventually(() => assert.equal(audits.filter(({ outcome }) => outcome === 'failed').length, 8))
  assert.ok(audits.flatMap(({ attempts }) => attempts).every(({ code }) => code === 'request_timeout'))
  assert.deepEqual(apply(partsOf({ requestTimeout: 600_000 })), [])
  await one()
  await eventually(() => assert.equal(strong.requests(), 9))
  await path.drain()
  await eventually(() => assert.equal(audits.at(-1)?.attempts[0]?.code, 'draining'))
})

test('audit: what the gate has escalated is no loss: the caller has the strong answer', async (t) => {
  const refuses = { weak: () => "I'm sorry, but I can't help with that.", rule: { gate: gate() } }
  const { one, audits, audited, strong } = await promised(t, refuses)
  assert.equal((await one()).by, 'ai/b')
  await audited(1)
  assert.deepEqual([audits[0]?.by, audits[0]?.quality, strong.requests()], ['Escalation', { own: 1, other: 1 }, 1])
})

test('audit: by the gate’s judge where a rule has one, and not at all where it has neither', async (t) => {
  const judge = { by: { endpoint: 'ai/c', model: 'c-model' }, percent: 1, bar: 1 }
  const { one, audits, apply, partsOf, path } = await promised(t)
  Object.assign(path.deps, { random: () => 0.015 })
  assert.deepEqual(apply(partsOf({}, { gate: gate({ judge }) })), [])
  await one()
  await eventually(() => assert.equal(audits.at(-1)?.by, 'Judge'))
  assert.deepEqual(apply(partsOf({}, {})), [])
  await one()
  await one()
  assert.equal(audits.length, 1)
})
