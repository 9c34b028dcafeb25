import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { costOf, usd } from '../../core/cost.ts'
import { estimateTokens } from '../../core/estimate.ts'
import { priceOf } from '../../core/price.ts'
import { NO_USAGE } from '../../core/usage.ts'
import type { Usage } from '../../core/usage.ts'
import { Metrics } from '../../sidecar/metrics.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { completion, event, json, scripted } from '../helpers/scripted.ts'

const price = { input: '2.5', output: '10' }
const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 }
const COST = '0.0035'

const priced = (name: string, url: string, rest: object = {}) =>
  endpoint(name, url, {
    models: [{ name: `${name}-model`, rank: 0, defaults: {}, force: {}, prices: [{ price }] }],
    ...rest,
  })

/** A sidecar whose route asks these servers one after the other. */
async function inOrder(t: TestContext, urls: readonly string[], rest: object = {}, ruled: object = {}) {
  const names = urls.map((_, i) => String.fromCharCode(97 + i))
  return dataPath(t, {
    routes: [
      route('chat', [
        rule(
          names.map((name, priority) => target(name, { priority })),
          ruled,
        ),
      ]),
    ],
    endpoints: names.map((name, i) => priced(name, urls[i] ?? '', rest)),
  })
}

const chat = { model: 'chat', messages: [{ role: 'user', content: 'Why is the sky blue, and the sea green?' }] }

interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly trailers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** Asks with `node:http`, which keeps trailers. */
function ask(url: string, fields: object = {}, path = '/v1/chat/completions'): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const request = httpRequest(url + path, { method: 'POST', headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0, trailers } = response
        resolve({ status: statusCode, headers: response.headers, trailers, text })
      })
    })
    request.on('error', reject)
    request.end(JSON.stringify({ ...chat, ...fields }))
  })
}

const words = ['Because ', 'the air ', 'scatters ', 'blue ', 'light ', 'more.']
/** A stream with such a usage at its end, or none. */
const streamed = (said?: object): string =>
  [
    event({ role: 'assistant', content: '' }),
    ...words.map((content) => event({ content })),
    event({}, 'stop'),
    ...(said ? [`data: ${JSON.stringify({ id: 'c', choices: [], usage: said })}\n\n`] : []),
    'data: [DONE]\n\n',
  ].join('')

test('accounting: a whole answer has its cost in a header', async (t) => {
  const { url } = await scripted(t, (response) => json(response, completion('Hi', usage)))
  const sidecar = await inOrder(t, [url])
  const { headers, trailers } = await ask(sidecar.url)
  assert.equal(headers['x-tradewind-cost'], COST)
  assert.deepEqual(trailers, {})
})

test('accounting: a stream has the same cost, in a trailer, whichever way in it took', async (t) => {
  const { url } = await scripted(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streamed(usage))
  })
  const sidecar = await inOrder(t, [url])
  // A query sends a request the long way, past the express lane.
  for (const path of ['/v1/chat/completions', '/v1/chat/completions?way=long']) {
    const { headers, trailers, text } = await ask(sidecar.url, { stream: true }, path)
    assert.equal(headers['x-tradewind-cost'], undefined)
    assert.match(String(headers['trailer']), /\bx-tradewind-cost\b/)
    assert.equal(trailers['x-tradewind-cost'], COST, path)
    assert.match(text, /data: \[DONE\]\n\n$/)
  }
})

test('accounting: who speaks HTTP/1.0 gets its stream without a trailer', async (t) => {
  const { url } = await scripted(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streamed(usage))
  })
  const sidecar = await inOrder(t, [url])
  const body = JSON.stringify({ ...chat, stream: true })
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(sidecar.port, '127.0.0.1')
    let all = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (all += chunk))
    socket.on('error', reject)
    socket.on('end', () => resolve(all))
    socket.write(
      `POST /v1/chat/completions HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
  })
  assert.match(text, /^HTTP\/1\.[01] 200/)
  assert.doesNotMatch(text, /trailer|x-tradewind-cost/)
  assert.match(text, /data: \[DONE\]\n\n$/)
})

test('accounting: fetch reads a stream with a trailer to its end', async (t) => {
  const { url } = await scripted(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streamed(usage))
  })
  const sidecar = await inOrder(t, [url])
  const post = () =>
    fetch(`${sidecar.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...chat, stream: true }),
    })
  // The second goes over the same connection, if that was left in order.
  for (let i = 0; i < 2; i++) assert.match(await (await post()).text(), /data: \[DONE\]\n\n$/)
})

test('accounting: without a price there is no cost, and it is counted', async (t) => {
  const { url } = await scripted(t, (response) => json(response, completion('Hi', usage)))
  const { telemetry, ...sidecar } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [endpoint('a', url)],
  })
  assert.equal((await ask(sidecar.url)).headers['x-tradewind-cost'], undefined)
  const metrics = new Metrics()
  const [facts] = telemetry.exchanges
  const [attempt] = telemetry.attempts
  assert.ok(facts && attempt)
  metrics.attemptEnded(facts, attempt)
  const [counts] = metrics.targets()
  assert.deepEqual([counts?.cost, counts?.unpriced], [0, 1])
})

test('accounting: a refusal costs nothing, and an answer after it costs what it costs', async (t) => {
  const refusing = await scripted(t, (response) => json(response, { error: { message: 'No.' } }, 500))
  const good = await scripted(t, (response) => json(response, completion('Hi', usage)))
  const { telemetry, ...sidecar } = await inOrder(t, [refusing.url, good.url])
  assert.equal((await ask(sidecar.url)).headers['x-tradewind-cost'], COST)
  assert.deepEqual(
    telemetry.attempts.map(({ code, cost }) => [code, cost === undefined ? undefined : usd(cost)]),
    [
      ['upstream_error', undefined],
      [undefined, COST],
    ],
  )
})

/** What a usage costs here. */
function costing(used: Partial<Usage> | undefined): string {
  assert.ok(used)
  return usd(costOf({ ...NO_USAGE, ...used }, priceOf(price)) ?? Number.NaN)
}

test('accounting: what a target does not count is counted here, and says so', async (t) => {
  const text = words.join('')
  for (const stream of [false, true]) {
    const { url } = await scripted(t, (response) => {
      if (stream) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streamed())
      else json(response, completion(text))
    })
    const { telemetry, ...sidecar } = await inOrder(t, [url])
    await ask(sidecar.url, { stream })
    const [attempt] = telemetry.attempts
    const used = attempt?.usage
    assert.ok(used?.estimated)
    const prompt = estimateTokens(chat.messages[0]?.content ?? '')
    assert.ok(Math.abs(used.input - prompt) <= 5, `${used.input} of ${prompt}`)
    assert.ok(Math.abs(used.output - estimateTokens(text)) <= 3, `${used.output} of ${estimateTokens(text)}`)
    assert.equal(usd(attempt?.cost ?? Number.NaN), costing(used))
  }
})

test('accounting: a caller that leaves in the middle is charged the prompt and what came', async (t) => {
  const { url } = await scripted(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event({ role: 'assistant', content: '' }) + words.map((content) => event({ content })).join(''))
  })
  const { telemetry, ...sidecar } = await inOrder(t, [url])
  await new Promise<void>((resolve, reject) => {
    const request = httpRequest(`${sidecar.url}/v1/chat/completions`, { method: 'POST', agent: false }, (response) => {
      response.on('error', () => {})
      response.once('data', () => {
        response.destroy()
        resolve()
      })
    })
    request.on('error', reject)
    request.end(JSON.stringify({ ...chat, stream: true }))
  })
  await eventually(() => assert.equal(telemetry.exchanges.length, 1))
  const [attempt] = telemetry.attempts
  assert.equal(attempt?.code, 'client_closed')
  assert.ok(attempt.usage?.estimated && attempt.usage.input > 5 && attempt.usage.output > 0)
  assert.equal(usd(attempt.cost ?? Number.NaN), costing(attempt.usage))
})

test('accounting: a call that was given up for its deadline is charged its prompt; one that was never sent is not', async (t) => {
  const silent = await scripted(t, () => {})
  const timeouts = { connect: 2000, firstToken: 2000, idle: 2000, attempt: 300 }
  const { telemetry, ...sidecar } = await inOrder(t, ['http://127.0.0.1:1/v1', silent.url], { timeouts })
  const { status, headers } = await ask(sidecar.url)
  assert.equal(status, 504)
  const [refused, late] = telemetry.attempts
  assert.deepEqual([refused?.code, refused?.usage, refused?.cost], ['connect_failed', undefined, undefined])
  assert.equal(late?.code, 'attempt_timeout')
  assert.deepEqual([late.usage?.estimated, late.usage?.output], [true, 0])
  assert.equal(headers['x-tradewind-cost'], costing(late.usage))
})

test('accounting: an answer that stopped and was gone on with costs what both calls cost; the usage is of the one answer', async (t) => {
  const cut = await scripted(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(
      event({ role: 'assistant', content: '' }) +
        words
          .slice(0, 3)
          .map((content) => event({ content }))
          .join(''),
    )
    response.end()
  })
  const whole = await scripted(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streamed(usage))
  })
  const { telemetry, ...sidecar } = await inOrder(t, [cut.url, whole.url])
  const { trailers, text } = await ask(sidecar.url, { stream: true })
  assert.match(text, /more\./)
  const [first, second] = telemetry.attempts
  assert.ok(first?.usage?.estimated && first.usage.output > 0)
  assert.equal(usd(second?.cost ?? Number.NaN), COST)
  assert.equal(trailers['x-tradewind-cost'], usd((first.cost ?? Number.NaN) + (second?.cost ?? Number.NaN)))
  assert.equal(telemetry.exchanges[0]?.usage?.output, 100)
})

test('accounting: no body that was not sent is charged, and none that cannot be read fails', async (t) => {
  const { url } = await scripted(t, (response) => json(response, completion('Hi')))
  const { telemetry, ...sidecar } = await inOrder(t, [url])
  const big = 'data:image/png;base64,' + 'QUJD'.repeat(500_000)
  const content = [
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url: big } },
  ]
  await ask(sidecar.url, { messages: [{ role: 'user', content }] })
  const used = telemetry.attempts[0]?.usage
  assert.ok(used?.estimated && used.input < 2000, `${used?.input}`)
})

for (const stream of [false, true])
  test(`accounting: the call that lost is charged what it was asked, ${stream ? 'streamed' : 'whole'}`, async (t) => {
    const slow = await scripted(t, () => {})
    const quick = await scripted(t, (response) => {
      if (stream) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streamed(usage))
      else json(response, completion('Hi', usage))
    })
    const { telemetry, ...sidecar } = await inOrder(
      t,
      [slow.url, quick.url],
      {},
      { hedge: { after: 20, percent: 100 } },
    )
    const { headers, trailers } = await ask(sidecar.url, { stream })
    await eventually(() => assert.equal(telemetry.attempts.length, 2))
    const lost = telemetry.attempts.find(({ code }) => code === 'hedge_lost')
    const won = telemetry.attempts.find(({ code }) => code === undefined)
    assert.ok(lost?.usage?.estimated && lost.usage.input > 5 && lost.usage.output === 0)
    assert.equal(usd(lost.cost ?? Number.NaN), costing(lost.usage))
    assert.equal(usd(won?.cost ?? Number.NaN), COST)
    const both = usd((lost.cost ?? Number.NaN) + (won?.cost ?? Number.NaN))
    assert.equal((stream ? trailers : headers)['x-tradewind-cost'], both)
    assert.equal(telemetry.exchanges[0]?.usage?.output, 100)
  })
