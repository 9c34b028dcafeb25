import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { dump } from 'js-yaml'
import { Agent, request } from 'undici'
import type { ExperimentView } from '../../operator/experiments.ts'
import { runProgram } from '../helpers/command.ts'
import { eventually } from '../helpers/eventually.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstreams } from '../helpers/upstream.ts'
import { program, root, run } from './running.ts'

const metrics = [
  { metric: 'Cost', primary: true, minimumEffect: '0.1' },
  { metric: 'ErrorRate', minimumEffect: '0.2' },
]

/** A local run of a route with an experiment over two endpoints; `prices` are those of the arms, USD per million tokens. */
async function lab(
  t: TestContext,
  experiment: object,
  { prices = ['1.00', '1.00'], rule = {} }: { prices?: readonly [string, string]; rule?: object } = {},
) {
  const directory = scratch('experiment')
  mkdirSync(directory, { recursive: true })
  t.after(() => rmSync(directory, { recursive: true }))
  const [a, b] = await upstreams(t, { keep: 0 }, { keep: 0 })
  const endpoint = (name: string, url: string, price: string) => ({
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelEndpoint',
    metadata: { name },
    spec: {
      provider: { type: 'OpenAICompatible' },
      address: { type: 'URL', url: `${url}/v1` },
      models: [{ name: 'm', price: { input: price, output: price } }],
    },
  })
  const route = (own: object, rest: object = rule) => ({
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name: 'chat' },
    spec: {
      models: ['chat'],
      rules: [
        {
          name: 'all',
          targets: [{ endpoint: { name: 'a' } }, { endpoint: { name: 'b' }, weight: 0 }],
          experiment: {
            name: 'cheaper',
            unit: { header: 'x-user' },
            arms: [
              { name: 'control', endpoint: { name: 'a' } },
              { name: 'treatment', endpoint: { name: 'b' } },
            ],
            metrics,
            samples: 150,
            ...own,
          },
          ...rest,
        },
      ],
    },
  })
  const save = (own: object, rest?: object) => writeFileSync(join(directory, 'route.yaml'), dump(route(own, rest)))
  for (const [name, url, price] of [
    ['a', a.url, prices[0]],
    ['b', b.url, prices[1]],
  ] as const)
    writeFileSync(join(directory, `${name}.yaml`), dump(endpoint(name, url, price)))
  save(experiment)
  const running = await run(t, directory)
  const agent = new Agent({ connections: 8 })
  t.after(() => agent.close())
  let next = 0
  /** Asks for so many users, each of whom asks `each` times with prompts of lengths of their own. */
  const ask = async (users: number, each = 1) => {
    const answers: { readonly arm: string; readonly endpoint: string; readonly reason: string }[] = []
    for (let user = 0; user < users; user++) {
      const name = `user-${next++}`
      for (let i = 0; i < each; i++) {
        const content = 'word '.repeat(5 + ((next * 7 + i * 13) % 11))
        const { statusCode, headers, body } = await request(`${running.url}/v1/chat/completions`, {
          method: 'POST',
          dispatcher: agent,
          headers: { 'x-user': name },
          body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content }] }),
        })
        await body.dump()
        assert.equal(statusCode, 200)
        const said = (word: string) => String(headers[`x-tradewind-${word}`] ?? '')
        answers.push({ arm: said('experiment'), endpoint: said('endpoint'), reason: said('reason') })
      }
    }
    return answers
  }
  const view = async (): Promise<ExperimentView> => {
    const { body } = await request(`${running.admin}/v1/experiments`, { dispatcher: agent })
    const { experiments } = (await body.json()) as { experiments: readonly ExperimentView[] } // what the page is
    const [first] = experiments
    assert.ok(first, 'no experiment is told of yet')
    return first
  }
  return { ...running, a, b, ask, view, save }
}

test('experiment: an arm that is cheaper ships, and all requests go there from then on', async (t) => {
  const { ask, view, admin, printed, save } = await lab(t, { onDecision: 'Ship' }, { prices: ['2.00', '1.00'] })
  const first = await ask(150, 3)
  // On a slow machine it is decided before the last of them.
  const arms = new Set(first.slice(0, 290).map(({ arm }) => arm))
  assert.deepEqual([...arms].sort(), ['cheaper/control', 'cheaper/treatment'])
  const decided = await eventually(
    async () => {
      const found = await view()
      assert.equal(found.phase, 'Decided', found.message)
      return found
    },
    { within: 20_000 },
  )
  assert.deepEqual([decided.decision, decided.winner, decided.reason], ['Ship', 'treatment', 'Better'])
  assert.ok(decided.arms.every(({ requests }) => requests >= 150))
  const cost = decided.metrics.find(({ metric }) => metric === 'Cost')
  assert.ok(cost?.verdict === 'Better' && Number(cost.upper) < 0, JSON.stringify(cost))
  await eventually(async () => {
    const answers = await ask(10)
    assert.ok(answers.every(({ arm, endpoint: by }) => arm === '' && by.endsWith('/b')))
  })
  assert.match(printed(), /ExperimentShip ModelRoute default\/chat: Experiment cheaper of rule all: treatment\./)

  const table = await runProgram(process.execPath, [program, 'experiment', 'status', '--admin', admin], { cwd: root })
  assert.match(table.stdout, /default\/chat +all +cheaper +Ship treatment +Better +\d+\/\d+ +Cost treatment -/)
  const one = ['experiment', 'status', 'chat', '--admin', admin]
  const details = await runProgram(process.execPath, [program, ...one], { cwd: root })
  assert.match(details.stdout, /METRIC +ARM[^]*Cost\* +treatment[^]*Better[^]*ErrorRate +treatment/)
  const json = await runProgram(process.execPath, [program, ...one, '-o', 'json'], { cwd: root })
  assert.equal(JSON.parse(json.stdout).experiments[0].winner, 'treatment')
  const none = await runProgram(process.execPath, [program, 'experiment', 'status', 'other', '--admin', admin], {
    cwd: root,
  })
  assert.match(none.stderr, /There is no experiment of route other/)
  assert.notEqual(none.code, 0)

  // Reported only, it changes nothing; with another salt it begins anew.
  save({ onDecision: 'Report' })
  await eventually(async () => assert.notEqual((await ask(1))[0]?.arm, ''))
  assert.equal((await view()).phase, 'Decided')
  save({ onDecision: 'Ship', salt: 'again' })
  await eventually(async () => assert.equal((await view()).phase, 'Running'))
  await eventually(async () => assert.notEqual((await ask(1))[0]?.arm, ''))
})

test('experiment: arms that are alike are not decided, but stop once no effect that counts is possible', async (t) => {
  const { ask, view } = await lab(t, { metrics: [{ metric: 'Cost', primary: true, minimumEffect: '0.3' }] })
  await ask(40, 2)
  const running = await eventually(async () => {
    const found = await view()
    assert.equal(
      found.arms.reduce((sum, { requests }) => sum + requests, 0),
      80,
    )
    return found
  })
  assert.deepEqual([running.phase, running.reason], ['Running', 'Collecting'])
  await ask(200, 2)
  const stopped = await eventually(async () => {
    const found = await view()
    assert.equal(found.phase, 'Decided', found.message)
    return found
  })
  assert.deepEqual([stopped.decision, stopped.winner, stopped.reason], ['Stop', 'control', 'NoEffect'])
  assert.ok(stopped.metrics.every(({ verdict }) => verdict === 'Open'))
})

test('experiment: an arm that fails is out at once, and what is asked of it is answered by another', async (t) => {
  const { b, ask, view } = await lab(t, { onDecision: 'Ship', samples: 10_000 })
  await b.setFaults(['status=500'])
  const answers = await ask(150, 2)
  assert.ok(answers.every(({ endpoint: by }) => by.endsWith('/a')))
  const stopped = await eventually(async () => {
    const found = await view()
    assert.equal(found.phase, 'Decided', found.message)
    return found
  })
  assert.deepEqual([stopped.decision, stopped.winner, stopped.reason], ['Stop', 'control', 'Harmful'])
  assert.match(stopped.message, /ErrorRate of treatment differs from control by \+100 points/)
})
