import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { request } from 'node:https'
import { connect } from 'node:net'
import { test } from 'node:test'
import OpenAI, { APIConnectionError, APIError, RateLimitError } from 'openai'
import { WebSocket } from 'ws'
import { eventually } from '../../test/helpers/eventually.ts'
import { needs } from '../../test/helpers/needs.ts'
import { upstream, upstreams } from '../../test/helpers/upstream.ts'
import type { Mock } from './server.ts'

const messages = [{ role: 'user' as const, content: 'How is the wind today?' }]
const ask = { model: 'm', messages }
const client = (mock: Mock, apiKey = 'any') => new OpenAI({ baseURL: `${mock.url}/v1`, apiKey, maxRetries: 0 })
const fault = (text: string) => ({ headers: { 'x-mock-fault': text } })
const post = (mock: Mock, path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(mock.url + path, { method: 'POST', body, headers })

test('a whole answer says who answered and what was heard, always the same, with its usage', async (t) => {
  const mock = await upstream(t, { name: 'primary', tokens: 12 })
  const openai = client(mock)
  const [one, two] = [await openai.chat.completions.create(ask), await openai.chat.completions.create(ask)]
  assert.match(one.choices[0]?.message.content ?? '', /^primary heard: How is the wind today\?( \w+){5}$/)
  assert.deepEqual(one.choices, two.choices)
  assert.equal(one.choices[0]?.finish_reason, 'stop')
  const { prompt_tokens, completion_tokens, total_tokens } = one.usage ?? {}
  assert.deepEqual([prompt_tokens, completion_tokens, total_tokens], [6, 12, 18])
  const short = await openai.chat.completions.create({ ...ask, max_completion_tokens: 3 })
  assert.deepEqual([short.choices[0]?.finish_reason, short.usage?.completion_tokens], ['length', 3])
})

test('a stream says the same as the whole answer, and its usage only when asked', async (t) => {
  const openai = client(await upstream(t))
  const whole = await openai.chat.completions.create(ask)
  const read = async (options: object) => {
    const chunks = await Array.fromAsync(await openai.chat.completions.create({ ...ask, ...options, stream: true }))
    return { chunks, text: chunks.map((it) => it.choices[0]?.delta.content ?? '').join('') }
  }
  const plain = await read({})
  assert.equal(plain.text, whole.choices[0]?.message.content)
  assert.equal(plain.chunks.at(-1)?.choices[0]?.finish_reason, 'stop')
  assert.ok(plain.chunks.every((it) => !('usage' in it)))
  const counted = await read({ stream_options: { include_usage: true } })
  assert.deepEqual(counted.chunks.at(-1)?.usage, whole.usage)
  assert.deepEqual(counted.chunks.at(-1)?.choices, [])
})

test('an answer that says nothing ends as any other', async (t) => {
  const openai = client(await upstream(t))
  const { choices } = await openai.chat.completions.create(ask, fault('empty'))
  assert.deepEqual([choices[0]?.message.content, choices[0]?.finish_reason], ['', 'stop'])
})

test('tools are called with arguments of their schema, and a tool result is answered in words', async (t) => {
  const openai = client(await upstream(t))
  const parameters = {
    type: 'object',
    properties: { city: { type: 'string' }, unit: { enum: ['C', 'F'] }, days: { type: 'integer' } },
    required: ['city', 'unit'],
  }
  const tools = [{ type: 'function' as const, function: { name: 'weather', parameters } }]
  const whole = await openai.chat.completions.create({ ...ask, tools })
  const call = whole.choices[0]?.message.tool_calls?.[0]
  assert.ok(call?.type === 'function')
  assert.deepEqual(JSON.parse(call.function.arguments), { city: messages[0]?.content, unit: 'C' })
  assert.equal(whole.choices[0]?.finish_reason, 'tool_calls')
  const streamed = await openai.chat.completions.stream({ ...ask, tools }).finalChatCompletion()
  const again = streamed.choices[0]?.message.tool_calls?.[0]
  assert.ok(again?.type === 'function')
  assert.equal(again.function.arguments, call.function.arguments)
  const after = await openai.chat.completions.create({
    ...ask,
    tools,
    messages: [
      ...messages,
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: call.id, content: 'windy' },
    ],
  })
  assert.equal(after.choices[0]?.finish_reason, 'stop')
})

test('completions, embeddings, models, several choices and JSON answers', async (t) => {
  const openai = client(await upstream(t, { models: ['m', 'n'] }))
  const text = await openai.completions.create({ model: 'm', prompt: 'Once', max_tokens: 4 })
  assert.equal(text.choices[0]?.text.split(' ').length, 4)
  const pieces = await Array.fromAsync(
    await openai.completions.create({ model: 'm', prompt: 'Once', max_tokens: 4, stream: true }),
  )
  assert.equal(pieces.map((it) => it.choices[0]?.text).join(''), text.choices[0]?.text)
  const [coded, plain] = [
    await openai.embeddings.create({ model: 'm', input: ['a', 'b'] }),
    await openai.embeddings.create({ model: 'm', input: ['a', 'b'], encoding_format: 'float' }),
  ]
  assert.equal(coded.data.length, 2)
  assert.deepEqual(Float32Array.from(coded.data[1]?.embedding ?? []), Float32Array.from(plain.data[1]?.embedding ?? []))
  assert.deepEqual(
    (await Array.fromAsync(openai.models.list())).map((it) => it.id),
    ['m', 'n'],
  )
  const two = await openai.chat.completions.create({ ...ask, n: 2 })
  assert.notEqual(two.choices[0]?.message.content, two.choices[1]?.message.content)
  const object = await openai.chat.completions.create({
    model: 'm',
    messages: [{ role: 'user', content: 'In JSON' }],
    response_format: { type: 'json_object' },
  })
  assert.deepEqual(JSON.parse(object.choices[0]?.message.content ?? ''), { name: 'mock', heard: 'In JSON' })
})

test('a wrong request gets the error that OpenAI gives', async (t) => {
  const mock = await upstream(t, { models: ['m'], apiKey: 'sk-right' })
  const right = { authorization: 'Bearer sk-right' }
  for (const [path, body, status, code, param] of [
    ['/v1/chat/completions', '{"model":', 400, null, null],
    ['/v1/chat/completions', '[]', 400, null, null],
    ['/v1/chat/completions', '{"messages":[]}', 400, null, 'model'],
    ['/v1/chat/completions', '{"model":"m"}', 400, 'missing_required_parameter', 'messages'],
    ['/v1/chat/completions', '{"model":"m","messages":[{}]}', 400, 'missing_required_parameter', 'messages[0].role'],
    ['/v1/chat/completions', '{"model":"m","messages":[{"role":"user"}],"n":0}', 400, null, 'n'],
    ['/v1/completions', '{"model":"m"}', 400, null, 'prompt'],
    ['/v1/embeddings', '{"model":"m","input":[true]}', 400, null, 'input'],
    ['/v1/chat/completions', '{"model":"other"}', 404, 'model_not_found', null],
    ['/v1/none', '{}', 404, 'unknown_url', null],
  ] as const) {
    const answer = await post(mock, path, body, right)
    const error = pick(await answer.json(), 'error')
    assert.deepEqual(
      [answer.status, pick(error, 'type'), pick(error, 'code'), pick(error, 'param')],
      [status, 'invalid_request_error', code, param],
      body,
    )
  }
  const odd = await post(mock, '/v1/chat/completions', JSON.stringify(ask), { ...right, 'x-mock-fault': 'nonsense' })
  assert.deepEqual([odd.status, /is no fault/.test(await odd.text())], [400, true])
  const wrong = await post(mock, '/v1/chat/completions', JSON.stringify(ask))
  assert.deepEqual([wrong.status, pick(await wrong.json(), 'error', 'code')], [401, 'invalid_api_key'])
})

test('a fault with a status is that error to the SDK', async (t) => {
  const openai = client(await upstream(t))
  for (const [text, status, code] of [
    ['status=503,message=later', 503, 'server_error'],
    ['status=422,code=odd', 422, 'odd'],
    ['quota', 429, 'insufficient_quota'],
    ['context-length', 400, 'context_length_exceeded'],
    ['content-refused', 400, 'content_policy_violation'],
    ['html', 502, undefined],
  ] as const)
    await assert.rejects(openai.chat.completions.create(ask, fault(text)), (error) => {
      assert.ok(error instanceof APIError, text)
      assert.deepEqual([error.status, error.code], [status, code], text)
      return true
    })
  await assert.rejects(openai.chat.completions.create(ask, fault('rate-limit=ms,wait=1500')), (error) => {
    assert.ok(error instanceof RateLimitError)
    assert.equal(error.headers?.get('retry-after-ms'), '1500')
    return true
  })
})

test('a fault of the connection is what the wire shows', async (t) => {
  const mock = await upstream(t)
  const openai = client(mock)
  for (const text of ['reset', 'hang-up', 'refuse'])
    await assert.rejects(openai.chat.completions.create(ask, fault(text)), APIConnectionError, text)
  for (const text of ['cut=40', 'cut=40,how=reset', 'content-length=100']) {
    const answer = await post(mock, '/v1/chat/completions', JSON.stringify(ask), { 'x-mock-fault': text })
    assert.equal(answer.status, 200, text)
    await assert.rejects(answer.text(), TypeError, text)
  }
  assert.equal((await raw(mock, 'cut=40')).split('\r\n\r\n')[1]?.length, 40)
  const short = await raw(mock, 'content-length=-7')
  const length = Number(/content-length: (\d+)/i.exec(short)?.[1])
  assert.equal(short.slice(short.indexOf('\r\n\r\n') + 4).length, length + 7)
  assert.equal(mock.stats().aborted, 0, 'what the mock ends itself is no abort')
})

test('a fault of the body is what the stream shows', async (t) => {
  const mock = await upstream(t)
  const openai = client(mock)
  const stream = async (text: string) =>
    Array.fromAsync(await openai.chat.completions.create({ ...ask, stream: true }, fault(text)))
  assert.equal((await stream('truncate=3')).at(-1)?.choices[0]?.finish_reason, null)
  assert.ok((await stream('no-finish')).every((it) => it.choices[0]?.finish_reason === null))
  assert.equal((await stream('no-done')).at(-1)?.choices[0]?.finish_reason, 'stop')
  assert.equal((await stream('content-filter')).at(-1)?.choices[0]?.finish_reason, 'content_filter')
  for (const text of ['error-first', 'error-first=event', 'error-middle'])
    await assert.rejects(stream(text), APIError, text)
  await assert.rejects(stream('malformed'), SyntaxError)
  await assert.rejects(stream('cut=500'), /terminated|premature|ECONN/i)
  const error200 = await post(mock, '/v1/chat/completions', JSON.stringify(ask), { 'x-mock-fault': 'error-200' })
  assert.deepEqual([error200.status, pick(await error200.json(), 'error', 'code')], [200, 'server_error'])
  const typed = await post(mock, '/v1/chat/completions', JSON.stringify(ask), {
    'x-mock-fault': 'content-type=text/plain',
  })
  assert.equal(typed.headers.get('content-type'), 'text/plain')
})

test('the pace holds: before the headers, before the first event, between tokens, and in a trickle', async (t) => {
  const mock = await upstream(t, { latency: '30ms', ttft: '60ms', tokensPerSecond: 200, tokens: 8 })
  const asked = performance.now()
  const answer = await post(mock, '/v1/chat/completions', JSON.stringify({ ...ask, stream: true }))
  const headers = performance.now() - asked
  const times: number[] = []
  for await (const _ of answer.body ?? []) times.push(performance.now() - asked)
  assert.ok(headers >= 29, `headers after ${headers} ms`)
  assert.ok((times[0] ?? 0) >= 59, `first event after ${times[0]} ms`)
  assert.ok((times.at(-1) ?? 0) >= 59 + 8 * 5, `end after ${times.at(-1)} ms`)
  mock.setPace({ latency: '0', ttft: '0', tokensPerSecond: 1000, tokens: 60 })
  const whole = performance.now()
  await (await post(mock, '/v1/chat/completions', JSON.stringify(ask))).text()
  assert.ok(performance.now() - whole >= 59)
  const trickled = performance.now()
  const slow = await post(mock, '/v1/models', '', { 'x-mock-fault': 'trickle=40,every=20' })
  const pieces = Math.ceil((await slow.text()).length / 40)
  assert.ok(pieces > 1 && performance.now() - trickled >= (pieces - 1) * 19)
})

test('a client that leaves is recorded at each stage: before the headers, in a stall, between events', async (t) => {
  const mock = await upstream(t, { name: 'a' })
  for (const [text, waitForHeaders] of [
    ['stall-headers', false],
    ['stall-body', true],
    ['trickle=1,every=5', true],
  ] as const) {
    mock.reset()
    const leave = new AbortController()
    const body = JSON.stringify({ ...ask, stream: true })
    const asked = fetch(`${mock.url}/v1/chat/completions`, {
      method: 'POST',
      body,
      headers: { 'x-mock-fault': text },
      signal: leave.signal,
    })
    if (waitForHeaders) await asked
    await eventually(() => assert.equal(mock.requests()[0]?.fault, text.split(/[=,]/)[0]))
    assert.equal(mock.stats().open, 1)
    const left = Date.now()
    leave.abort()
    await asked.then((answer) => answer.text()).catch(() => {})
    await eventually(() => assert.equal(mock.stats().aborted, 1))
    const [record] = mock.requests()
    assert.ok(record?.aborted !== undefined && record.aborted >= left)
    assert.deepEqual([mock.stats().open, mock.stats().openStreams], [0, 0])
  }
})

test('a stall that ends lets the rest follow', async (t) => {
  const openai = client(await upstream(t))
  const asked = performance.now()
  const chunks = await Array.fromAsync(
    await openai.chat.completions.create({ ...ask, stream: true }, fault('stall-body=1,for=80ms')),
  )
  assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, 'stop')
  assert.ok(performance.now() - asked >= 79)
})

test('refuse closes the port and opens it again; a share of it resets connections', async (t) => {
  const mock = await upstream(t)
  await mock.setFaults(['refuse'])
  await assert.rejects(
    fetch(`${mock.url}/health`),
    (error: Error) => Reflect.get(Object(error.cause), 'code') === 'ECONNREFUSED',
  )
  await mock.setFaults([])
  assert.equal((await fetch(`${mock.url}/health`)).status, 200)
  await post(mock, '/_mock', '{"fault":"refuse,for=100ms"}')
  await eventually(() => assert.rejects(fetch(`${mock.url}/health`)))
  await eventually(async () => assert.equal((await fetch(`${mock.url}/health`)).status, 200))
  await mock.setFaults(['refuse,times=1'])
  await assert.rejects(fetch(`${mock.url}/health`, { headers: { connection: 'close' } }))
  assert.equal((await fetch(`${mock.url}/health`)).status, 200)
})

test('faults, pace and counts by the control path', async (t) => {
  const mock = await upstream(t, { name: 'a' })
  const set = await post(mock, '/_mock', '{"fault":["status=500,times=1","quota,model=n"],"tokens":3}')
  assert.equal(set.status, 200)
  const statuses = []
  for (const model of ['m', 'm', 'n'])
    statuses.push((await post(mock, '/v1/chat/completions', JSON.stringify({ ...ask, model }))).status)
  assert.deepEqual(statuses, [500, 200, 429])
  const state = await (await fetch(`${mock.url}/_mock`)).json()
  assert.deepEqual(
    [pick(state, 'requests'), pick(state, 'byStatus'), pick(state, 'byFault')],
    [3, { 200: 1, 429: 1, 500: 1 }, { status: 1, quota: 1 }],
  )
  assert.deepEqual(
    [0, 1].map((i) => pick(state, 'faults', i, 'struck')),
    [1, 1],
  )
  assert.deepEqual(JSON.parse(String(pick(state, 'last', 0, 'body'))), ask)
  assert.equal(pick(state, 'last', 0, 'headers', 'content-type'), 'text/plain;charset=UTF-8')
  for (const [body, says] of [
    ['{"fault":"nonsense"}', /is no fault/],
    ['{"fault":"refuse"}', /Say how long/],
    ['{"falt":"reset"}', /There is no \\"falt\\"/],
    ['nothing', /Send a JSON object/],
    ['{"tokens":"3"}', /must be a number/],
    ['{"latency":"soon"}', /is not a time/],
  ] as const) {
    const answer = await post(mock, '/_mock', body)
    assert.equal(answer.status, 400)
    assert.match(await answer.text(), says)
  }
  await fetch(`${mock.url}/_mock`, { method: 'DELETE' })
  assert.deepEqual(mock.stats().requests, 0)
  assert.equal(
    (await post(mock, '/v1/chat/completions', '{"model":"n","messages":[{"role":"user","content":""}]}')).status,
    200,
  )
})

test('several mocks have names of their own', async (t) => {
  const [a, b] = await upstreams(t, {}, { name: 'second' })
  assert.notEqual(a.port, b.port)
  assert.deepEqual([(await fetch(`${a.url}/health`)).headers.get('x-mock-name'), b.name], ['a', 'second'])
})

test('echo answers any path with what came in, and sends WebSocket messages back', async (t) => {
  const mock = await upstream(t, { echo: true })
  const answer = await (
    await fetch(`${mock.url}/any/path?q=1`, { method: 'PUT', body: 'bytes', headers: { 'x-one': '1' } })
  ).json()
  assert.deepEqual(
    [pick(answer, 'method'), pick(answer, 'path'), pick(answer, 'headers', 'x-one'), pick(answer, 'bodyBytes')],
    ['PUT', '/any/path?q=1', '1', 5],
  )
  assert.equal(pick(answer, 'bodySha256'), createHash('sha256').update('bytes').digest('hex'))
  const socket = new WebSocket(`${mock.url.replace('http', 'ws')}/realtime`, ['chat'])
  const echoed = new Promise((done) => socket.on('message', (data: Buffer, binary) => done([data.toString(), binary])))
  socket.on('open', () => socket.send(Buffer.from('hello')))
  assert.deepEqual(await echoed, ['hello', true])
  assert.equal(socket.protocol, 'chat')
  assert.equal(mock.stats().openStreams, 1)
  socket.terminate()
  await eventually(() => assert.equal(mock.stats().aborted, 1))
})

test('https with a client certificate serves those who show one', { skip: needs('openssl') }, async (t) => {
  const [ours, other] = [selfSigned(), selfSigned()]
  const mock = await upstream(t, { tls: { ...ours, ca: ours.cert } })
  const status = (shown: object) =>
    new Promise((done, fail) => {
      const options = { ca: ours.cert, ...shown }
      const asked = request(`${mock.url}/health`, options, (answer) => done(answer.resume().statusCode))
      asked.on('error', fail).end()
    })
  assert.equal(await status(ours), 200)
  await assert.rejects(status(other))
  await assert.rejects(status({}))
})

/** A certificate for 127.0.0.1 that is its own CA. */
function selfSigned(): { readonly cert: string; readonly key: string } {
  const options = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout - -subj /CN=mock -days 1'.split(
    ' ',
  )
  const both = execFileSync('openssl', [...options, '-addext', 'subjectAltName=IP:127.0.0.1'], {
    encoding: 'utf8',
    stdio: 'pipe',
  })
  const at = both.indexOf('-----BEGIN CERTIFICATE')
  return { key: both.slice(0, at), cert: both.slice(at) }
}

/** The member at the end of `path` of a parsed JSON value; undefined where there is none. */
const pick = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce((at: unknown, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), value)

/** One request on a connection of its own; everything that came until the other end closed, or 200 ms passed in silence. */
function raw(mock: Mock, text: string): Promise<string> {
  return new Promise((done) => {
    let got = ''
    const socket = connect(mock.port, '127.0.0.1').setEncoding('utf8')
    const body = JSON.stringify(ask)
    socket.on('data', (data) => (got += String(data)))
    socket.setTimeout(200, () => socket.destroy())
    socket.on('close', () => done(got))
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-mock-fault: ${text}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
  })
}
