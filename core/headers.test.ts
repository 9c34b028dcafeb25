import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addTraceContext, answerHeadersOf, headerOf, requestHeaders } from './headers.ts'
import type { Endpoint } from './target.ts'

type Given = Parameters<typeof requestHeaders>[1]

const endpoint = (rest: Partial<Endpoint> = {}): Given => ({
  authority: 'api.example',
  authorization: undefined,
  setHeaders: [],
  dropHeaders: new Set(),
  ...rest,
})

const sent = (caller: Record<string, string>, to = endpoint(), traceparent?: string): Record<string, string> => {
  const flat = requestHeaders(Object.entries(caller).flat(), to, 'id')
  addTraceContext(flat, traceparent, 'state')
  const pairs: [string, string][] = []
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] ?? '', flat[i + 1] ?? ''])
  assert.equal(new Set(pairs.map(([name]) => name)).size, pairs.length, 'no header twice')
  return Object.fromEntries(pairs)
}

const ours = { host: 'api.example', 'accept-encoding': 'identity', 'x-request-id': 'id' }

test('headers: what the caller sends goes on, but for credentials, hop-by-hop headers and what is ours to say', () => {
  const seen = sent({
    Host: '127.0.0.1:4141',
    Authorization: 'Bearer own',
    'Api-Key': 'own',
    'X-Api-Key': 'own',
    Cookie: 'a=b',
    'OpenAI-Organization': 'org',
    'Content-Type': 'application/json',
    'Content-Length': '12',
    'Accept-Encoding': 'gzip',
    Connection: 'keep-alive, x-private, host',
    'X-Private': '1',
    'Transfer-Encoding': 'chunked',
    'X-Request-Id': 'theirs',
    'X-Tradewind-Route': 'forged',
    Traceparent: 'theirs',
    'X-Stainless-Lang': 'js',
  })
  assert.deepEqual(seen, { ...ours, 'content-type': 'application/json', 'x-stainless-lang': 'js' })
})

test('headers: the endpoint’s credential replaces the caller’s', () => {
  const caller = { Authorization: 'Bearer own' }
  assert.deepEqual(sent(caller), ours)
  assert.deepEqual(sent(caller, endpoint({ authorization: ['authorization', 'Bearer key'] })), {
    ...ours,
    authorization: 'Bearer key',
  })
})

test('headers: those that the endpoint sets replace the caller’s, those that it removes do not go on', () => {
  const to = endpoint({ setHeaders: ['x-team', 'a'], dropHeaders: new Set(['x-team', 'x-debug']) })
  assert.deepEqual(sent({ 'X-Team': 'b', 'X-Debug': '1', 'X-Other': 'c' }, to), {
    ...ours,
    'x-team': 'a',
    'x-other': 'c',
  })
})

test('headers: the trace context is ours, with the caller’s state', () => {
  assert.deepEqual(sent({ traceparent: 'theirs', tracestate: 'theirs' }, endpoint(), 'span'), {
    ...ours,
    traceparent: 'span',
    tracestate: 'state',
  })
})

test('headers: of an answer, what is of the target’s own connection, site or account stays here', () => {
  const answer = [
    ['Content-Type', 'application/json'],
    ['Content-Length', '5'],
    ['Transfer-Encoding', 'chunked'],
    ['Connection', 'close, x-hop'],
    ['X-Hop', '1'],
    ['Server', 'uvicorn'],
    ['Set-Cookie', 'a=b'],
    ['Content-Encoding', 'identity'],
    ['X-Request-Id', 'theirs'],
    ['X-Tradewind-Route', 'forged'],
    ['OpenAI-Organization', 'org'],
    ['X-RateLimit-Remaining-Requests', '9'],
  ].flat()
  assert.deepEqual(answerHeadersOf(answer), ['content-type', 'application/json', 'x-ratelimit-remaining-requests', '9'])
  assert.equal(headerOf(answer, 'server'), 'uvicorn')
  assert.equal(headerOf(answer, 'nothing'), '')
})

test('headers: a wait that comes with a good answer is not told', () => {
  const answer = ['Content-Type', 'application/json', 'Retry-After', '17', 'retry-after-ms', '17000']
  assert.deepEqual(answerHeadersOf(answer, true), ['content-type', 'application/json'])
  assert.equal(answerHeadersOf(answer).length, 6)
})
