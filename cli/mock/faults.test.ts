import assert from 'node:assert/strict'
import { test } from 'node:test'
import { event, json, streamed } from './answer.ts'
import { faultKinds, parseFault } from './faults.ts'
import { Plan } from './plan.ts'
import { openai } from './providers/openai.ts'

const stream = streamed(
  [
    ...[{ n: 0 }, { n: 1 }, { n: 2 }, { choices: [{ finish_reason: 'stop' }] }].map((it) => event(it)),
    'data: [DONE]\n\n',
  ],
  3,
)
const whole = json({ choices: [{ finish_reason: 'stop' }] })
const strike = (text: string, answer = stream) => parseFault(text, openai).apply(answer)

test('a fault reads its value, its parameters and whom it strikes', () => {
  const fault = parseFault('stall-body=3, for=1.5s, percent=10, times=4, path=/v1/completions, model=m, on=b', openai)
  const { name, percent, times, path, model, on } = fault
  assert.deepEqual(
    { name, percent, times, path, model, on },
    { name: 'stall-body', percent: 10, times: 4, path: '/v1/completions', model: 'm', on: 'b' },
  )
  assert.deepEqual({ ...fault.apply(stream).delivery }, { ...stream.delivery, stallAfter: 3, stallFor: 1500 })
})

test('what is no fault is an error that says what there is', () => {
  for (const [text, says] of [
    ['slow', /"slow" is no fault; there are refuse, /],
    ['toString', /is no fault/],
    ['reset=3', /takes no value/],
    ['cut=ten', /bytes=ten is not a number/],
    ['cut,afer=2', /has no "afer"; it has bytes, how, percent/],
    ['status=500,percent=101', /not between 0 and 100/],
    ['status=500,times=x', /not a number of requests/],
    ['status=42', /42 is no status between 200 and 599/],
    ['html=700', /700 is no status/],
    ['reset,header=odd', /a header reads name:value/],
    ['rate-limit=later', /no form of Retry-After; there are none, seconds/],
  ] as const)
    assert.throws(() => parseFault(text, openai), says)
})

test('every kind of fault changes the answer to a stream or to a whole request', () => {
  // What the model says is not the answer's delivery: `server.test.ts` has that one.
  for (const name of Object.keys(faultKinds).filter((it) => it !== 'empty' && it !== 'says'))
    assert.ok(
      [stream, whole].some((answer) => JSON.stringify(strike(name, answer)) !== JSON.stringify(answer)),
      name,
    )
})

test('a stream that is cut short keeps the events before', () => {
  assert.deepEqual(strike('truncate=2').parts, stream.parts.slice(0, 2))
  assert.deepEqual(strike('error-middle=1').parts.length, 2)
  assert.match(String(strike('error-middle=1,form=event').parts[1]), /^event: error\ndata: \{"error"/)
  assert.equal(strike('error-first').parts.length, 1)
  assert.throws(() => JSON.parse(String(strike('malformed=1').parts[1]).slice('data: '.length)), SyntaxError)
  assert.deepEqual(strike('no-done').parts, stream.parts.slice(0, 4))
  assert.deepEqual(strike('no-finish').parts, stream.parts.toSpliced(3, 1))
  assert.deepEqual(strike('duplicate=1').parts, stream.parts.toSpliced(1, 0, stream.parts[1] ?? ''))
  assert.deepEqual(
    strike('swap=1').parts,
    [0, 2, 1, 3, 4].map((i) => stream.parts[i]),
  )
})

test('a fault may carry headers besides its own', () => {
  const { status, headers } = strike('status=409,header=x-should-retry:false,header=retry-after: 2')
  assert.deepEqual([status, headers['x-should-retry'], headers['retry-after']], [409, 'false', '2'])
})

test('each form of Retry-After has its own header or words', () => {
  const headers = (form: string) => strike(`rate-limit=${form},wait=1500ms`).headers
  assert.equal(headers('seconds')['retry-after'], '2')
  assert.equal(headers('fraction')['retry-after'], '1.5')
  assert.equal(headers('ms')['retry-after-ms'], '1500')
  assert.equal(headers('x-ms')['x-ms-retry-after-ms'], '1500')
  const wait = Date.parse(headers('date')['retry-after'] ?? '') - Date.now()
  assert.ok(wait > 0 && wait <= 2500, String(wait))
  assert.match(String(strike('rate-limit=text,wait=1500ms').parts[0]), /Please try again in 1\.5s\./)
  assert.doesNotMatch(String(strike('rate-limit=none').parts[0]), /try again/)
})

test('a share strikes that share of the requests, and times ends it', () => {
  const plan = new Plan('a', openai)
  plan.set(['status=500,percent=10'])
  const struck = Array.from({ length: 1000 }, () => plan.for('/', 'm', undefined)).filter(Boolean).length
  assert.ok(Math.abs(struck - 100) <= 2, String(struck))
  plan.set(['reset,times=2'])
  assert.deepEqual(
    Array.from({ length: 4 }, () => plan.for('/', 'm', undefined)?.name),
    ['reset', 'reset', undefined, undefined],
  )
})

test('a fault of a header strikes only the mock that it names, and goes before the standing ones', () => {
  const plan = new Plan('a', openai)
  plan.set(['status=503'])
  assert.equal(plan.for('/', 'm', 'reset,on=a')?.name, 'reset')
  assert.equal(plan.for('/', 'm', 'reset,on=b')?.name, 'status')
})
