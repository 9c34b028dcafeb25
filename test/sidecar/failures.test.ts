import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI, { APIError } from 'openai'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstreams } from '../helpers/upstream.ts'

const messages = [{ role: 'user' as const, content: 'Say something of some length.' }]

/** What the SDK's caller comes away with. */
interface Seen {
  readonly text: string
  readonly finish: string | null
  readonly error: APIError | undefined
}

async function ask(baseURL: string, stream: boolean): Promise<Seen> {
  const client = new OpenAI({ baseURL, apiKey: 'own', maxRetries: 0 })
  let text = ''
  let finish: string | null = null
  try {
    if (stream)
      for await (const { choices } of await client.chat.completions.create({ model: 'chat', messages, stream })) {
        text += choices[0]?.delta.content ?? ''
        finish = choices[0]?.finish_reason ?? finish
      }
    else {
      const { choices } = await client.chat.completions.create({ model: 'chat', messages })
      text = choices[0]?.message.content ?? ''
      finish = choices[0]?.finish_reason ?? null
    }
    return { text, finish, error: undefined }
  } catch (error) {
    if (error instanceof APIError) return { text, finish, error }
    throw error
  }
}

const short = { connect: 10_000, firstToken: 300, idle: 300, attempt: 800 }
const long = { connect: 30_000, firstToken: 30_000, idle: 30_000, attempt: 30_000 }

/** Two targets, the first of which is always asked first. */
async function pair(t: Parameters<typeof dataPath>[0], fault: string, both = false, tokensPerSecond?: number) {
  // Only what is to time out has little time: the host may be busy with something else.
  const timeouts = fault.startsWith('stall') ? short : long
  const pace = { tokens: 20, tokensPerSecond }
  const [a, b] = await upstreams(t, { faults: [fault], ...pace }, { ...(both ? { faults: [fault] } : {}), ...pace })
  const sidecar = await dataPath(t, {
    routes: [route('chat', [rule([target('a'), target('b', { priority: 1 })])])],
    endpoints: [endpoint('a', `${a.url}/v1`, { timeouts }), endpoint('b', `${b.url}/v1`, { timeouts })],
  })
  return { a, b, ...sidecar }
}

/** Failures that show before anything has gone to the caller: `code` is what the attempt is recorded as. */
const early: [fault: string, stream: boolean, code: string, status: number][] = [
  ['refuse', false, 'connect_failed', 502],
  ['refuse', true, 'connect_failed', 502],
  ['reset', false, 'connection_reset', 502],
  ['reset', true, 'connection_reset', 502],
  ['hang-up', false, 'connection_reset', 502],
  ['hang-up', true, 'connection_reset', 502],
  ['stall-headers', false, 'attempt_timeout', 504],
  ['stall-headers', true, 'first_token_timeout', 504],
  ['stall-body', false, 'attempt_timeout', 504],
  ['stall-body,after=0', true, 'first_token_timeout', 504],
  ['cut,bytes=40', false, 'upstream_truncated', 502],
  ['cut,bytes=40', true, 'upstream_truncated', 502],
  ['cut,bytes=40,how=reset', false, 'upstream_truncated', 502],
  ['content-length=100', false, 'upstream_truncated', 502],
  ['content-length=-20', false, 'upstream_truncated', 502],
  ['status=500', false, 'upstream_error', 500],
  ['status=500', true, 'upstream_error', 500],
  ['status=529', false, 'upstream_error', 529],
  ['status=408', false, 'upstream_error', 408],
  ['status=409', true, 'upstream_error', 409],
  ['rate-limit=none', false, 'upstream_busy', 429],
  ['quota', false, 'quota_exhausted', 429],
  ['context-length', false, 'context_length', 400],
  ['context-length', true, 'context_length', 400],
  ['html', false, 'upstream_error', 502],
  ['html,status=200', false, 'upstream_malformed', 502],
  ['html,status=200', true, 'upstream_malformed', 502],
  ['error-200', false, 'upstream_error', 502],
  ['error-200', true, 'upstream_error', 502],
  ['error-first', true, 'upstream_error', 502],
  ['error-first,form=event', true, 'upstream_error', 502],
  ['malformed', false, 'upstream_truncated', 502],
  ['malformed,after=0', true, 'upstream_malformed', 502],
  ['truncate', false, 'upstream_truncated', 502],
  ['truncate,after=0', true, 'upstream_truncated', 502],
  ['content-type=text/plain', false, 'upstream_malformed', 502],
  ['content-type=text/plain', true, 'upstream_malformed', 502],
]

for (const [fault, stream, code, status] of early) {
  const how = `${stream ? 'streamed' : 'unary'}, ${fault}`

  test(`failures: ${how}: the next target gives a whole answer`, async (t) => {
    const { b, url, telemetry } = await pair(t, fault)
    const seen = await ask(url, stream)
    assert.equal(seen.error, undefined)
    assert.equal(seen.finish, 'stop')
    assert.ok(seen.text.length > 0)
    assert.equal(b.stats().requests, 1)
    assert.deepEqual(
      telemetry.attempts.map((attempt) => [attempt.endpoint, attempt.code]),
      [
        ['ai/a', code],
        ['ai/b', undefined],
      ],
    )
    assert.equal(telemetry.exchanges[0]?.status, 200)
  })

  test(`failures: ${how}: with no target left, an error with its code`, async (t) => {
    const { url } = await pair(t, fault, true)
    const { error, text } = await ask(url, stream)
    assert.ok(error)
    assert.equal(text, '')
    assert.equal(error.status, status)
    assert.equal(error.headers?.get('x-should-retry'), 'false')
    assert.equal(error.headers?.get('x-tradewind-attempts'), '2')
    assert.ok((error.message ?? '').length > 0)
  })
}

/** Failures after the first byte. */
const late: [fault: string, code: string][] = [
  ['stall-body,after=3', 'idle_timeout'],
  ['cut,bytes=900', 'upstream_truncated'],
  ['cut,bytes=900,how=reset', 'upstream_truncated'],
  ['error-middle,after=3', 'upstream_error'],
  ['malformed,after=3', 'upstream_malformed'],
  ['truncate,after=3', 'upstream_truncated'],
  ['no-finish', 'upstream_truncated'],
]

for (const [fault, code] of late)
  test(`failures: streamed, ${fault}: what came, and then an error in the stream, where the next target says something else`, async (t) => {
    const { b, url, telemetry } = await pair(t, fault, false, 200)
    const { text, finish, error } = await ask(url, true)
    assert.ok(error, 'never a clean end')
    assert.equal(error.code, code)
    assert.equal(finish, null)
    assert.ok(text.length > 0)
    assert.equal(b.stats().requests, 1)
    const [facts] = telemetry.exchanges
    assert.equal(facts?.rescue, 'failed')
    assert.deepEqual(
      telemetry.attempts.map((attempt) => [attempt.why, attempt.code]),
      [
        ['chosen', code],
        ['rescue', 'replay_diverged'],
      ],
    )
    assert.equal(facts?.code, code)
    assert.ok((facts?.usage?.output ?? 0) > 0, 'what was produced is accounted for')
    if (fault !== 'no-finish') assert.equal(facts?.usage?.estimated, true)
  })

for (const fault of ['no-done', 'trickle,bytes=40,every=1', 'delay=50'])
  test(`failures: streamed, ${fault}: is none`, async (t) => {
    const { url, telemetry } = await pair(t, fault)
    const { finish, error } = await ask(url, true)
    assert.equal(error, undefined)
    assert.equal(finish, 'stop')
    assert.equal(telemetry.exchanges[0]?.code, undefined)
  })

/** The caller's own doing: surfaced as it is, nobody else is asked. */
for (const status of [400, 401, 403, 404, 422])
  test(`failures: ${status} is surfaced as it is`, async (t) => {
    const { a, b, url } = await pair(t, `status=${status},message=because,code=reason`)
    const { error } = await ask(url, false)
    assert.equal(error?.status, status)
    assert.equal(error?.code, 'reason')
    assert.match(error?.message ?? '', /because/)
    assert.deepEqual([a.stats().requests, b.stats().requests], [1, 0])
  })

test('failures: refused content is for no other model to judge, unless the rule says so', async (t) => {
  for (const fault of ['content-refused', 'content-filter']) {
    const [a, b] = await upstreams(t, { faults: [fault] }, {})
    const rules = (when: ('ContentFilter' | 'Status5xx')[]) => [
      rule([target('a'), target('b', { priority: 1 })], { fallback: { when } }),
    ]
    const endpoints = [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)]
    const { url, apply } = await dataPath(t, { routes: [route('chat', rules(['Status5xx']))], endpoints })
    const first = await ask(url, false)
    assert.equal(
      first.finish ?? first.error?.code,
      fault === 'content-filter' ? 'content_filter' : 'content_policy_violation',
    )
    assert.equal(b.stats().requests, 0)
    apply({ routes: [route('chat', rules(['ContentFilter']))], endpoints })
    assert.equal((await ask(url, false)).finish, 'stop')
    assert.equal(b.stats().requests, 1)
    await b.setFaults([fault])
    const last = await ask(url, false)
    assert.equal(
      last.finish ?? last.error?.code,
      fault === 'content-filter' ? 'content_filter' : 'content_policy_violation',
    )
  }
})

test('failures: what the rule does not fall back on is surfaced', async (t) => {
  const [a, b] = await upstreams(t, { faults: ['status=500'] }, {})
  const { url } = await dataPath(t, {
    routes: [route('chat', [rule([target('a'), target('b', { priority: 1 })], { fallback: { when: ['Connect'] } })])],
    endpoints: [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)],
  })
  const { error } = await ask(url, false)
  assert.equal(error?.status, 500)
  assert.equal(error?.headers?.get('x-should-retry'), null, 'another target was not asked')
  assert.equal(b.stats().requests, 0)
})
