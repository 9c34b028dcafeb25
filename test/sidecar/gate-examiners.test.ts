import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from 'undici'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { ask, gate, ladder, REFUSAL, said, says } from '../helpers/ladder.ts'
import { completion, event, json, scripted } from '../helpers/scripted.ts'

const strongest = { endpoint: 'ai/c', model: 'c-model' }

test('gate: agreement: an answer that another model does not come to is found wanting', async (t) => {
  const { url, a, c, whys, facts } = await ladder(
    t,
    [{ faults: [says('The answer is 42.')] }, {}, { faults: [says('#### 41')] }],
    {
      gate: { agreement: { samples: 2, with: strongest } },
      rule: { targets: [target('a'), target('b', { priority: 1 })] },
    },
  )
  for (const stream of [false, true]) {
    assert.equal((await ask(url, { stream })).by, 'ai/b')
    assert.deepEqual(
      whys()?.map(([why]) => why),
      ['chosen', 'agreement', 'escalation'],
    )
    assert.deepEqual(facts()?.gate?.answers[0]?.findings.at(-1), {
      check: 'Agreement',
      failed: true,
      detail: 'others come to another answer',
      score: 0,
    })
  }
  await c.setFaults([says('So it comes to \\boxed{42}')])
  assert.equal((await ask(url)).by, 'ai/a')
  assert.equal(facts()?.gate?.answers[0]?.findings.at(-1)?.score, 1)
  await a.setFaults([says('A story, and not a short one. '.repeat(10))])
  assert.equal((await ask(url)).by, 'ai/a')
  assert.deepEqual(
    whys()?.map(([why]) => why),
    ['chosen'],
    'what comes to nothing short is not compared',
  )
})

test('gate: agreement: the same model again, two more times, of which one has to come to the same', async (t) => {
  const { url, a, facts } = await ladder(t, [{}], { gate: { agreement: { samples: 3 } } })
  await a.setFaults([`${says('The answer is 1.')},times=1`, says('The answer is 2.')])
  assert.equal((await ask(url)).by, 'ai/b')
  assert.equal(a.stats().requests, 3)
  await a.setFaults([`${says('The answer is 1.')},times=2`, says('The answer is 2.')])
  assert.equal((await ask(url)).by, 'ai/a')
  assert.equal(facts()?.gate?.answers[0]?.findings.at(-1)?.score, 0.5)
})

test('gate: agreement: others that fail say nothing against an answer', async (t) => {
  const { url, facts } = await ladder(t, [{ faults: [says('The answer is 42.')] }, {}, { faults: ['status=500'] }], {
    gate: { agreement: { samples: 2, with: strongest } },
  })
  assert.equal((await ask(url)).by, 'ai/a')
  assert.equal(facts()?.gate?.reason, 'passed')
})

test('gate: judge: an answer is marked by another model, which is paid for and has none of the caller’s headers', async (t) => {
  const { url, b, c, whys, facts } = await ladder(
    t,
    [{ faults: [says('Forty-two.')] }, {}, { faults: [says('I would say 3/10')] }],
    {
      gate: { judge: { by: strongest, percent: 100, bar: 6 } },
      rule: { targets: [target('a'), target('b', { priority: 1 })] },
    },
  )
  const answer = await request(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer of-the-caller', 'x-secret': 'mine' },
    body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'What is six times seven?' }] }),
  })
  assert.equal(answer.headers['x-tradewind-endpoint'], 'ai/b')
  await answer.body.text()
  const [asked] = c.requests()
  assert.match(asked?.body ?? '', /What is six times seven\?/)
  assert.match(asked?.body ?? '', /Forty-two\./)
  assert.equal(asked?.headers['x-secret'], undefined)
  assert.doesNotMatch(JSON.stringify(asked?.headers), /of-the-caller/)
  assert.equal(b.stats().requests, 1)
  assert.deepEqual(
    whys()?.map(([why]) => why),
    ['chosen', 'judge', 'escalation'],
  )
  assert.ok(facts()?.attempts.every(({ cost }) => (cost ?? 0) > 0))
  await c.setFaults([says('9')])
  assert.equal((await ask(url)).by, 'ai/a')
  assert.deepEqual(facts()?.gate?.answers[0]?.findings.at(-1), { check: 'Judge', failed: false, score: 9 })
  await c.setFaults([says('no idea')])
  assert.equal((await ask(url)).by, 'ai/a', 'a mark that cannot be read is none')
})

test('gate: judge: one that is a rung of the ladder too is still there to be asked', async (t) => {
  const { url, c, whys } = await ladder(t, [{}, {}, { faults: [says('1')] }], {
    gate: { judge: { by: strongest, percent: 100, bar: 6 } },
  })
  assert.equal((await ask(url)).by, 'ai/c')
  assert.deepEqual(
    whys()?.map(([why]) => why),
    ['chosen', 'judge', 'escalation', 'judge', 'escalation'],
  )
  assert.equal(c.stats().requests, 3)
})

test('gate: judge: only a sample', async (t) => {
  const { url, c } = await ladder(t, [{}, {}, { faults: [says('10')] }], {
    gate: { judge: { by: strongest, percent: 20, bar: 6 } },
  })
  for (let i = 0; i < 100; i++) await ask(url)
  const { requests } = c.stats()
  assert.ok(requests > 2 && requests < 50, `${requests} of 100`)
})

for (const stream of [false, true])
  test(`gate: Audit with a judge: ${stream ? 'a stream' : 'an answer'} does not wait for its mark`, async (t) => {
    const { url, facts, telemetry } = await ladder(t, [{}, {}, { faults: [says('2')], latency: '2s' }], {
      gate: { mode: 'Audit', judge: { by: strongest, percent: 100, bar: 6 } },
    })
    const started = performance.now()
    const { by, text } = await ask(url, { stream })
    assert.ok(performance.now() - started < 1900)
    assert.equal(by, 'ai/a')
    assert.match(text, /heard/)
    await eventually(() => assert.equal(telemetry.exchanges.length, 1))
    assert.deepEqual(facts()?.gate?.answers[0]?.findings.at(-1)?.score, 2)
  })

for (const stream of [false, true])
  test(`gate: log-probabilities are asked for, looked at, and kept from a ${stream ? 'stream' : 'caller'} that did not ask`, async (t) => {
    const { url, a, facts } = await ladder(t, [{}], { gate: { logProbs: { minimum: '-0.000001' } } })
    const { by, text } = await ask(url, { stream })
    assert.equal(by, 'ai/c')
    assert.match(a.requests()[0]?.body ?? '', /"logprobs":true/)
    assert.doesNotMatch(text, /"logprob":/)
    assert.equal(facts()?.gate?.answers[0]?.findings.at(-1)?.check, 'LogProbs')
    const good = await ladder(t, [{}], { gate: { logProbs: { mean: '-5' } } })
    const passed = await ask(good.url, { stream })
    assert.equal(passed.by, 'ai/a')
    assert.doesNotMatch(passed.text, /"logprob":/)
    if (stream) assert.match(said(passed.text), /heard/)
    const asked = await ask(good.url, { stream, body: { logprobs: true } })
    assert.match(asked.text, /"logprob":/, 'who asks gets them')
  })

test('gate: a target that refuses to say how likely its tokens are is asked again without, and then not any more', async (t) => {
  let refused = 0
  const picky = await scripted(t, (response, body) => {
    if (!body.includes('"logprobs"')) return json(response, completion('Fine.'))
    refused++
    json(response, { error: { message: 'logprobs are not supported', type: 'invalid_request_error' } }, 400)
  })
  for (const mode of ['Buffer', 'Audit'] as const) {
    refused = 0
    const sidecar = await dataPath(t, {
      routes: [
        route('chat', [
          rule([target('a'), target('b', { priority: 1 })], { gate: gate({ mode, logProbs: { mean: '-1' } }) }),
        ]),
      ],
      endpoints: [
        endpoint('a', picky.url),
        endpoint('b', picky.url, { models: [{ name: 'b-model', rank: 1, defaults: {}, force: {} }] }),
      ],
    })
    for (let i = 0; i < 3; i++) assert.deepEqual((await ask(sidecar.url)).status, 200)
    assert.equal(refused, 1)
  }
  assert.equal(picky.requests(), 8)
})

test('gate: a caller that speaks Anthropic’s dialect has no place for log-probabilities, and they are looked at all the same', async (t) => {
  const { url, facts } = await ladder(t, [{}], { gate: { logProbs: { minimum: '-0.000001' } } })
  for (const stream of [false, true]) {
    const { by, text, answer } = await ask(url, { stream, path: '/v1/messages', body: { max_tokens: 100 } })
    assert.equal(by, 'ai/c')
    assert.match(text, /heard/)
    assert.equal(facts()?.gate?.answers[0]?.findings.at(-1)?.check, 'LogProbs')
    assert.equal(answer.headers['x-tradewind-dropped'], undefined)
  }
})

test('gate: the cheap target is left out once its answers fail so often that it does not pay, but for a probe now and then', async (t) => {
  const { url, a, facts } = await ladder(t, [{ faults: [REFUSAL] }])
  for (let i = 0; i < 20; i++) assert.equal((await ask(url)).by, 'ai/b')
  assert.equal(a.stats().requests, 20)
  for (let i = 0; i < 20; i++) {
    const { by, answer } = await ask(url)
    assert.equal(by, 'ai/b')
    if (facts()?.gate?.direct) assert.match(String(answer.headers['x-tradewind-reason']), /direct_cheaper/)
  }
  assert.equal(a.stats().requests, 21)
})

test('gate: what is too long to be held back passes unjudged, and whole', async (t) => {
  const words = 'word '.repeat(300_000)
  const long = await scripted(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let at = 0; at < words.length; at += 50_000) response.write(event({ content: words.slice(at, at + 50_000) }))
    response.end(`${event({}, 'length')}data: [DONE]\n\n`)
  })
  const { url, facts } = await ladder(t, [{}], { endpoints: [{ url: long.url }] })
  const { by, text } = await ask(url, { stream: true })
  assert.equal(by, 'ai/a')
  assert.equal(said(text), words)
  assert.equal(facts()?.gate?.reason, 'unjudged')
})

test('gate: with a hedge below it: the answer of the faster one is judged, and accounts are of the one that is given', async (t) => {
  const { url, facts, whys } = await ladder(t, [{ latency: '5s' }, { faults: [REFUSAL] }], {
    rule: { hedge: { after: 50, percent: 100 } },
  })
  const { by } = await ask(url)
  assert.equal(by, 'ai/c')
  assert.deepEqual(whys(), [
    ['chosen', 'hedge_lost'],
    ['hedge', undefined],
    ['escalation', undefined],
  ])
  assert.equal(facts()?.usage?.output, facts()?.attempts[2]?.usage?.output)
  const { usage, finishReason, responseBytes = 0 } = facts() ?? {}
  assert.ok((usage?.output ?? 0) > 0 && finishReason === 'stop' && responseBytes > 0)
})

for (const stream of [false, true])
  test(`gate: with a hedge below it, ${stream ? 'streamed' : 'unary'}: what comes of the answer is known to the request`, async (t) => {
    const { url, facts, telemetry } = await ladder(t, [{ latency: '5s' }, {}], {
      rule: { hedge: { after: 50, percent: 100 } },
    })
    assert.equal((await ask(url, { stream })).by, 'ai/b')
    await eventually(() => assert.equal(telemetry.exchanges.length, 1))
    const { usage, finishReason, attempts = [] } = facts() ?? {}
    assert.equal(finishReason, 'stop')
    assert.equal(usage?.output, attempts[1]?.usage?.output)
    assert.ok((usage?.output ?? 0) > 0)
  })

test('gate: what is no chat is not looked into', async (t) => {
  const { url, facts } = await ladder(t, [{}])
  const { status } = await ask(url, {
    path: '/v1/embeddings',
    body: { input: 'a', messages: undefined, stream: undefined },
  })
  assert.equal(status, 200)
  assert.equal(facts()?.gate, undefined)
})
