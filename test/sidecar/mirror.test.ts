import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledEndpoint, CompiledRule } from '../../api/compiled.ts'
import { seeded } from '../../core/learning/random.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { ask, said } from '../helpers/ladder.ts'
import { completion, event, json, scripted } from '../helpers/scripted.ts'

type Mirror = NonNullable<CompiledRule['mirror']>
type Answers = (response: ServerResponse, body: string, request: IncomingMessage) => void

/** What it says, streamed where a stream was asked for. */
function says(response: ServerResponse, body: string, text: string): void {
  const usage = { prompt_tokens: 10, completion_tokens: 10 }
  if (!body.includes('"stream":true')) return json(response, completion(text, usage))
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const word of text.split(/(?<= )/)) response.write(event({ content: word }))
  response.write(event({}, 'stop'))
  const last = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage }
  response.end(`data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`)
}

interface Shape {
  readonly own?: Answers
  readonly candidate?: Answers
  readonly judge?: Answers
  readonly mirror?: Partial<Mirror>
  readonly rule?: Partial<CompiledRule>
  /** Of the candidate. */
  readonly endpoint?: Partial<CompiledEndpoint>
  readonly price?: string | undefined
}

const WORDS = 'The answer is 42.'
/** USD for a million tokens. */
const PRICE = '1'

/** A rule that `a` answers and `b` is a candidate for, with a judge `c`. */
async function mirrored(t: TestContext, shape: Shape = {}) {
  const answering = (given: Answers | undefined) =>
    scripted(t, given ?? ((response: ServerResponse, body: string) => says(response, body, WORDS)))
  const own = await answering(shape.own)
  const candidate = await answering(shape.candidate)
  const judge = await answering(shape.judge ?? ((response, body) => says(response, body, '8/10')))
  const { price = PRICE } = shape
  const priced = price === 'none' ? {} : { prices: [{ price: { input: price, output: price } }] }
  const models = (name: string) => [{ name: `${name}-model`, rank: 0, defaults: {}, force: {}, ...priced }]
  const settings: Mirror = {
    ...{ version: 'mirror.1', by: { endpoint: 'ai/b', model: 'b-model' }, percent: 100 },
    // A quarter of it is there at once, and the rest comes evenly: so much that it is no bound.
    budget: { spendPercent: 1000 },
    ...{ maxTokens: 20, maxConcurrent: 8 },
    ...shape.mirror,
  }
  const partsOf = (more: Partial<CompiledRule> = {}, of: Partial<Mirror> = {}) => ({
    routes: [route('chat', [rule([target('a')], { mirror: { ...settings, ...of }, ...shape.rule, ...more })])],
    endpoints: [
      endpoint('a', own.url, { models: models('a') }),
      endpoint('b', candidate.url, { models: models('b'), ...shape.endpoint }),
      endpoint('c', judge.url, { models: models('c') }),
    ],
  })
  const sidecar = await dataPath(t, partsOf())
  const { mirrors } = sidecar.telemetry
  /** Credit that nothing but requests of the rule bring: so much, picodollars. */
  const credit = (picodollars: number) =>
    sidecar.path.deps.mirrors?.post('ai/chat', 'all', undefined as never, 0).purse.earn(picodollars)
  const told = (count: number) => eventually(() => assert.equal(mirrors.length, count))
  return { ...sidecar, partsOf, mirrors, credit, told, own, candidate, judge }
}

for (const stream of [false, true])
  test(`mirror: ${stream ? 'streamed' : 'whole'}: the caller has its answer before the candidate is asked, and nothing of it is in it`, async (t) => {
    let asked: ServerResponse | undefined
    let heard = ''
    const { url, credit, mirrors, told, telemetry } = await mirrored(t, {
      candidate: (response, body) => {
        asked = response
        heard = body
      },
    })
    credit(1e9)
    const { by, text, answer } = await ask(url, { stream })
    assert.equal(by, 'ai/a')
    assert.match(stream ? said(text) : text, /The answer is 42\./)
    assert.equal(answer.headers['x-tradewind-attempts'], '1')
    const cost = stream ? answer.trailers['x-tradewind-cost'] : answer.headers['x-tradewind-cost']
    assert.equal(cost, '0.00002')
    await eventually(() => assert.ok(asked))
    assert.equal(telemetry.exchanges.length, 1)
    assert.equal(mirrors.length, 0)
    assert.equal(heard.includes('"stream":true'), stream)
    assert.match(heard, /"model":"b-model"/)
    assert.match(heard, /"max_tokens":20/)
    if (asked) says(asked, stream ? '"stream":true' : '', 'The answer is 42')
    await told(1)
    const [record] = mirrors
    assert.deepEqual(
      [record?.id, record?.route, record?.rule, record?.target, record?.current, record?.outcome],
      [telemetry.exchanges[0]?.requestId, 'ai/chat', 'all', 'ai/b b-model', 'ai/a a-model', 'answered'],
    )
    assert.equal(record?.pair?.alike, 1)
    assert.equal(record?.spent, 20e6)
    assert.deepEqual([record?.pair?.candidate.cost, record?.pair?.own.cost], [0.00002, 0.00002])
    assert.equal(record?.pair?.candidate.firstToken !== undefined, stream)
    assert.equal(record?.pair?.own.firstToken !== undefined, stream)
    assert.deepEqual(
      telemetry.attempts.map(({ why, endpoint: at }) => [why, at]),
      [
        ['chosen', 'ai/a'],
        ['mirror', 'ai/b'],
      ],
    )
  })
