import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { request } from 'undici'
import type { CompiledGate } from '../../api/compiled-gate.ts'
import type { CompiledEndpoint, CompiledRoute, CompiledRule } from '../../api/compiled.ts'
import type { MockOptions } from '../../cli/mock/server.ts'
import { compiled, dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

/** A gate with the schema's defaults, but for what is given. */
const gate = (rest: Partial<CompiledGate> = {}): CompiledGate => ({
  mode: 'Buffer',
  prefix: { tokens: 40, within: 800 },
  checks: (['Length', 'Empty', 'Refusal', 'ToolArguments', 'Format'] as const).map((type) => ({ type })),
  maxEscalations: 2,
  ...rest,
})

const REFUSAL = `says=${encodeURIComponent("I'm sorry, but I can't help with that.")}`
const says = (text: string): string => `says=${encodeURIComponent(text)}`

interface Shape {
  readonly gate?: Partial<CompiledGate>
  readonly rule?: Partial<CompiledRule>
  readonly route?: Partial<CompiledRoute>
  /** Of the three endpoints, by their place. */
  readonly endpoints?: readonly Partial<CompiledEndpoint>[]
}

/** A ladder of three: `a` is cheap and always asked first, `b` is stronger, `c` the strongest. */
async function ladder(t: TestContext, mocks: readonly [MockOptions, MockOptions?, MockOptions?], shape: Shape = {}) {
  const [a, b, c] = await upstreams(t, mocks[0], mocks[1] ?? {}, mocks[2] ?? {})
  const names = ['a', 'b', 'c'] as const
  const parts = {
    routes: [
      route(
        'chat',
        [
          rule(
            names.map((name, priority) => target(name, { priority })),
            { gate: gate(shape.gate), ...shape.rule },
          ),
        ],
        shape.route,
      ),
    ],
    endpoints: [a, b, c].map((mock, rank) => {
      const name = names[rank] ?? 'a'
      return endpoint(name, `${mock.url}/v1`, {
        models: [{ name: `${name}-model`, rank, defaults: {}, force: {}, ...priced(rank) }],
        ...shape.endpoints?.[rank],
      })
    }),
  }
  const sidecar = await dataPath(t, parts)
  const facts = () => sidecar.telemetry.exchanges.at(-1)
  return { a, b, c, ...sidecar, facts, whys: () => facts()?.attempts.map(({ why, code }) => [why, code]) }
}

/** 1, 10 and 100 USD for a million tokens of either kind. */
const priced = (rank: number) => ({
  prices: [{ price: { input: String(10 ** rank), output: String(10 ** rank) } }],
})

interface Asked {
  readonly stream?: boolean
  readonly path?: string
  readonly body?: object
  readonly signal?: AbortSignal
}

async function ask(url: string, { stream = false, path = '/v1/chat/completions', body, signal }: Asked = {}) {
  const messages = [{ role: 'user', content: 'Hello' }]
  const answer = await request(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', stream, messages, ...body }),
    ...(signal ? { signal } : {}),
  })
  const text = await answer.body.text()
  return { status: answer.statusCode, by: String(answer.headers['x-tradewind-endpoint']), text, answer }
}

for (const stream of [false, true])
  test(`gate: ${stream ? 'streamed' : 'unary'}: a wanting answer is given by the next stronger target, and both are paid for`, async (t) => {
    const { a, b, c, url, facts, whys } = await ladder(t, [{ faults: [REFUSAL] }])
    const { status, by, text } = await ask(url, { stream })
    assert.deepEqual([status, by], [200, 'ai/b'])
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
    const { by, text } = await ask(url, { stream })
    assert.equal(by, 'ai/a')
    assert.match(text, /heard/)
    assert.equal(b.stats().requests, 0)
    assert.equal(facts()?.gate?.reason, 'passed')
  })
