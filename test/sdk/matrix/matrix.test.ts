import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledEndpoint, CompiledRoute, CompiledSecret } from '../../../api/compiled.ts'
import { dataPath, endpoint, route, rule, target } from '../../helpers/data-path.ts'
import { runPython, withoutPython } from '../../helpers/python.ts'
import { upstream } from '../../helpers/upstream.ts'
import { nodeCallers } from './node-callers.ts'
import { ASK, scenarios } from './said.ts'
import type { Caller, Said, Scenario } from './said.ts'
import { table } from './table.ts'
import type { Cells } from './table.ts'
import { matrixTargets } from './targets.ts'

/**
 * Every official SDK as caller, unchanged, against every provider: docs/compatibility.md is made of what passes here, and the test fails where
 * the two differ (`UPDATE=1` writes it anew). The simulated models answer the same to the same prompt, so what an SDK hands to its user is
 * known whoever answers; each simulated provider refuses what the real one is documented to refuse.
 */

const page = join(import.meta.dirname, '../../../docs/compatibility.md')
const cells: Cells = new Map()

/** The request path with every provider behind it, each model under its own name. */
async function lab(t: TestContext): Promise<string> {
  const endpoints: CompiledEndpoint[] = []
  const routes: CompiledRoute[] = []
  const secrets: Record<string, CompiledSecret> = {}
  for (const [i, { provider, model, mock, basePath, secret }] of matrixTargets.entries()) {
    const name = `t${i}`
    const { url } = await upstream(t, { name: 'mock', ...mock })
    secrets[`ai/${name}`] = { data: { key: secret(url) } }
    const credentials = { type: 'Secret', secret: { secret: `ai/${name}`, key: 'key' } } as const
    const models = [{ name: model, rank: 0, defaults: {}, force: {} }]
    endpoints.push(endpoint(name, url + basePath, { provider, models, credentials }))
    routes.push(route(name, [rule([target(name, { model })])], { models: [model] }))
  }
  const { url } = await dataPath(t, { endpoints, routes, secrets })
  return url
}

const expected: Readonly<Record<Scenario, RegExp>> = {
  text: /^mock heard: Say hello to the harbour\b/,
  tools: /^mock heard: aloud get_weather and get_time,$/,
  // The user spoke before the tools did, and is answered now.
  results: /^mock heard: aloud get_weather and get_time, please\b/,
  image: /^mock heard: What is it\? saw image\/png\b/,
}

/** What is wrong with what an SDK handed over; undefined: nothing. */
function fault(caller: Pick<Caller, 'ended' | 'called'>, scenario: Scenario, said: Said): string | undefined {
  try {
    assert.match(said.text, expected[scenario])
    const calls =
      scenario === 'tools'
        ? [
            { name: 'get_weather', arguments: { place: ASK } },
            { name: 'get_time', arguments: {} },
          ]
        : []
    assert.deepEqual(said.calls, calls)
    const words = scenario === 'tools' ? caller.called : caller.ended
    assert.ok(words.includes(said.finish), `it ended by ${said.finish}`)
    assert.ok(said.usage.input > 0 && said.usage.output > 0, `its usage is ${JSON.stringify(said.usage)}`)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Judges whole and streamed answers of one scenario: each by itself, and that both say the same. */
function judge(caller: Pick<Caller, 'ended' | 'called'>, scenario: Scenario, whole: Said, streamed: Said) {
  const wrong = fault(caller, scenario, whole) ?? fault(caller, scenario, streamed)
  if (wrong !== undefined) return wrong
  try {
    assert.deepEqual(streamed, whole, 'streamed it is another answer than whole')
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

for (const caller of nodeCallers)
  test(`matrix: ${caller.name} of JavaScript, as caller of every provider`, async (t) => {
    const url = await lab(t)
    const wrong: string[] = []
    for (const { name, model } of matrixTargets)
      for (const scenario of scenarios) {
        let said: string | undefined
        try {
          const whole = await caller.ask(url, model, scenario, false)
          said = judge(caller, scenario, whole, await caller.ask(url, model, scenario, true))
        } catch (error) {
          said = String(error)
        }
        cells.set(`JavaScript ${caller.name}|${name}|${scenario}`, said === undefined)
        if (said !== undefined) wrong.push(`${name}, ${scenario}: ${said}`)
      }
    assert.deepEqual(wrong, [])
  })

const skip = await withoutPython()
const pythonSdks = ['openai', 'responses', 'anthropic', 'google', 'cohere', 'bedrock'] as const

for (const [i, sdk] of pythonSdks.entries()) {
  const caller = nodeCallers[i]
  if (!caller) throw new Error(`no caller of JavaScript for ${sdk}`)
  test(`matrix: ${caller.name} of Python, as caller of every provider`, { skip }, async (t) => {
    const url = await lab(t)
    const script = join(import.meta.dirname, '../python/matrix.py')
    const args = [sdk, url, ...matrixTargets.map(({ model }) => model)]
    const all: Record<string, Said & { error?: string }> = JSON.parse(
      await runPython(script, { args, signal: t.signal }),
    )
    const wrong: string[] = []
    for (const { name, model } of matrixTargets)
      for (const scenario of scenarios) {
        const [whole, streamed] = ['whole', 'streamed'].map((how) => all[`${model} ${scenario} ${how}`])
        assert.ok(whole && streamed)
        const said = whole.error ?? streamed.error ?? judge(caller, scenario, whole, streamed)
        cells.set(`Python ${caller.name}|${name}|${scenario}`, said === undefined)
        if (said !== undefined) wrong.push(`${name}, ${scenario}: ${said}`)
      }
    assert.deepEqual(wrong, [])
  })
}

test('matrix: the page says what passed', { skip }, () => {
  const made = table(cells, matrixTargets, ['JavaScript', 'Python'], nodeCallers)
  if (process.env['UPDATE'] === '1') writeFileSync(page, made)
  assert.equal(readFileSync(page, 'utf8'), made)
})
