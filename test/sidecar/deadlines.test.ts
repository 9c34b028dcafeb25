import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstreams } from '../helpers/upstream.ts'

const LONG = 60_000
const long = { connect: LONG, firstToken: LONG, idle: LONG, attempt: LONG }

async function ask(url: string, stream: boolean) {
  const from = performance.now()
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'chat', stream, messages: [{ role: 'user', content: 'Hello' }] }),
  })
  const text = await answer.text()
  const { error } = JSON.parse(/\{"error".*\}/.exec(text)?.[0] ?? '{}') as { error?: { code: string } }
  return { status: answer.status, code: error?.code, took: performance.now() - from, text }
}

/**
 * Asks until it took as long as it should: ± 50 ms is the promise, which a machine that does something else meanwhile may keep us from once,
 * but not each time.
 */
async function askFor(expected: number, url: string, stream: boolean) {
  const tried: number[] = []
  for (let i = 0; i < 6; i++) {
    const seen = await ask(url, stream)
    if (Math.abs(seen.took - expected) <= 50) return seen
    tried.push(Math.round(seen.took))
  }
  throw new Error(`${tried.join(', ')} ms, and ${expected} ms were asked for`)
}

const cases: [
  name: string,
  fault: string,
  stream: boolean,
  timeouts: Partial<typeof long>,
  request: number,
  code: string,
  status: number,
][] = [
  ['first token', 'stall-headers', true, { firstToken: 300 }, LONG, 'first_token_timeout', 504],
  [
    'first token, with the headers there',
    'stall-body,after=0',
    true,
    { firstToken: 300 },
    LONG,
    'first_token_timeout',
    504,
  ],
  ['idle', 'stall-body,after=2', true, { idle: 300 }, LONG, 'idle_timeout', 200],
  ['attempt, of a stream', 'stall-body,after=2', true, { attempt: 300 }, LONG, 'attempt_timeout', 200],
  ['attempt', 'stall-headers', false, { attempt: 300 }, LONG, 'attempt_timeout', 504],
  ['attempt, in the body', 'stall-body', false, { attempt: 300 }, LONG, 'attempt_timeout', 504],
  ['request', 'stall-headers', false, {}, 300, 'request_timeout', 504],
  ['request, of a stream', 'stall-body,after=2', true, {}, 300, 'request_timeout', 200],
]

for (const [name, fault, stream, timeouts, request, code, status] of cases)
  test(`deadlines: ${name}`, async (t) => {
    const [a] = await upstreams(t, { faults: [fault] })
    const { url } = await dataPath(t, {
      routes: [route('chat', [rule([target('a')])], { requestTimeout: request })],
      // One that timed out is asked all the same, since there is no other.
      endpoints: [endpoint('a', `${a.url}/v1`, { timeouts: { ...long, ...timeouts } })],
    })
    const seen = await askFor(300, url, stream)
    assert.equal(seen.code, code)
    assert.equal(seen.status, status)
  })

test('deadlines: connect, of a handshake that does not end', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => {}).resume())
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const { url } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [
      endpoint('a', `https://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`, {
        timeouts: { ...long, connect: 300 },
      }),
    ],
  })
  assert.equal((await askFor(300, url, false)).code, 'connect_timeout')
})

test('deadlines: none bounds an answer that keeps coming, however long it takes', async (t) => {
  const [a] = await upstreams(t, { tokens: 60, tokensPerSecond: 100 })
  const { url } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [
      endpoint('a', `${a.url}/v1`, { timeouts: { connect: 200, firstToken: 200, idle: 200, attempt: LONG } }),
    ],
  })
  const seen = await ask(url, true)
  assert.ok(seen.took > 400)
  assert.match(seen.text, /\[DONE\]/)
})

test('deadlines: an answer that is not streamed is bounded by attempt and request only', async (t) => {
  const [a] = await upstreams(t, { faults: ['delay=400'] })
  const { url } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [
      endpoint('a', `${a.url}/v1`, { timeouts: { connect: 100, firstToken: 100, idle: 100, attempt: LONG } }),
    ],
  })
  assert.equal((await ask(url, false)).status, 200)
})

test('deadlines: the request’s bounds all attempts together, back-offs too', async (t) => {
  const [a, b] = await upstreams(t, { faults: ['stall-headers'] }, { faults: ['stall-headers'] })
  const { url, telemetry } = await dataPath(t, {
    routes: [route('chat', [rule([target('a'), target('b', { priority: 1 })])], { requestTimeout: 500 })],
    endpoints: [
      endpoint('a', `${a.url}/v1`, { timeouts: { ...long, attempt: 300 } }),
      endpoint('b', `${b.url}/v1`, { timeouts: { ...long, attempt: 300 } }),
    ],
  })
  assert.equal((await askFor(500, url, false)).code, 'request_timeout')
  assert.deepEqual(
    telemetry.attempts.slice(-2).map(({ code }) => code),
    ['attempt_timeout', 'request_timeout'],
  )
})
