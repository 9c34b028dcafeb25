import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import type { AttemptFacts, Facts } from '../core/exchange.ts'
import { NO_USAGE } from '../core/usage.ts'
import { requestLine } from './request-log.ts'

const attempt = (rest: Partial<AttemptFacts> = {}): AttemptFacts => ({
  route: 'ai/chat',
  rule: 'all',
  endpoint: 'ai/a',
  model: 'm',
  address: '127.0.0.1:80',
  why: 'chosen',
  started: 10,
  firstByte: 0,
  ended: 20.5,
  status: 0,
  code: undefined,
  usage: undefined,
  cost: undefined,
  span: undefined,
  ...rest,
})
const facts = (rest: Partial<Facts> = {}): Facts => ({
  requestId: 'id',
  surface: 'chat',
  operation: 'chat',
  method: 'POST',
  path: '/v1/chat/completions',
  started: 10,
  wall: 1_700_000_000_000,
  ended: 22.3456789,
  firstByte: 0,
  traceparent: undefined,
  tracestate: undefined,
  userAgent: 'agent',
  requestedModel: '',
  stream: false,
  route: '',
  rule: '',
  endpoint: '',
  model: '',
  sticky: false,
  reason: '',
  decision: undefined,
  attempts: [],
  status: 200,
  code: undefined,
  error: undefined,
  finishReason: undefined,
  usage: undefined,
  rescue: undefined,
  gate: undefined,
  dropped: [],
  requestBytes: 0,
  responseBytes: 0,
  aborted: false,
  span: undefined,
  ...rest,
})
const read = (made: Facts, trace?: string): Record<string, unknown> =>
  JSON.parse(requestLine(made, 'info', trace)) as Record<string, unknown> // a line is an object

test('request log: the least there can be', () => {
  assert.deepEqual(read(facts()), {
    time: 1_700_000_000_000,
    level: 'info',
    msg: 'request',
    id: 'id',
    surface: 'chat',
    method: 'POST',
    path: '/v1/chat/completions',
    status: 200,
    stream: false,
    sticky: false,
    ms: 12.346,
    requestBytes: 0,
    responseBytes: 0,
    attempts: [],
  })
})

test('request log: the most there can be', () => {
  const tokens = { input: 1, output: 2, cached: 3, reasoning: 4 }
  const usage = { ...NO_USAGE, ...tokens }
  const line = read(
    facts({
      requestedModel: 'asked',
      route: 'ai/chat',
      rule: 'all',
      endpoint: 'ai/a',
      model: 'm',
      stream: true,
      sticky: true,
      status: 499,
      code: 'client_closed',
      error: 'The client left.',
      aborted: true,
      firstByte: 15,
      finishReason: 'stop',
      usage: { ...usage, estimated: true },
      requestBytes: 5,
      responseBytes: 6,
      attempts: [attempt({ code: 'connect_failed' }), attempt({ why: 'fallback', status: 200, firstByte: 12, usage })],
    }),
    'abc',
  )
  assert.deepEqual(line, {
    time: 1_700_000_000_000,
    level: 'info',
    msg: 'request',
    id: 'id',
    trace: 'abc',
    surface: 'chat',
    method: 'POST',
    path: '/v1/chat/completions',
    route: 'ai/chat',
    rule: 'all',
    requested: 'asked',
    endpoint: 'ai/a',
    model: 'm',
    status: 499,
    code: 'client_closed',
    error: 'The client left.',
    aborted: true,
    stream: true,
    sticky: true,
    ms: 12.346,
    firstByteMs: 5,
    requestBytes: 5,
    responseBytes: 6,
    finish: 'stop',
    tokens: { ...tokens, estimated: true },
    attempts: [
      {
        why: 'chosen',
        endpoint: 'ai/a',
        model: 'm',
        address: '127.0.0.1:80',
        status: 0,
        code: 'connect_failed',
        ms: 10.5,
      },
      {
        why: 'fallback',
        endpoint: 'ai/a',
        model: 'm',
        address: '127.0.0.1:80',
        status: 200,
        ms: 10.5,
        firstByteMs: 2,
        tokens,
      },
    ],
  })
})

test('request log: whatever callers send, it is one line of JSON that says just that', () => {
  const word = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed())
  fc.assert(
    fc.property(word, word, word, word, word, (requestId, path, requestedModel, error, method) => {
      const line = requestLine(facts({ requestId, path, requestedModel, error, method }), 'warn', undefined)
      assert.doesNotMatch(line, /[\r\n]/)
      const read = JSON.parse(line) as Record<string, unknown> // a line is an object
      assert.deepEqual([read['id'], read['path'], read['error'], read['method']], [requestId, path, error, method])
      assert.equal(read['requested'], requestedModel === '' ? undefined : requestedModel)
    }),
    { numRuns: 1000 },
  )
})

test('log: the line of a mirrored call says that it is one', () => {
  const mirrored = facts({ attempts: [attempt({ why: 'mirror' })] })
  const line = JSON.parse(requestLine(mirrored, 'info', undefined, 'mirror')) as {
    msg: string
    attempts: { why: string }[]
  } // as it was written
  assert.deepEqual([line.msg, line.attempts[0]?.why], ['mirror', 'mirror'])
  assert.equal((JSON.parse(requestLine(facts(), 'info', undefined)) as { msg: string }).msg, 'request')
})
