import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

async function ask(port: number, agent: Agent, stream: boolean): Promise<string> {
  const outgoing = request({ port, path: '/v1/chat/completions', method: 'POST', agent })
  outgoing.end(JSON.stringify({ model: 'chat', stream, messages: [{ role: 'user', content: 'Hi' }] }))
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  const whole = stream
    ? text.endsWith('data: [DONE]\n\n') && !text.includes('"error"')
    : text.includes('"finish_reason":"stop"')
  return `${answer.statusCode} ${whole ? 'whole' : text}`
}

test('swap: hundreds of edits under load, and not one request fails', async (t) => {
  const [a, b, c] = await upstreams(t, { tokens: 10, tokensPerSecond: 500 }, { tokens: 10 }, { tokens: 10 })
  const parts = (i: number) => ({
    routes: [
      route('chat', [
        rule([
          target('a', { weight: i % 3 === 0 ? 0 : 50 }),
          target('b', { weight: i % 3 === 0 ? 100 : 50 }),
          ...(i % 2 === 0 ? [target('c')] : []),
        ]),
      ]),
      ...(i % 5 === 0 ? [route(`other-${i}`, [rule([target('a')])])] : []),
    ],
    endpoints: [
      endpoint('a', `${a.url}/v1`),
      endpoint('b', `${b.url}/v1`, { maxInFlight: 1000 + i }),
      ...(i % 2 === 0 ? [endpoint('c', `${c.url}/v1`)] : []),
    ],
  })
  const { port, apply, path } = await dataPath(t, parts(1))
  const agent = new Agent({ keepAlive: true })
  const answers: string[] = []
  const stop = new AbortController()
  const workers = Array.from({ length: 24 }, async (_, i) => {
    while (!stop.signal.aborted) answers.push(await ask(port, agent, i % 2 === 0))
  })
  for (let i = 0; i < 300; i++) {
    assert.deepEqual(apply(parts(i)), [])
    await sleep(5)
  }
  stop.abort()
  await Promise.all(workers)
  agent.destroy()
  assert.deepEqual([...new Set(answers)], ['200 whole'])
  assert.ok(answers.length > 300)
  assert.equal(path.configuration.runtime?.endpoints.get('ai/a')?.load.inFlight, 0)
})

test('swap: a request goes by the configuration that it began with', async (t) => {
  const [a, b] = await upstreams(t, { faults: ['stall-headers=300ms'] }, {})
  const at = (name: 'a' | 'b') => ({
    routes: [route('chat', [rule([target(name)])])],
    endpoints: [name === 'a' ? endpoint('a', `${a.url}/v1`) : endpoint('b', `${b.url}/v1`)],
  })
  const { port, apply } = await dataPath(t, at('a'))
  const agent = new Agent()
  const first = ask(port, agent, false)
  await eventually(() => assert.equal(a.stats().open, 1))
  apply(at('b'))
  assert.equal(await ask(port, agent, false), '200 whole')
  assert.equal(await first, '200 whole')
  assert.deepEqual([a.stats().requests, b.stats().requests], [1, 1])
  await eventually(() => assert.equal(a.stats().connections, 0), { within: 2000 })
})

test('drain: what is in flight is answered, connections say that they close, new ones are not taken', async (t) => {
  const [a] = await upstreams(t, { tokens: 40, tokensPerSecond: 100 })
  const { port, path } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [endpoint('a', `${a.url}/v1`)],
  })
  const agent = new Agent({ keepAlive: true })
  const streams = [ask(port, agent, true), ask(port, agent, true)]
  await eventually(() => assert.equal(a.stats().open, 2))
  const drained = path.drain()
  await assert.rejects(ask(port, new Agent(), false), { code: 'ECONNREFUSED' })
  assert.deepEqual(await Promise.all(streams), ['200 whole', '200 whole'])
  await drained
  agent.destroy()
  await eventually(() => assert.equal(a.stats().connections, 0))
})
