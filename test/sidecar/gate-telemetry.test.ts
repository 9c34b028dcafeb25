import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { ask, gate, says } from '../helpers/ladder.ts'
import { observed, otlp } from '../helpers/observed.ts'
import { upstreams } from '../helpers/upstream.ts'

const SECRET = 'I cannot help with the launch code 0000.'

/** A cheap target that refuses, and a stronger one, with the sidecar's own telemetry. */
async function refusing(t: TestContext, mode: 'Buffer' | 'Prefix' = 'Buffer') {
  const words = mode === 'Buffer' ? SECRET : `${SECRET} ${'word '.repeat(400)}`
  const [a, b] = await upstreams(t, { faults: [says(words)], tokensPerSecond: 400 }, {})
  const models = [{ name: 'b-model', rank: 1, defaults: {}, force: {} }]
  const found = gate({ mode, prefix: { tokens: 12, within: 5000 } })
  return observed(t, {
    routes: [route('chat', [rule([target('a'), target('b', { priority: 1 })], { gate: found })])],
    endpoints: [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`, { models })],
  })
}

/** The lines of metrics whose name begins so, with the labels that are asked for and the value. */
async function metrics(url: string, name: string, ...labels: readonly string[]): Promise<readonly string[]> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return text
    .split('\n')
    .filter((line) => line.startsWith(name))
    .map((line) => {
      const said = labels.map((label) => new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1] ?? '')
      return [...said, line.slice(line.lastIndexOf(' ') + 1)].join(' ')
    })
    .sort()
}

test('gate: the log line says what was found, and never what was said', async (t) => {
  const { url, lines, logged } = await refusing(t)
  await ask(url)
  await eventually(() => assert.equal(lines().length, 1))
  assert.deepEqual(lines()[0]?.['gate'], {
    mode: 'Buffer',
    first: 'ai/a a-model',
    final: 'ai/b b-model',
    reason: 'strongest',
    escalations: 1,
    answers: [
      {
        target: 'ai/a a-model',
        endpoint: 'ai/a',
        model: 'a-model',
        findings: [
          { check: 'Length', failed: false },
          { check: 'Empty', failed: false },
          { check: 'Refusal', failed: true, detail: 'it reads like a refusal' },
        ],
      },
    ],
  })
  assert.doesNotMatch(logged(), /launch code/)
})

test('gate: metrics by rule and check, and of what was wasted', async (t) => {
  const { url, admin } = await refusing(t)
  for (let i = 0; i < 3; i++) await ask(url)
  await eventually(async () =>
    assert.deepEqual(await metrics(admin, 'tradewind_escalations_total', 'rule', 'model', 'check'), [
      'all a-model Refusal 3',
    ]),
  )
  assert.deepEqual(await metrics(admin, 'tradewind_gated_answers_total', 'endpoint', 'check'), ['ai/a Refusal 3'])
  assert.deepEqual(await metrics(admin, 'tradewind_gated_requests_total', 'endpoint', 'reason', 'direct'), [
    'ai/b strongest  3',
  ])
  assert.deepEqual(await metrics(admin, 'tradewind_attempts_total', 'endpoint', 'why', 'code'), [
    'ai/a chosen  3',
    'ai/b escalation  3',
  ])
  assert.deepEqual(
    await metrics(admin, 'tradewind_wasted_tokens_total', 'kind'),
    [],
    'whole answers were paid for, and looked at',
  )

  const prefix = await refusing(t, 'Prefix')
  await ask(prefix.url, { stream: true })
  await eventually(async () => {
    const [input = '', output = ''] = await metrics(prefix.admin, 'tradewind_wasted_tokens_total', 'kind')
    assert.match(input, /^input [1-9]/)
    assert.match(output, /^output [1-9]/)
  })
})

test('gate: the server’s span says what was found', async (t) => {
  const receiver = await otlp(t)
  const { url, telemetry, lines } = await refusing(t)
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER_ARG: '1' }
  // The exporter reads the environment of the process itself.
  Object.assign(process.env, environment)
  t.after(() => {
    for (const name of Object.keys(environment)) delete process.env[name]
  })
  await telemetry.traces.start(environment, (message) => assert.fail(message))
  await ask(url)
  await eventually(() => assert.equal(lines().length, 1))
  await telemetry.traces.stop()
  const server = receiver.spans().find(({ kind }) => kind === 2)
  const said = JSON.stringify(server)
  for (const [name, value] of [
    ['first', 'ai/a a-model'],
    ['final', 'ai/b b-model'],
    ['reason', 'strongest'],
    ['failed_checks', 'Refusal'],
  ] as const)
    assert.match(said, new RegExp(`tradewind\\.gate\\.${name}.{0,80}${value}`))
  assert.match(said, /tradewind\.gate\.escalations.{0,40}1/)
})
