import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '../../core/explain.ts'
import { target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { ask, ladder, REFUSAL, said, says } from '../helpers/ladder.ts'

for (const stream of [false, true])
  test(`gate: ${stream ? 'streamed' : 'unary'}: a wanting answer is given by the next stronger target, and both are paid for`, async (t) => {
    const { a, b, c, url, facts, whys } = await ladder(t, [{ faults: [REFUSAL] }])
    const { status, by, text, answer } = await ask(url, { stream })
    assert.deepEqual([status, by], [200, 'ai/b'])
    assert.equal(answer.headers['x-tradewind-reason'], 'only_target, escalation')
    assert.match(text, /heard/)
    assert.doesNotMatch(text, /sorry/)
    if (stream) assert.match(text, /data: \[DONE\]\n\n$/)
    assert.deepEqual([a.stats().requests, b.stats().requests, c.stats().requests], [1, 1, 0])
    assert.deepEqual(whys(), [
      ['chosen', undefined],
      ['escalation', undefined],
    ])
    const { gate: found, attempts = [], usage } = facts() ?? {}
    assert.deepEqual(
      [found?.first, found?.final, found?.reason, found?.escalations],
      ['ai/a a-model', 'ai/b b-model', 'passed', 1],
    )
    assert.deepEqual(
      found?.answers.map(({ endpoint: by, findings }) => [by, findings.at(-1)?.check, findings.at(-1)?.failed]),
      [
        ['ai/a', 'Refusal', true],
        ['ai/b', 'Format', false],
      ],
    )
    assert.ok(attempts.every(({ cost }) => (cost ?? 0) > 0))
    assert.equal(usage?.output, attempts[1]?.usage?.output)
  })

for (const stream of [false, true])
  test(`gate: ${stream ? 'streamed' : 'unary'}: a good answer passes as it came`, async (t) => {
    const { b, url, facts } = await ladder(t, [{}])
    const { by, text, answer } = await ask(url, { stream })
    assert.equal(by, 'ai/a')
    assert.equal(answer.headers['x-tradewind-reason'], 'only_target')
    assert.match(text, /heard/)
    assert.equal(b.stats().requests, 0)
    assert.equal(facts()?.gate?.reason, 'passed')
  })

for (const stream of [false, true])
  test(`gate: Anthropic’s messages, ${stream ? 'streamed' : 'unary'}, over targets of two dialects: the caller gets its own, whole`, async (t) => {
    const { url } = await ladder(t, [{ provider: 'anthropic', faults: [REFUSAL] }], {
      endpoints: [{ provider: { type: 'Anthropic' } }],
    })
    const { by, text } = await ask(url, { stream, path: '/v1/messages', body: { max_tokens: 100 } })
    assert.equal(by, 'ai/b')
    assert.match(text, /heard/)
    assert.doesNotMatch(text, /sorry/)
    assert.match(text, stream ? /event: message_start[^]*event: message_stop/ : /"type":"message"/)
  })

test('gate: the calls of tools are held to the schemas of tools, in either dialect', async (t) => {
  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
  const fault = { faults: [`says,arguments=${encodeURIComponent('{"town":7}')}`] }
  const openai = await ladder(t, [fault])
  const tools = [{ type: 'function', function: { name: 'weather', parameters } }]
  for (const stream of [false, true]) {
    const { by, text } = await ask(openai.url, { stream, body: { tools } })
    assert.equal(by, 'ai/b')
    assert.doesNotMatch(text, /town/)
    assert.equal(openai.facts()?.gate?.answers[0]?.findings.at(-1)?.check, 'ToolArguments')
  }
  const anthropic = await ladder(t, [{ ...fault, provider: 'anthropic' }], {
    endpoints: [{ provider: { type: 'Anthropic' } }],
  })
  const theirs = [{ name: 'weather', input_schema: parameters }]
  const body = { max_tokens: 100, tools: theirs }
  assert.equal((await ask(anthropic.url, { path: '/v1/messages', body })).by, 'ai/b')
  await anthropic.a.setFaults([])
  assert.equal((await ask(anthropic.url, { path: '/v1/messages', body })).by, 'ai/a')
})

test('gate: JSON is held to the schema that was asked for', async (t) => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer' } },
    required: ['n'],
    additionalProperties: false,
  }
  const body = { response_format: { type: 'json_schema', json_schema: { name: 'n', strict: true, schema } } }
  const { url, a, facts } = await ladder(t, [{}])
  for (const [words, by] of [
    ['{"n": "seven"}', 'ai/b'],
    ['{"n": 7', 'ai/b'],
    ['{"n": 7}', 'ai/a'],
  ] as const) {
    await a.setFaults([says(words)])
    assert.equal((await ask(url, { body })).by, by, words)
    assert.equal(facts()?.gate?.answers[0]?.findings.at(-1)?.check, 'Format')
  }
})

test('gate: up the ladder rung by rung, each stronger than the one before and none twice', async (t) => {
  const { url, a, b, c, facts, whys } = await ladder(t, [
    { faults: [REFUSAL] },
    { faults: [REFUSAL] },
    { faults: [REFUSAL] },
  ])
  const { by, text } = await ask(url)
  assert.equal(by, 'ai/c')
  assert.match(text, /sorry/, 'the strongest one’s answer is the answer')
  assert.deepEqual(
    [a, b, c].map((mock) => mock.stats().requests),
    [1, 1, 1],
  )
  assert.deepEqual(
    whys()?.map(([why]) => why),
    ['chosen', 'escalation', 'escalation'],
  )
  assert.deepEqual([facts()?.gate?.reason, facts()?.gate?.escalations], ['strongest', 2])
})

test('gate: a target of the same rank is nothing to escalate to', async (t) => {
  const models = [{ name: 'b-model', rank: 0, defaults: {}, force: {} }]
  const { url, b, c } = await ladder(t, [{ faults: [REFUSAL] }], { endpoints: [{}, { models }] })
  assert.equal((await ask(url)).by, 'ai/c')
  assert.deepEqual([b.stats().requests, c.stats().requests], [0, 1])
})

test('gate: no more escalations than the rule has', async (t) => {
  for (const [maxEscalations, by] of [
    [0, 'ai/a'],
    [1, 'ai/b'],
  ] as const) {
    const { url, facts } = await ladder(t, [{ faults: [REFUSAL] }, { faults: [REFUSAL] }], { gate: { maxEscalations } })
    assert.equal((await ask(url)).by, by)
    assert.equal(facts()?.gate?.reason, 'max_escalations')
  }
})

test('gate: no stronger target is asked beyond the money for one request', async (t) => {
  for (const [budget, by] of [
    [{ request: '0.0001' }, 'ai/a'],
    [{ request: '0.01' }, 'ai/b'],
    [{ multiple: 5 }, 'ai/a'],
    [{ multiple: 50 }, 'ai/b'],
  ] as const)
    for (const stream of [false, true]) {
      const { url, facts } = await ladder(t, [{ faults: [REFUSAL] }], { gate: { budget } })
      const answer = await ask(url, { stream })
      assert.equal(answer.by, by, JSON.stringify(budget))
      if (by !== 'ai/a') continue
      assert.equal(facts()?.gate?.reason, 'budget')
      assert.match(String(answer.answer.headers['x-tradewind-reason']), /gate_budget/)
    }
  const unknown = await ladder(t, [{ faults: [REFUSAL] }], {
    gate: { budget: { multiple: 1000 } },
    endpoints: [{}, { models: [{ name: 'b-model', rank: 1, defaults: {}, force: {} }] }],
  })
  assert.equal((await ask(unknown.url)).by, 'ai/a', 'what has no price is not within a budget')
})

test('gate: no stronger target is asked that would be too late', async (t) => {
  const { url, b, facts, shorten } = await ladder(t, [{ faults: [REFUSAL] }, { latency: '500ms' }])
  assert.equal((await ask(url)).by, 'ai/b')
  shorten(300)
  const { status, by } = await ask(url)
  assert.deepEqual([status, by, facts()?.gate?.reason], [200, 'ai/a', 'deadline'])
  assert.equal(b.stats().requests, 1)
})

test('gate: a deadline that passes while a stronger target is asked takes nothing from the caller', async (t) => {
  const { url, b, facts } = await ladder(t, [{ faults: [REFUSAL] }, { latency: '5s' }], {
    route: { requestTimeout: 300 },
  })
  for (const stream of [false, true]) {
    const { status, by, text } = await ask(url, { stream })
    assert.deepEqual([status, by], [200, 'ai/a'])
    assert.match(text, /sorry/)
    if (stream) assert.match(text, /data: \[DONE\]\n\n$/)
    assert.notEqual(facts()?.gate?.reason, 'passed')
  }
  await eventually(() => assert.ok(b.requests()[0]?.aborted))
})

for (const stream of [false, true])
  test(`gate: ${stream ? 'streamed' : 'unary'}: where the stronger ones fail, the answer that is there is given`, async (t) => {
    const failing = { faults: ['status=500'] }
    const { url, facts, whys } = await ladder(t, [{ faults: [REFUSAL] }, failing, failing])
    const { status, by, text } = await ask(url, { stream })
    assert.deepEqual([status, by], [200, 'ai/a'])
    assert.match(text, /sorry/)
    if (stream) assert.match(text, /data: \[DONE\]\n\n$/)
    assert.deepEqual(whys(), [
      ['chosen', undefined],
      ['escalation', 'upstream_error'],
      ['fallback', 'upstream_error'],
    ])
    const { gate: found, code, usage, attempts = [] } = facts() ?? {}
    assert.deepEqual([found?.reason, found?.final, code], ['stronger_failed', 'ai/a a-model', undefined])
    assert.equal(usage?.output, attempts[0]?.usage?.output)
  })

test('gate: a stronger stream that is cut is no better than the answer that is there', async (t) => {
  const cut = { faults: ['truncate,after=4'] }
  const { url, facts } = await ladder(t, [{ faults: [REFUSAL] }, cut, cut])
  const { by, text } = await ask(url, { stream: true })
  assert.equal(by, 'ai/a')
  assert.match(text, /data: \[DONE\]\n\n$/)
  assert.equal(facts()?.gate?.reason, 'stronger_failed')
})

test('gate: the first answer’s failure goes on to the next target as ever, and is nobody’s escalation', async (t) => {
  const { url, whys, facts } = await ladder(t, [{ faults: ['status=500'] }])
  assert.equal((await ask(url)).by, 'ai/b')
  assert.deepEqual(
    whys()?.map(([why]) => why),
    ['chosen', 'fallback'],
  )
  assert.equal(facts()?.gate?.escalations, 0)
  const all = await ladder(t, [{ faults: ['status=500'] }, { faults: ['status=500'] }, { faults: ['status=500'] }])
  const { status, answer } = await ask(all.url)
  assert.equal(status, 500)
  assert.equal(answer.headers['x-should-retry'], 'false')
})

test('gate: explain says by what answers are examined, and who is asked where one is wanting', async (t) => {
  const explained = async (gate: Parameters<typeof ladder>[2]) => {
    const { path } = await ladder(t, [{}], gate)
    const told = { model: 'chat', path: '/v1/chat/completions', header: () => undefined }
    const { table } = path.configuration.runtime ?? {}
    assert.ok(table)
    return explain(table, told, path.deps.now(), path.deps.wall()).gate
  }
  assert.equal(
    await explained({ gate: { checks: [{ type: 'Empty' }], maxEscalations: 1 } }),
    'Answers are examined (Buffer) by Empty; where one is wanting, at most 1 stronger target is asked, in this order: ai/b b-model (rank 1), ai/c c-model (rank 2).',
  )
  assert.match((await explained({ gate: { mode: 'Audit' } })) ?? '', /for the record alone/)
  assert.match((await explained({ rule: { targets: [target('a')] } })) ?? '', /nobody is asked instead/)
})

for (const stage of ['first', 'second'] as const)
  for (const stream of [false, true])
    test(`gate: a caller that leaves during the ${stage} ${stream ? 'stream' : 'answer'} ends all that is under way, within 100 ms`, async (t) => {
      const slow = stream ? { ttft: '5s' } : { latency: '5s' }
      const { url, a, b, telemetry } = await ladder(t, stage === 'first' ? [slow] : [{ faults: [REFUSAL] }, slow])
      const at = stage === 'first' ? a : b
      const leaving = new AbortController()
      const asked = ask(url, { stream, signal: leaving.signal }).catch(() => undefined)
      await eventually(() => assert.equal(at.stats().requests, 1))
      const left = performance.now()
      leaving.abort()
      await asked
      await eventually(() => assert.ok(at.requests()[0]?.aborted))
      assert.ok(performance.now() - left < 100)
      await eventually(() => assert.equal(telemetry.exchanges[0]?.code, 'client_closed'))
      assert.equal(telemetry.exchanges[0]?.attempts.length, stage === 'first' ? 1 : 2)
    })

test('gate: Prefix: a beginning that is wanting is never seen, and the stream that had it is ended', async (t) => {
  const { url, a, whys, facts } = await ladder(
    t,
    [{ faults: [says(`I'm sorry, I can't help. ${'word '.repeat(400)}`)], tokensPerSecond: 200 }],
    {
      gate: { mode: 'Prefix', prefix: { tokens: 10, within: 5000 } },
    },
  )
  const { by, text } = await ask(url, { stream: true })
  assert.equal(by, 'ai/b')
  assert.match(text, /heard/)
  assert.doesNotMatch(text, /sorry/)
  await eventually(() => assert.ok(a.requests()[0]?.aborted))
  assert.deepEqual(whys(), [
    ['chosen', 'escalated'],
    ['escalation', undefined],
  ])
  const [lost] = facts()?.attempts ?? []
  assert.ok((lost?.usage?.output ?? 0) > 0 && (lost?.cost ?? 0) > 0, 'it is paid for')
})

test('gate: Prefix: a good beginning goes on as it comes; a short answer is judged whole', async (t) => {
  const { url, a, facts } = await ladder(t, [{ tokens: 60, tokensPerSecond: 100 }], {
    gate: { mode: 'Prefix', prefix: { tokens: 5, within: 5000 } },
  })
  const { by, text } = await ask(url, { stream: true })
  assert.equal(by, 'ai/a')
  assert.match(text, /heard[^]*data: \[DONE\]\n\n$/)
  const { firstByte = 0, ended = 0 } = facts() ?? {}
  assert.ok(ended - firstByte > 200, 'it was not held back to its end')
  a.setPace({ tokens: 16 })
  await a.setFaults([says('Too short')])
  assert.equal((await ask(url, { stream: true, body: { max_tokens: 1 } })).by, 'ai/c', 'all are cut at their bound')
})

test('gate: Prefix: a slow beginning is held back no longer than the rule has it', async (t) => {
  const { url, facts } = await ladder(t, [{ tokens: 20, tokensPerSecond: 10 }], {
    gate: { mode: 'Prefix', prefix: { tokens: 1000, within: 100 } },
  })
  assert.equal((await ask(url, { stream: true })).by, 'ai/a')
  const { started = 0, firstByte = 0, ended = 0 } = facts() ?? {}
  assert.ok(firstByte - started < (ended - started) / 2)
})

test('gate: Prefix: where the stronger ones fail, the stream that was held back goes on, with nothing lost', async (t) => {
  const failing = { faults: ['status=500'], latency: '100ms' }
  const words = `I'm sorry, I can't help. ${'word '.repeat(60)}end`
  const { url, facts } = await ladder(t, [{ faults: [says(words)], tokensPerSecond: 200 }, failing, failing], {
    gate: { mode: 'Prefix', prefix: { tokens: 8, within: 5000 } },
  })
  const { by, text } = await ask(url, { stream: true })
  assert.equal(by, 'ai/a')
  assert.equal(said(text), words)
  assert.match(text, /data: \[DONE\]\n\n$/)
  assert.equal(facts()?.gate?.reason, 'stronger_failed')
})

for (const stream of [false, true])
  test(`gate: Audit: ${stream ? 'a stream' : 'an answer'} is untouched, and what was found is written down`, async (t) => {
    const { url, a, b, facts, telemetry } = await ladder(t, [{ faults: [REFUSAL] }], { gate: { mode: 'Audit' } })
    const { by, text } = await ask(url, { stream })
    assert.equal(by, 'ai/a')
    assert.match(text, /sorry/)
    await eventually(() => assert.equal(telemetry.exchanges.length, 1))
    assert.equal(b.stats().requests, 0)
    assert.deepEqual([facts()?.gate?.reason, facts()?.gate?.answers[0]?.findings.at(-1)?.check], ['audited', 'Refusal'])
    assert.equal(a.stats().requests, 1)
  })
