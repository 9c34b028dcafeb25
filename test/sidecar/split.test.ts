import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { once } from 'node:events'
import { test } from 'node:test'
import type { IncomingMessage } from 'node:http'
import type { CompiledTarget } from '../../api/compiled.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

const body = '{"model":"chat","messages":[{"role":"user","content":"Hi"}]}'

/** Asks over kept connections, and tells which endpoint answered each. */
async function asked(port: number, count: number, headers: (i: number) => Record<string, string> = () => ({})) {
  const agent = new Agent({ keepAlive: true })
  const answers: string[] = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const i = next++
      const outgoing = request({ port, path: '/v1/chat/completions', method: 'POST', agent, headers: headers(i) })
      outgoing.end(body)
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
      answer.resume()
      await once(answer, 'end')
      answers[i] = `${answer.statusCode} ${String(answer.headers['x-tradewind-endpoint'])}`
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  agent.destroy()
  return answers
}

const count = (answers: readonly string[], name: string) => answers.filter((it) => it === `200 ai/${name}`).length

async function two(t: Parameters<typeof dataPath>[0], targets: readonly CompiledTarget[], sticky?: string) {
  const mocks = await upstreams(t, { keep: 0 }, { keep: 0 })
  const [a, b] = mocks
  const endpoints = [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)]
  const config = (next: readonly CompiledTarget[]) => ({
    routes: [route('chat', [rule(next, sticky ? { sticky: { header: sticky } } : {})])],
    endpoints,
  })
  const sidecar = await dataPath(t, config(targets))
  return { a, b, ...sidecar, weigh: (next: readonly CompiledTarget[]) => sidecar.apply(config(next)) }
}

test('split: shares are exact, and weight 0 is exactly nothing', async (t) => {
  const { port, weigh } = await two(t, [target('a', { weight: 90 }), target('b', { weight: 10 })])
  const first = await asked(port, 3000)
  assert.ok(Math.abs(count(first, 'a') - 2700) <= 6, `${count(first, 'a')} of 3000`)
  assert.equal(count(first, 'a') + count(first, 'b'), 3000)
  weigh([target('a', { weight: 0 }), target('b', { weight: 3 })])
  assert.equal(count(await asked(port, 300), 'b'), 300)
})

test('split: sticky keys stay, and a raised weight moves only what it must', async (t) => {
  const { port, weigh } = await two(t, [target('a', { weight: 95 }), target('b', { weight: 5 })], 'X-Conversation')
  const key = (i: number) => ({ 'x-conversation': `conversation-${i % 1000}` })
  const first = await asked(port, 2000, key)
  assert.deepEqual(first.slice(0, 1000), first.slice(1000), 'the same key, the same target')
  const before = count(first.slice(0, 1000), 'b')
  assert.ok(before > 20 && before < 85, `${before} of 1000 at 5 %`)
  weigh([target('a', { weight: 90 }), target('b', { weight: 10 })])
  const second = await asked(port, 1000, key)
  const moved = second.filter((it, i) => it !== first[i]).length
  assert.equal(moved, count(second, 'b') - before, 'keys move only to what was raised')
  assert.ok(moved > 15 && moved < 95, `${moved} of 1000 moved`)
})

test('split: a rule is found by model, header and path, the first that matches', async (t) => {
  const [a, b] = await upstreams(t, {}, {})
  const { port, url } = await dataPath(t, {
    routes: [
      route(
        'chat',
        [
          rule([target('b')], {
            name: 'gold',
            matches: [{ headers: [{ name: 'x-tier', type: 'Exact', value: 'gold' }] }],
          }),
          rule([target('b')], {
            name: 'embeddings',
            matches: [{ headers: [], path: { type: 'Exact', value: '/v1/embeddings' } }],
          }),
          rule([target('a')], { name: 'some', matches: [{ headers: [], model: { value: 'ch', prefix: true } }] }),
        ],
        { models: ['chat', 'other'] },
      ),
    ],
    endpoints: [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)],
  })
  assert.deepEqual(await asked(port, 2, (i) => ({ 'x-tier': i ? 'gold' : 'silver' })), ['200 ai/a', '200 ai/b'])
  const embeddings = await fetch(`${url}/embeddings`, { method: 'POST', body: '{"model":"chat","input":"x"}' })
  assert.equal(embeddings.headers.get('x-tradewind-rule'), 'embeddings')
  const other = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{"model":"other","messages":[]}' })
  assert.equal(other.status, 404)
  assert.match(await other.text(), /rule_not_found/)
})

test('split: an exact model beats any, a selective route a wide one, an older one a younger', async (t) => {
  const [a, b] = await upstreams(t, {}, {})
  const endpoints = [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)]
  const { port, apply } = await dataPath(t)
  const wide = route('wide', [rule([target('a')])], { models: ['*'] })
  apply({
    routes: [wide, route('exact', [rule([target('b')])], { models: ['chat'], created: 1_800_000_000_000 })],
    endpoints,
  })
  assert.deepEqual(await asked(port, 1), ['200 ai/b'])
  apply({
    routes: [
      route('old', [rule([target('a')])], { models: ['chat'], created: 1 }),
      route('selective', [rule([target('b')])], { models: ['chat'], selective: true }),
    ],
    endpoints,
  })
  assert.deepEqual(await asked(port, 1), ['200 ai/b'])
  apply({
    routes: [
      route('young', [rule([target('a')])], { models: ['chat'], created: 2 }),
      route('old', [rule([target('b')])], { models: ['chat'], created: 1 }),
    ],
    endpoints,
  })
  assert.deepEqual(await asked(port, 1), ['200 ai/b'])
})

const missing = { reason: 'EndpointNotFound', message: 'ModelEndpoint ai/gone does not exist.' }
const gone = (rest: Partial<CompiledTarget> = {}) => target('gone', { unavailable: missing, ...rest })

test('split: the share of a target that does not resolve goes to the others, or fails', async (t) => {
  const [a] = await upstreams(t, {})
  const endpoints = [endpoint('a', `${a.url}/v1`)]
  const { port, apply, url } = await dataPath(t)
  apply({ routes: [route('chat', [rule([target('a'), gone()])])], endpoints })
  assert.equal(count(await asked(port, 20), 'a'), 20)
  apply({ routes: [route('chat', [rule([target('a'), gone()], { onUnavailable: 'Fail' })])], endpoints })
  const half = await asked(port, 100)
  assert.ok(Math.abs(count(half, 'a') - 50) <= 2)
  assert.equal(half.filter((it) => it.startsWith('500')).length, 100 - count(half, 'a'))
  apply({ routes: [route('chat', [rule([gone()])])], endpoints })
  const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
  assert.equal(answer.status, 500)
  assert.match(await answer.text(), /ai\/chat.*ai\/gone.*EndpointNotFound.*"no_target"/)
  apply({ routes: [route('chat', [rule([target('a', { weight: 0 })])])], endpoints })
  const zero = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
  assert.equal(zero.status, 500)
  const text = await zero.text()
  assert.match(text, /all_weights_zero/)
  assert.match(text, /ai\/chat/)
})

test('split: the share of a dead target goes to the others, or fails', async (t) => {
  const [a, b] = await upstreams(t, {}, { faults: ['status=500'] })
  const breaker = { ...endpoint('a', '').breaker, consecutive: 1, openFor: 60_000 }
  const endpoints = [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`, { breaker })]
  const { port, apply } = await dataPath(t)
  apply({ routes: [route('chat', [rule([target('a'), target('b')])])], endpoints })
  assert.equal(count(await asked(port, 40), 'a'), 40)
  assert.ok(b.stats().requests >= 1 && b.stats().requests <= 16, 'once it is known to be dead it is not asked')
  apply({ routes: [route('chat', [rule([target('a'), target('b')], { onUnavailable: 'Fail' })])], endpoints })
  const half = await asked(port, 100)
  assert.ok(Math.abs(count(half, 'a') - 50) <= 2)
  assert.equal(half.filter((it) => it.startsWith('503')).length, 100 - count(half, 'a'))
})

test('split: a dead target is passed over for a lower priority whatever fallback has; what a target did say is not', async (t) => {
  const [a, b, c] = await upstreams(t, { faults: ['status=500'] }, { faults: ['status=400'] }, {})
  const breaker = { ...endpoint('a', '').breaker, consecutive: 2, openFor: 60_000 }
  const endpoints = [
    endpoint('a', `${a.url}/v1`, { breaker }),
    endpoint('b', `${b.url}/v1`, { breaker, maxInFlight: 1 }),
    endpoint('c', `${c.url}/v1`),
  ]
  const fallback = { when: [] }
  const over = (...names: readonly string[]) => ({
    routes: [
      route('chat', [
        rule(
          names.map((name, priority) => target(name, { priority })),
          { fallback },
        ),
      ]),
    ],
    endpoints,
  })
  const { url, apply } = await dataPath(t, over('a', 'c'))
  const ask = async () => {
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
    await answer.arrayBuffer()
    return `${answer.status} ${String(answer.headers.get('x-tradewind-endpoint'))}`
  }
  for (let i = 0; i < 2; i++) assert.equal(await ask(), '500 ai/a', 'it was asked, and that is the answer')
  for (let i = 0; i < 4; i++) assert.equal(await ask(), '200 ai/c')
  assert.equal(a.stats().requests, 2, 'an open breaker lets nothing through')
  apply(over('a', 'b', 'c'))
  assert.equal(await ask(), '400 ai/b')
  await b.setFaults(['stall-headers'])
  const held = fetch(`${url}/v1/chat/completions`, { method: 'POST', body, signal: AbortSignal.timeout(2000) })
  const ended = assert.rejects(held)
  await eventually(() => assert.equal(b.stats().requests, 2))
  assert.equal(await ask(), '200 ai/c', 'one that is full was not asked either')
  await ended
})

test('split: LeastLatency asks the faster one', async (t) => {
  const [a, b] = await upstreams(t, { latency: '60ms' }, { latency: '1ms' })
  const { port } = await dataPath(t, {
    routes: [route('chat', [rule([target('a'), target('b')], { strategy: { type: 'LeastLatency' } })])],
    endpoints: [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)],
  })
  const answers = await asked(port, 300)
  assert.ok(count(answers, 'b') > 240, `${count(answers, 'b')} of 300`)
})
