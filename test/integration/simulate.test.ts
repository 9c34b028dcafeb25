import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Figures } from '../../cli/simulate/figures.ts'
import type { LogFigures } from '../../cli/simulate/log.ts'
import { seeded } from '../../core/learning/random.ts'
import { runProgram } from '../helpers/command.ts'
import { scratch } from '../helpers/scratch.ts'

const root = join(import.meta.dirname, '../..')
const simulate = (...args: string[]) =>
  runProgram(process.execPath, ['cli/main.ts', 'simulate', ...args], { cwd: root })

function folder(t: TestContext): string {
  const directory = scratch('simulate')
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

/** The manifests of two models, of which `large` costs ten times as much, with that rule. */
function manifests(directory: string, rule: object, spec: object = {}): string {
  mkdirSync(directory, { recursive: true })
  const model = (name: string, rank: number, price: string, quality: string) => ({
    name,
    rank,
    price: { input: price, output: price },
    quality: { default: quality },
  })
  const objects = [
    {
      apiVersion: 'tradewind.dev/v1alpha1',
      kind: 'ModelEndpoint',
      metadata: { name: 'models', namespace: 'ai' },
      spec: {
        provider: { type: 'OpenAICompatible' },
        address: { type: 'URL', url: 'http://127.0.0.1:9/v1' },
        models: [model('small', 1, '1', '0.6'), model('large', 2, '10', '0.9')],
      },
    },
    {
      apiVersion: 'tradewind.dev/v1alpha1',
      kind: 'ModelRoute',
      metadata: { name: 'chat', namespace: 'ai' },
      spec: {
        models: ['chat'],
        ...spec,
        rules: [
          {
            targets: ['small', 'large'].map((name) => ({ endpoint: { name: 'models', model: name } })),
            ...rule,
          },
        ],
      },
    },
  ]
  writeFileSync(join(directory, 'all.yaml'), objects.map((it) => JSON.stringify(it)).join('\n---\n'))
  return directory
}

/** A hundred questions; at every fourth the small model is wrong, and says so. */
function answers(directory: string): string {
  const rows = Array.from({ length: 100 }, (_, i) => {
    const wrong = i % 4 === 0
    return {
      id: `q${i}`,
      prompt: `What is the answer to question ${i}?`,
      task: i < 50 ? 'history' : 'math',
      models: {
        small: {
          quality: wrong ? 0 : 1,
          input: 100,
          output: 100,
          ms: 100,
          text: wrong ? "I'm sorry, but I cannot help with that." : 'It is 7.',
        },
        'large-2024': { quality: 1, input: 100, output: 100, ms: 900, text: 'It is 7, of course.' },
      },
    }
  })
  const file = join(directory, 'answers.jsonl')
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'))
  return file
}

const named = (figures: Figures, name: string) => {
  const found = figures.policies.find((it) => it.name === name)
  assert.ok(found, name)
  return found
}

test('simulate: a data set through a route with a gate, beside the strongest, the weakest, random mixing and the oracle', async (t) => {
  const directory = folder(t)
  const data = answers(directory)
  const now = manifests(join(directory, 'now'), {
    strategy: { type: 'LeastCost' },
    gate: { checks: [{ type: 'Refusal' }] },
  })
  const next = manifests(join(directory, 'next'), { strategy: { type: 'LeastCost', leastCost: { floor: '0.8' } } })
  const html = join(directory, 'report.html')
  const args = [now, '--proposed', next, '--data', data, '--map', 'large=large-2024', '--html', html, '-o', 'json']
  const { code, stdout, stderr } = await simulate(...args)
  assert.equal(code, 0, stderr)
  const figures = JSON.parse(stdout) as Figures // of that command
  assert.deepEqual([figures.rows, figures.weakest, figures.strongest], [100, 'ai/models small', 'ai/models large'])
  const strong = named(figures, 'always the strongest')
  // 200 tokens at 10 USD for a million.
  assert.deepEqual([strong.quality.value, strong.cost.value.toFixed(6), strong.saved.value], [1, '2.000000', 0])
  const weak = named(figures, 'always the weakest')
  assert.deepEqual([weak.quality.value, weak.saved.value.toFixed(6)], [0.75, '0.900000'])
  const route = named(figures, 'the route')
  assert.deepEqual([route.quality.value, route.escalated?.value], [1, 0.25])
  // All ask the small one, a quarter the large one besides.
  assert.equal(route.cost.value.toFixed(6), (0.2 + 0.25 * 2).toFixed(6))
  assert.deepEqual(route.ms, { p50: 100, p95: 1000 })
  assert.deepEqual(route.shares, { 'ai/models small': 0.75, 'ai/models large': 0.25 })
  assert.equal(route.mixing?.value, 0, 'mixing is as good only where it never saves')
  const proposed = named(figures, 'as proposed')
  assert.deepEqual([proposed.shares, proposed.saved.value], [{ 'ai/models large': 1 }, 0])
  const oracle = named(figures, 'the oracle')
  assert.equal(oracle.cost.value.toFixed(6), (0.75 * 0.2 + 0.25 * 2).toFixed(6))
  for (const { quality, cost } of figures.policies) {
    assert.ok(quality.low <= quality.value && quality.value <= quality.high)
    assert.ok(cost.low <= cost.value && cost.value <= cost.high)
  }
  assert.deepEqual(
    figures.tasks.map(({ task, rows, cheapest }) => [task, rows, cheapest]),
    [
      ['history', 50, 'ai/models large'],
      ['math', 50, 'ai/models large'],
    ],
  )
  const page = readFileSync(html, 'utf8')
  assert.match(page, /<svg/)
  assert.doesNotMatch(page, /https?:\/\/|<script|<link|@import|url\(/)
  const again = await simulate(...args)
  assert.equal(again.stdout, stdout, 'the same seed gives the same figures')
  const eye = await simulate(now, '--data', data, '--map', 'large=large-2024', '--bar', '0.5')
  assert.match(eye.stdout, /the route +100\.0 % \(/)
  assert.match(eye.stdout, /random mixing, as good as the route/)
  assert.match(eye.stdout, /history +50 +50\.0 % +ai\/models small/)
})

test('simulate: what a data set lacks is said, with what to do', async (t) => {
  const directory = folder(t)
  const data = answers(directory)
  const now = manifests(join(directory, 'now'), { strategy: { type: 'LeastCost' } })
  const cases: readonly (readonly [string[], RegExp])[] = [
    [[now], /Say by --data or --log/],
    [[now, '--data', data], /large missing, and the data set has small, large-2024. Say by --map/],
    [[now, '--data', join(directory, 'nothing.jsonl')], /cannot be read/],
    [[join(directory, 'nowhere'), '--data', data], /cannot be read/],
    [[now, '--data', data, '--map', 'large=large-2024', '--model', 'other'], /models served here: chat/],
  ]
  for (const [args, why] of cases) {
    const { code, stderr } = await simulate(...args)
    assert.equal(code, 1)
    assert.match(stderr, why)
  }
  const broken = join(directory, 'broken.jsonl')
  writeFileSync(broken, '{"prompt": "a", "models": {"small": {"quality": 2}}}\n')
  const { stderr } = await simulate(now, '--data', broken)
  assert.match(stderr, /broken\.jsonl:1: small needs a quality from 0 to 1/)
})

/** A log of a route that splits by lot, in which the small model is right at three of five questions, and the large one at all but a tenth. */
function log(directory: string, lines: number): string {
  const random = seeded(7)
  const text: string[] = []
  for (let i = 0; i < lines; i++) {
    const chosen = random() < 0.5 ? 'ai/models small' : 'ai/models large'
    const target = (name: string, rank: number) => ({
      target: `ai/models ${name}`,
      endpoint: 'ai/models',
      model: name,
      priority: 0,
      rank,
      weight: 1,
      propensity: 0.5,
    })
    const other = chosen === 'ai/models small' ? 'ai/models large' : 'ai/models small'
    const cost = chosen === 'ai/models small' ? 0.0002 : 0.002
    text.push(
      JSON.stringify({
        time: 1,
        msg: 'decision',
        id: `r${i}`,
        route: 'ai/chat',
        rule: '0',
        generation: 1,
        requested: 'chat',
        reason: 'weighted',
        decision: {
          strategy: 'Weighted',
          reason: 'weighted',
          adjusted: [],
          first: [chosen],
          targets: [target('small', 1), target('large', 2)],
          order: [chosen, other],
        },
        chosen,
        endpoint: 'ai/models',
        model: chosen.slice(10),
        status: 200,
        ms: 100,
        attempts: [{ target: chosen, why: 'chosen', ms: 90, input: 100, output: 100, cost }],
        cost,
        strongest: { target: 'ai/models large', cost: 0.002 },
        prompt: `What is the answer to question ${i}?`,
        answer: '7',
      }),
      JSON.stringify({
        time: 2,
        msg: 'feedback',
        id: `r${i}`,
        reward: random() < (chosen === 'ai/models small' ? 0.6 : 0.9) ? 1 : 0,
      }),
    )
  }
  const file = join(directory, 'decisions.jsonl')
  writeFileSync(file, `${text.join('\n')}\n{"time":3,"msg":"decis`)
  return file
}

test('simulate: a decision log says what a route came to, and by its propensities what another would', async (t) => {
  const directory = folder(t)
  const now = manifests(join(directory, 'now'), { strategy: { type: 'Weighted' } })
  const next = manifests(join(directory, 'next'), { strategy: { type: 'LeastCost', leastCost: { floor: '0.8' } } })
  const { code, stdout, stderr } = await simulate(now, '--log', log(directory, 2000), '--proposed', next, '-o', 'json')
  assert.equal(code, 0, stderr)
  const told = JSON.parse(stdout) as LogFigures // of that command
  assert.deepEqual([told.decisions, told.exact, told.rewarded, told.usable], [2000, 2000, 2000, 2000])
  assert.ok(told.quality && told.quality.low < 0.75 && told.quality.high > 0.75)
  assert.ok(told.saved && Math.abs(told.saved.value - 0.45) < 0.03)
  const [own, proposed] = told.others
  assert.ok(own?.reward && proposed?.reward)
  // The log's own policy is worth what the log has; what always asks the large one, what that was worth.
  assert.ok(Math.abs(own.reward.snips.value - told.quality.value) < 1e-9)
  assert.ok(Math.abs(own.reward.effective - 2000) < 1e-6)
  assert.ok(proposed.reward.enough && Math.abs(proposed.reward.snips.value - 0.9) < 0.03)
  assert.ok(Math.abs(proposed.reward.dr.value - 0.9) < 0.03)
  assert.ok(proposed.reward.dr.low < 0.9 && proposed.reward.dr.high > 0.9)
  assert.ok(proposed.expected.own > 1.5 * proposed.expected.logged)
  const few = await simulate(now, '--log', log(directory, 2000), '--proposed', next, '--limit', '60')
  assert.match(few.stdout, /not enough evidence/)
})

test('simulate: a bandit learns from the data set as it goes', async (t) => {
  const directory = folder(t)
  const random = seeded(3)
  const rows = Array.from({ length: 600 }, (_, i) => {
    const small = random() < 0.2 ? 1 : 0
    return { prompt: `Question ${i} of them`, models: { small: { quality: small }, large: { quality: 1 } } }
  })
  const data = join(directory, 'answers.jsonl')
  writeFileSync(data, rows.map((row) => JSON.stringify(row)).join('\n'))
  const bandit = { algorithm: 'Thompson', lambda: '0.1', explore: { spendPercent: 50 } }
  const now = manifests(join(directory, 'now'), { strategy: { type: 'Bandit', bandit } })
  const { stdout, stderr } = await simulate(now, '--data', data, '-o', 'json')
  const route = named(JSON.parse(stdout || stderr) as Figures, 'the route')
  assert.ok((route.shares?.['ai/models large'] ?? 0) > 0.7, JSON.stringify(route.shares))
})

test('simulate: a table as training takes it, with the task that callers name', async (t) => {
  const directory = folder(t)
  const rows = Array.from(
    { length: 40 },
    (_, i) => `"Question ${i}, please?",${i % 2 === 0 ? 'history' : 'math'},${i % 4 === 0 ? 'no' : 'yes'},yes`,
  )
  const data = join(directory, 'ratings.csv')
  writeFileSync(data, ['prompt,task,acceptable:small,acceptable:large', ...rows].join('\n'))
  const now = manifests(
    join(directory, 'now'),
    { strategy: { type: 'LeastCost' } },
    { caller: { task: { header: 'x-tradewind-task' } } },
  )
  const { code, stdout, stderr } = await simulate(now, '--data', data, '-o', 'json')
  assert.equal(code, 0, stderr)
  const figures = JSON.parse(stdout) as Figures // of that command
  assert.deepEqual([figures.rows, named(figures, 'the route').quality.value], [40, 0.75])
  assert.deepEqual(
    figures.tasks.map(({ task, rows: own }) => [task, own]).toSorted((a, b) => String(a).localeCompare(String(b))),
    [
      ['history', 20],
      ['math', 20],
    ],
  )
  writeFileSync(data, 'prompt,acceptable:small\n"Question",perhaps')
  const wrong = await simulate(now, '--data', data)
  assert.match(wrong.stderr, /ratings\.csv:2: column "acceptable:small": it must be true or false/)
})
