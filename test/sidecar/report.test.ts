import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Report } from '../../api/protocol.ts'
import { Metrics } from '../../sidecar/metrics.ts'
import { Reporter } from '../../sidecar/report.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

async function reporting(t: TestContext, every: number) {
  const [a, b] = await upstreams(t, {}, {})
  const { apply, path, telemetry, url } = await dataPath(t)
  const problems = apply({
    routes: [route('chat', [rule([target('a', { weight: 3 }), target('b')])])],
    endpoints: [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)],
  })
  assert.deepEqual(problems, [])
  const metrics = new Metrics()
  telemetry.attemptEnded = (facts, attempt) => metrics.attemptEnded(facts, attempt)
  const reports: Report[] = []
  const reporter = new Reporter({
    metrics,
    endpoints: () => path.configuration.runtime?.endpoints.values() ?? [],
    age: () => 1234,
    now: path.deps.now,
    promises: () => [],
    send: (report) => reports.push(report),
    every,
  })
  reporter.start()
  t.after(() => reporter.stop())
  const ask = async () => {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: '{"model":"chat","messages":[{"role":"user","content":"Hi"}]}',
    })
    await answer.text()
  }
  return { a, b, ask, reports, reporter, endpoints: () => path.configuration.runtime?.endpoints }
}

test('report: counts of the window, each request once', async (t) => {
  const { ask, reports } = await reporting(t, 50)
  for (let i = 0; i < 40; i++) await ask()
  const sum = () => {
    const total: Record<string, number> = {}
    for (const { targets } of reports)
      for (const { route: name, rule: of, endpoint: where, model, requests, errors } of targets) {
        const key = `${name} ${of} ${where} ${model}`
        total[key] = (total[key] ?? 0) + requests
        assert.equal(errors, 0)
      }
    return total
  }
  await eventually(() => {
    const { 'ai/chat all ai/a a-model': a = 0, 'ai/chat all ai/b b-model': b = 0, ...others } = sum()
    assert.deepEqual([a + b, others], [40, {}])
    assert.ok(Math.abs(a - 30) <= 2, `${a} of 40`)
  })
  for (const { window, age, models } of reports) {
    assert.ok(window >= 40)
    assert.equal(age, 1234)
    assert.deepEqual(
      models.map(({ endpoint: where, model, state, healthy }) => [where, model, state, healthy]),
      [
        ['ai/a', 'a-model', 'closed', true],
        ['ai/b', 'b-model', 'closed', true],
      ],
    )
  }
})

test('report: with nothing to say few are sent', async (t) => {
  const { reports } = await reporting(t, 20)
  await eventually(() => assert.ok(reports.length >= 3))
  assert.ok(
    reports.slice(1).every(({ window }) => window >= 100),
    reports.map(({ window }) => window).join(),
  )
})

test('report: a change is told at once, changes together as one', async (t) => {
  const { a, ask, reports, reporter, endpoints } = await reporting(t, 60_000)
  reporter.watch(endpoints()?.values() ?? [])
  await a.setFaults(['status=500'])
  for (let i = 0; i < 12; i++) await ask()
  await eventually(() => assert.ok(reports.length > 0))
  assert.equal(reports[0]?.models.find(({ endpoint: where }) => where === 'ai/a')?.state, 'open')
  assert.ok((reports[0]?.targets.find(({ endpoint: where }) => where === 'ai/a')?.errors ?? 0) >= 5)
  const before = reports.length
  for (let i = 0; i < 5; i++) reporter.changed()
  await eventually(() => assert.equal(reports.length, before + 1))
})

test('report: nothing is sent once it is stopped', async (t) => {
  const { reports, reporter } = await reporting(t, 20)
  reporter.changed()
  reporter.stop()
  const before = reports.length
  reporter.changed()
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal(reports.length, before)
})

test('report: which models are spared because their limits are nearly used up', async (t) => {
  const { reports, endpoints } = await reporting(t, 50)
  const limits = endpoints()?.get('ai/a')?.models.get('a-model')?.state.limits
  limits?.observe({ kind: 'requests', limit: 100, remaining: 1, reset: 600_000 })
  const spared = () => reports.at(-1)?.models.flatMap(({ model, scarce }) => (scarce ? [model] : []))
  await eventually(() => assert.deepEqual(spared(), ['a-model']))
  limits?.observe({ kind: 'requests', limit: 100, remaining: 100, reset: 600_000 })
  await eventually(() => assert.deepEqual(spared(), []))
})
