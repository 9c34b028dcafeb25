import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledRule } from '../../api/compiled.ts'
import { endpoint, route, rule, target } from '../helpers/data-path.ts'
import { observed } from '../helpers/observed.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstreams } from '../helpers/upstream.ts'

const feedback: CompiledRule['feedback'] = {
  within: 3_600_000,
  halfLife: 18_000_000,
  bar: '0.2',
  similar: ['Text', 'Conversation', 'Near'],
  nearness: '0.6',
  implicit: [],
}

/** A weak and a strong model, the decision log in a file. */
async function sidecar(t: TestContext, rest: Partial<CompiledRule> = {}, content = false) {
  const mocks = await upstreams(t, {}, {})
  const directory = scratch('feedback')
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'decisions.jsonl')
  const names = ['weak', 'strong']
  const { url, admin, journal } = await observed(
    t,
    {
      routes: [
        route(
          'chat',
          [
            rule(
              names.map((name) => target(name)),
              { strategy: { type: 'LeastCost', settings: {} }, feedback, ...rest },
            ),
          ],
          content ? { decisions: { percent: 100, content: { percent: 100, redact: ['A-[0-9]+'] } } } : {},
        ),
      ],
      endpoints: mocks.map(({ url: base }, rank) => {
        const price = { input: `${rank + 1}`, output: `${rank + 1}` }
        const name = names[rank] ?? ''
        const model = { name: `${name}-model`, rank, quality: { default: '0.9' }, defaults: {}, force: {} }
        return endpoint(name, `${base}/v1`, { models: [{ ...model, prices: [{ price }] }] })
      }),
    },
    Math.random,
    { to: ['file'], file: { path, size: 1e6, keep: 0 } },
  )
  const ask = async (id: string, text = 'Where is the parcel?', stream = false, more: Record<string, string> = {}) => {
    const body = JSON.stringify({ model: 'chat', stream, messages: [{ role: 'user', content: text }] })
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body,
      headers: { 'x-request-id': id, ...more },
    })
    await answer.text()
    return [answer.headers.get('x-tradewind-endpoint'), answer.headers.get('x-tradewind-reason')]
  }
  const say = async (body: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await fetch(`${url}/v1/feedback`, { method: 'POST', body: text })
    const said = (await answer.json()) as Record<string, unknown> & { error?: { code: string; message: string } }
    return { status: answer.status, said }
  }
  const lines = async () => {
    await journal.stop()
    return readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>) // each line is an object
  }
  return { ask, say, lines, admin }
}

test('feedback: a bad rating upgrades the next of its kind at once, with a reason; a good one takes that back', async (t) => {
  const { ask, say, lines, admin } = await sidecar(t)
  assert.deepEqual(await ask('one'), ['ai/weak', 'least_cost'])
  const { status, said } = await say({ request_id: 'one', rating: 'bad', label: 'too short' })
  assert.equal(status, 200)
  assert.deepEqual(said, {
    request_id: 'one',
    reward: 0,
    upgraded: true,
    learnt: false,
    route: 'ai/chat',
    rule: 'all',
    target: 'ai/weak weak-model',
  })
  assert.deepEqual(await ask('two', 'Where is the  PARCEL?', true), ['ai/strong', 'feedback'])
  assert.deepEqual(await ask('three', 'Write a poem about the sea in winter.'), ['ai/weak', 'least_cost'])
  assert.equal((await say({ request_id: 'one', score: 1 })).said['upgraded'], false)
  assert.deepEqual(await ask('four'), ['ai/weak', 'least_cost'])
  const metrics = await (await fetch(`${admin}/metrics`)).text()
  for (const verdict of ['good', 'bad'])
    assert.match(
      metrics,
      new RegExp(`tradewind_feedback_total\\{[^}]*model="weak-model"[^}]*verdict="${verdict}"\\} 1`),
    )
  const log = await lines()
  const [bad, good] = log.filter(({ msg }) => msg === 'feedback')
  assert.deepEqual([bad?.['id'], bad?.['rating'], bad?.['label'], bad?.['reward']], ['one', 'bad', 'too short', 0])
  assert.deepEqual([good?.['id'], good?.['score'], good?.['reward']], ['one', 1, 1])
  const two = log.find(({ id, msg }) => id === 'two' && msg === 'decision')
  assert.equal(two?.['reason'], 'feedback')
})

test('feedback: with the stronger target gone, an upgrade keeps nobody from an answer', async (t) => {
  const { ask, say } = await sidecar(t)
  await ask('one')
  await say({ request_id: 'one', rating: 1 })
  assert.deepEqual(await ask('two'), ['ai/strong', 'feedback'])
  // The strongest there is was bad, too.
  await say({ request_id: 'two', rating: 'bad' })
  assert.deepEqual(await ask('three'), ['ai/strong', 'feedback'])
})

test('feedback: of an answer that is not known it says so, and writes it down to be joined', async (t) => {
  const { say, lines } = await sidecar(t)
  const { status, said } = await say({ request_id: 'elsewhere', rating: 'bad' })
  assert.deepEqual([status, said.error?.code], [404, 'decision_unknown'])
  const [line] = await lines()
  assert.deepEqual([line?.['msg'], line?.['id'], line?.['rating']], ['feedback', 'elsewhere', 'bad'])
})

test('feedback: what is none is refused with what it takes', async (t) => {
  const { ask, say } = await sidecar(t)
  await ask('one')
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{}, /request_id must be/],
    [{ request_id: 'one' }, /at least one of/],
    [{ request_id: 'one', rating: 'fine' }, /"good", "bad" or a whole number/],
    [{ request_id: 'one', rating: 6 }, /"good", "bad" or a whole number/],
    [{ request_id: 'one', score: 1.5 }, /from 0 to 1/],
    [{ request_id: 'one', label: '' }, /label must be/],
    [{ request_id: 'one', correction: 7 }, /correction must be/],
    [{ request_id: 'one', rating: 'bad', stars: 1 }, /no field "stars"/],
  ]
  for (const [body, why] of cases) {
    const { status, said } = await say(body)
    assert.deepEqual([status, said.error?.code], [400, 'invalid_request'], JSON.stringify(body))
    assert.match(said.error?.message ?? '', why)
  }
  assert.equal((await say('{"request_id"')).status, 400)
  assert.equal((await say('[]')).status, 400)
  const stars = await say({ request_id: 'one', rating: 4 })
  assert.equal(stars.said['reward'], 0.75)
  assert.equal((await say({ request_id: 'one', label: 'billing' })).said['reward'], undefined)
})

test('feedback: a correction is content: it is written down where the route has that, redacted, and nowhere else', async (t) => {
  const correction = 'It is order A-1234, of ann@example.org.'
  for (const content of [false, true]) {
    const { ask, say, lines } = await sidecar(t, {}, content)
    await ask('one')
    assert.equal((await say({ request_id: 'one', correction })).said['reward'], 0)
    const line = (await lines()).find(({ msg }) => msg === 'feedback')
    assert.equal(line?.['correction'], content ? 'It is order [redacted], of [redacted].' : undefined)
  }
})

test('feedback: a strategy that learns is rewarded', async (t) => {
  const settings = {
    algorithm: 'Thompson',
    lambda: '0.1',
    halfLife: 500,
    explore: { spendPercent: 2, leastPercent: 1, epsilonPercent: 5, firstRewards: 0 },
  }
  const { ask, say } = await sidecar(t, { strategy: { type: 'Bandit', settings } }, false)
  await ask('one')
  const { said } = await say({ request_id: 'one', rating: 'good' })
  assert.deepEqual([said['learnt'], said['upgraded'], said['reward']], [true, false, 1])
})

test('feedback: who asks the same again under one key was not helped; a retry of an SDK, and another key, say nothing', async (t) => {
  const heard = { ...feedback, bar: '0.1', implicit: ['Repeat' as const], similar: ['Conversation' as const] }
  const { ask, lines } = await sidecar(t, { feedback: heard, sticky: { header: 'x-user' } })
  const text = 'Where is the parcel that I have ordered?'
  const as = (user: string, more: Record<string, string> = {}) => ({ 'x-user': user, ...more })
  await ask('one', text, false, as('ann'))
  assert.deepEqual(await ask('two', text, false, as('bob')), ['ai/weak', 'least_cost'])
  const retried = as('ann', { 'x-stainless-retry-count': '1' })
  assert.deepEqual(await ask('three', text, false, retried), ['ai/weak', 'least_cost'])
  assert.deepEqual(await ask('four', 'Something else, then?', false, as('ann')), ['ai/weak', 'least_cost'])
  assert.deepEqual(await ask('five', 'something  else, THEN?', true, as('ann')), ['ai/strong', 'feedback'])
  const [line, ...more] = (await lines()).filter(({ msg }) => msg === 'feedback')
  assert.deepEqual([line?.['id'], line?.['implicit'], line?.['reward'], more.length], ['four', 'Repeat', undefined, 0])
})
