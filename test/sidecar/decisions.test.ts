import assert from 'node:assert/strict'
import { createReadStream, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Agent, request } from 'undici'
import type { CompiledRoute } from '../../api/compiled.ts'
import { readLine } from '../../core/decisions/line.ts'
import type { DecisionLine } from '../../core/decisions/line.ts'
import { replayed } from '../../core/decisions/replayed.ts'
import { seeded } from '../../core/learning/random.ts'
import { RotatedFile } from '../../sidecar/decisions/file.ts'
import { Outbox } from '../../sidecar/decisions/outbox.ts'
import { readSettings } from '../../sidecar/settings.ts'
import { runProgram } from '../helpers/command.ts'
import { endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { observed } from '../helpers/observed.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstreams } from '../helpers/upstream.ts'

function folder(t: TestContext): string {
  const directory = scratch('decisions')
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

/** The decisions of a log. */
async function decisionsOf(file: string): Promise<DecisionLine[]> {
  const lines: DecisionLine[] = []
  for await (const text of createInterface(createReadStream(file))) {
    const line = readLine(text)
    if (line) lines.push(line)
  }
  return lines
}

const NAMES = ['a', 'b', 'c', 'd']

/** A server of one good answer, which costs the machine as little as may be. */
async function answering(t: TestContext): Promise<string> {
  const body = JSON.stringify({
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Yes.' } }],
    usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 },
  })
  const server = createServer((incoming, response) => {
    incoming.resume()
    incoming.on('end', () => response.setHeader('content-type', 'application/json').end(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on a port
}

/** A route of any kind of choice, by chance. */
function anyRoute(index: number, random: () => number): CompiledRoute {
  const some = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T // none is empty
  const decimal = (top: number): string => (random() * top).toFixed(3)
  const targets = NAMES.filter(() => random() < 0.7).map((name) =>
    target(name, { weight: Math.floor(random() * 5) + 1, priority: random() < 0.25 ? 1 : 0 }),
  )
  const objective = {
    ...(random() < 0.7 ? { floor: decimal(1) } : {}),
    ...(random() < 0.5 ? { lambda: decimal(2) } : {}),
    ...(random() < 0.3 ? { slo: some(['1ms', '10s']) } : {}),
  }
  const strategy = some<CompiledRoute['rules'][number]['strategy']>([
    { type: 'Weighted' },
    { type: 'LeastLatency', settings: {} },
    { type: 'LeastCost', settings: objective },
    { type: 'LeastCost', settings: objective },
    {
      type: 'Bandit',
      settings: {
        algorithm: some(['LinTS', 'LinUCB', 'Thompson', 'EpsilonGreedy']),
        floor: decimal(1),
        halfLife: 500,
        explore: { spendPercent: 2, leastPercent: 1, epsilonPercent: 5, firstRewards: 10 },
      },
    },
  ])
  const used = targets.length > 0 ? targets : [target('a')]
  const named = (name: string) => ({ endpoint: `ai/${name}` })
  const adjust = [
    { when: { headers: [] }, minRank: Math.floor(random() * 2) },
    { when: { task: ['math', 'chat'], headers: [] }, maxRank: 3 },
    { when: { headers: [] }, pin: named(some(NAMES)) },
  ].filter(() => random() < 0.3)
  return route(`route-${index}`, [
    rule(used, {
      strategy,
      ...(adjust.length > 0 ? { adjust } : {}),
      ...(random() < 0.3 ? { sticky: { header: 'x-conversation' } } : {}),
    }),
  ])
}

test('decisions: 10,000 choices of any routes about any requests are made again from their lines alone', async (t) => {
  const random = seeded(20)
  const url = await answering(t)
  const file = join(folder(t), 'decisions.jsonl')
  const endpoints = NAMES.map((name, rank) =>
    endpoint(name, `${url}/v1`, {
      models: [
        {
          name: `${name}-model`,
          rank,
          quality: { default: (0.5 + random() / 2).toFixed(3), tasks: { math: random().toFixed(3) } },
          capabilities: { ...(random() < 0.5 ? { input: ['Text'] } : {}), contextWindow: 200 + 4000 * rank },
          defaults: {},
          force: {},
          prices: [{ price: { input: `${rank + 1}.5`, output: `${3 * rank + 1}.25` } }],
        },
      ],
    }),
  )
  const routes = Array.from({ length: 60 }, (_, index) => anyRoute(index, random))
  const sidecar = await observed(t, { routes, endpoints }, Math.random, {
    to: ['file'],
    file: { path: file, size: 1e9, keep: 0 },
  })
  const agent = new Agent({ connections: 16 })
  t.after(() => agent.close())
  const words = ['Prove', 'that', '17 × 23', 'is', 'a', 'poem', 'function f() { return 1; }', 'sum', '?', '日本', 'why']
  let left = 10_000
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const text = Array.from(
        { length: 1 + Math.floor(random() * 60) },
        () => words[Math.floor(random() * words.length)],
      )
      const content =
        random() < 0.05 ? [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }] : text.join(' ')
      const { body } = await request(`${sidecar.url}/v1/chat/completions`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json', 'x-conversation': `c${Math.floor(random() * 50)}` },
        body: JSON.stringify({
          model: `route-${Math.floor(random() * routes.length)}`,
          messages: [{ role: 'user', content }],
          ...(random() < 0.2 ? { max_tokens: 1 + Math.floor(random() * 500) } : {}),
        }),
      })
      await body.dump()
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  await sidecar.journal.stop()
  const lines = await decisionsOf(file)
  assert.equal(lines.length, 10_000)
  assert.equal(sidecar.journal.dropped.get('file'), 0)
  const made = lines.filter(({ decision }) => decision)
  assert.equal(made.length, 10_000)
  // Of what nobody could take it is known why.
  const refused = lines.filter(({ code }) => code !== undefined)
  assert.ok(refused.length > 0 && refused.length < 1000, `${refused.length}`)
  for (const { decision, code } of refused) {
    assert.ok(code === 'no_capable_target' || code === 'target_not_allowed', code ?? '')
    assert.ok(decision?.order.length === 0 && decision.targets.every(({ out }) => out))
  }
  const other = made.filter(({ decision }) => decision && !replayed(decision).exact)
  assert.deepEqual(other.slice(0, 3), [])
  const first = made.filter(({ attempts, chosen, code }) => code === undefined && attempts[0]?.target !== chosen)
  assert.deepEqual(first.slice(0, 3), [], 'the one that was chosen was asked')
  assert.ok(new Set(made.map(({ reason }) => reason)).size >= 7, [...new Set(made.map(({ reason }) => reason))].join())
})

/** Least cost by what two models are good for. */
async function leastCost(t: TestContext, to: readonly ('file' | 'otlp' | 'memory')[], path?: string) {
  const mocks = await upstreams(t, {}, {})
  const rungs = [
    { rank: 1, quality: '0.6', input: '0.1', output: '0.4' },
    { rank: 2, quality: '0.9', input: '1', output: '4' },
  ]
  return observed(
    t,
    {
      routes: [
        route(
          'chat',
          [
            rule([target('a'), target('b')], {
              strategy: { type: 'LeastCost', settings: { floor: '0.5' } },
              adjust: [{ when: { headers: [], tier: ['gold'] }, minRank: 2 }],
            }),
          ],
          { caller: { tier: { header: 'x-tier', default: 'free' } } },
        ),
      ],
      endpoints: mocks.map(({ url }, i) => {
        const { rank, quality, input, output } = rungs[i] ?? { rank: 0, quality: '0', input: '0', output: '0' }
        const name = NAMES[i] ?? ''
        const model = { name: `${name}-model`, rank, quality: { default: quality }, defaults: {}, force: {} }
        return endpoint(name, `${url}/v1`, { models: [{ ...model, prices: [{ price: { input, output } }] }] })
      }),
    },
    Math.random,
    { to, file: path === undefined ? undefined : { path, size: 1e6, keep: 1 } },
  )
}

const ask = async (url: string, headers: Record<string, string> = {}) => {
  const body = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Where is the parcel?' }] })
  const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body, headers })
  await answer.text()
  return answer
}

test('decisions: a line says who was considered, why each is out, what it cost, and what was saved', async (t) => {
  const file = join(folder(t), 'decisions.jsonl')
  const { url, journal } = await leastCost(t, ['file'], file)
  await ask(url, { 'x-request-id': 'one' })
  const answer = await ask(url, { 'x-request-id': 'two', 'x-tier': 'gold' })
  await journal.stop()
  const [one, two] = await decisionsOf(file)
  assert.ok(one?.decision && two?.decision)
  assert.deepEqual(
    [one.id, one.route, one.rule, one.generation, one.tier, one.task, one.reason, one.chosen, one.status],
    ['one', 'ai/chat', 'all', 1, 'free', 'chat', 'least_cost', 'ai/a a-model', 200],
  )
  assert.match(one.features ?? '', /^[0-9a-f]{32}$/)
  assert.equal(one.features, two.features)
  assert.equal(one.prompt, undefined)
  assert.deepEqual(
    one.decision.targets.map(({ target: id, quality, cost }) => [id, quality, (cost ?? 0) > 0]),
    [
      ['ai/a a-model', 0.6, true],
      ['ai/b b-model', 0.9, true],
    ],
  )
  assert.ok(one.strongest?.target === 'ai/b b-model' && one.strongest.cost && one.cost && one.saved)
  assert.ok(Math.abs(one.saved - (one.strongest.cost - one.cost)) < 1e-12)
  assert.ok(Math.abs(one.strongest.cost - 10 * one.cost) < 1e-12, 'ten times the price for the same tokens')
  assert.equal(two.saved, 0)
  assert.equal(two.decision.targets[0]?.out?.code, 'rank')
  assert.equal(answer.headers.get('x-tradewind-reason'), two.reason)
})

test('decisions: the latest can be replayed from the sidecar, any from the log; another choice is told by the exit code', async (t) => {
  const file = join(folder(t), 'decisions.jsonl')
  const { url, admin, journal } = await leastCost(t, ['file'], file)
  await ask(url, { 'x-request-id': 'gold-1', 'x-tier': 'gold' })
  await journal.stop()
  const root = join(import.meta.dirname, '../..')
  const explain = (...args: string[]) =>
    runProgram(process.execPath, ['cli/main.ts', 'explain', ...args], { cwd: root })
  const [live, logged, unknown] = await Promise.all([
    explain('--request-id', 'gold-1', '--admin', admin),
    explain('--request-id', 'gold-1', '--log', file),
    explain('--request-id', 'nobody', '--log', file),
  ])
  assert.equal(live.code, 0, live.stderr)
  assert.equal(live.stdout, logged.stdout)
  assert.match(live.stdout, /ai\/b b-model.*asked first/)
  assert.match(live.stdout, /ai\/a a-model.*out: it has rank 1, and an adjustment asks for 2 or more/)
  assert.match(live.stdout, /the choice is the same/)
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /no decision about request nobody/)
  // Somebody has written another choice into it.
  writeFileSync(file, readFileSync(file, 'utf8').replace('"order":["ai/b b-model"]', '"order":["ai/a a-model"]'))
  const forged = await explain('--request-id', 'gold-1', '--log', file)
  assert.equal(forged.code, 1)
  assert.match(forged.stdout, /the choice is another/)
})

test('decisions: without a log, what had to be weighed is kept to be explained', async (t) => {
  const { url, admin } = await leastCost(t, [])
  await ask(url, { 'x-request-id': 'kept' })
  const found = await fetch(`${admin}/decisions?id=kept`)
  assert.equal(found.status, 200)
  assert.equal(((await found.json()) as DecisionLine).chosen, 'ai/a a-model')
  assert.equal((await fetch(`${admin}/decisions?id=other`)).status, 404)
  const { decisions } = (await (await fetch(`${admin}/decisions`)).json()) as { decisions: { id: string }[] }
  assert.deepEqual(
    decisions.map(({ id }) => id),
    ['kept'],
  )
})

test('decisions: a full file begins anew, so many are kept, and no line is cut', async (t) => {
  const path = join(folder(t), 'below/decisions.jsonl')
  const file = new RotatedFile({ path, size: 1000, keep: 2 })
  const lines = Array.from({ length: 60 }, (_, i) => JSON.stringify({ number: i, text: 'x'.repeat(i) }))
  for (let i = 0; i < lines.length; i += 7) await file.write(lines.slice(i, i + 7))
  await file.close()
  assert.equal(existsSync(`${path}.3`), false)
  const read = (name: string) => readFileSync(name, 'utf8').trimEnd().split('\n')
  const kept = [`${path}.2`, `${path}.1`, path].flatMap(read)
  assert.deepEqual(kept, lines.slice(-kept.length))
  for (const name of [path, `${path}.1`, `${path}.2`]) assert.ok(statSync(name).size <= 1000)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  // It goes on where it stopped.
  const again = new RotatedFile({ path, size: 1e6, keep: 2 })
  await again.write(['more'])
  await again.close()
  assert.equal(read(path).at(-1), 'more')
  // A line that is longer than a file may be has one of its own.
  const long = new RotatedFile({ path, size: 10, keep: 0 })
  await long.write(['y'.repeat(50), 'short'])
  await long.close()
  assert.deepEqual(read(path), ['short'])
})

test('decisions: nobody waits for a slow place: what is too much is dropped and counted', async () => {
  let release = () => {}
  const slow = new Promise<void>((resolve) => (release = resolve))
  const written: string[] = []
  const outbox = new Outbox(
    async (lines) => {
      await slow
      written.push(...lines)
    },
    () => {},
  )
  const line = 'x'.repeat(10_000)
  for (let i = 0; i < 2000; i++) outbox.add(line)
  assert.ok(outbox.dropped > 0)
  release()
  await outbox.end()
  assert.equal(written.length + outbox.dropped, 2000)
  const lost: unknown[] = []
  const broken = new Outbox(
    () => Promise.reject(new Error('no space')),
    (error) => lost.push(error),
  )
  broken.add('one')
  await broken.end()
  assert.deepEqual([broken.dropped, lost.length], [1, 1])
})

test('decisions: what cannot be written is counted and answered all the same', async (t) => {
  const directory = folder(t)
  writeFileSync(join(directory, 'taken'), '')
  const { url, admin, journal } = await leastCost(t, ['file'], join(directory, 'taken/decisions.jsonl'))
  assert.equal((await ask(url)).status, 200)
  await journal.stop()
  const metrics = await (await fetch(`${admin}/metrics`)).text()
  assert.match(metrics, /tradewind_decisions_dropped_total\{destination="file"\} 1/)
})

test('decisions: an OTLP receiver gets each as a log record', async (t) => {
  const bodies: { readonly path: string | undefined; readonly text: string }[] = []
  const receiver = createServer((incoming, response) => {
    let text = ''
    incoming.on('data', (chunk: Buffer) => (text += chunk.toString()))
    incoming.on('end', () => {
      bodies.push({ path: incoming.url, text })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.after(() => receiver.close())
  // The exporter reads the environment of the process itself.
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  t.after(() => delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'])
  const { url, journal } = await leastCost(t, ['otlp'])
  await ask(url, { 'x-request-id': 'told', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' })
  await eventually(() => assert.equal(bodies.length, 1))
  await journal.stop()
  assert.equal(bodies[0]?.path, '/v1/logs')
  const text = bodies[0].text
  for (const part of [
    '"tradewind-sidecar"',
    '"tradewind.decision"',
    '"told"',
    '"0af7651916cd43dd8448eb211c80319c"',
    '"least_cost"',
    '"ai/a a-model"',
  ])
    assert.ok(text.includes(part), `${part} is not in ${text}`)
})

test('decisions: what the environment may say of them', () => {
  const settings = (environment: Record<string, string>) => readSettings(environment).decisions
  assert.deepEqual(settings({}), { to: [], file: undefined })
  assert.deepEqual(settings({ TRADEWIND_DECISIONS: 'otlp,stdout', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x' }).to, [
    'stdout',
    'otlp',
  ])
  const kept = settings({
    TRADEWIND_DECISIONS: 'file',
    TRADEWIND_STATE_DIR: '/state',
    TRADEWIND_DECISIONS_FILE_KEEP: '7',
  })
  assert.deepEqual(kept.file, { path: '/state/decisions.jsonl', size: 8 * 1024 * 1024, keep: 7 })
  assert.throws(
    () => settings({ TRADEWIND_DECISIONS: 'paper' }),
    /TRADEWIND_DECISIONS is paper; it takes off, memory, stdout, file, otlp/,
  )
  assert.throws(() => settings({ TRADEWIND_DECISIONS: 'file' }), /TRADEWIND_DECISIONS_FILE must say which/)
  assert.throws(() => settings({ TRADEWIND_DECISIONS: 'otlp' }), /OTEL_EXPORTER_OTLP_ENDPOINT must say where/)
})

test('decisions: what is known of a request is in its line, and none of its words', async (t) => {
  const file = join(folder(t), 'decisions.jsonl')
  const url = await answering(t)
  const parts = {
    routes: [route('chat', [rule([target('a')])], { decisions: { percent: 100 } })],
    endpoints: [endpoint('a', `${url}/v1`)],
  }
  const { url: sidecar, journal } = await observed(t, parts, undefined, {
    to: ['file'],
    file: { path: file, size: 1e6, keep: 0 },
  })
  const messages = [
    { role: 'system', content: 'Будь краток.' },
    { role: 'user', content: 'Привет' },
    { role: 'assistant', content: 'Да?' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Что это?' },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      ],
    },
  ]
  const tools = [{ type: 'function', function: { name: 'weather' } }]
  const body = JSON.stringify({ model: 'chat', messages, tools, max_tokens: 50 })
  assert.equal((await fetch(`${sidecar}/v1/chat/completions`, { method: 'POST', body })).status, 200)
  await journal.stop()
  const text = readFileSync(file, 'utf8')
  const { asked } = readLine(text.trim()) ?? {}
  const { system, inputs, ...rest } = asked ?? { inputs: [] }
  assert.match(system ?? '', /^[0-9a-f]{32}$/)
  assert.deepEqual(new Set(inputs), new Set(['Image', 'Text']))
  assert.deepEqual(rest, { turns: 2, language: 'Cyrillic', tools: 1, jsonSchema: false, maxTokens: 50 })
  for (const word of ['Будь', 'Привет', 'Что', 'weather', 'example.com']) assert.ok(!text.includes(word), word)
})

test('decisions: the content of a stream is written down as it was said, and the stream goes on as it came', async (t) => {
  const file = join(folder(t), 'decisions.jsonl')
  const [mock] = await upstreams(t, {})
  const decided = { percent: 100, content: { percent: 100 } }
  const { url, journal } = await observed(
    t,
    {
      routes: [route('chat', [rule([target('a')])], { decisions: decided })],
      endpoints: [endpoint('a', `${mock.url}/v1`)],
    },
    Math.random,
    { to: ['file'], file: { path: file, size: 1e6, keep: 0 } },
  )
  const body = JSON.stringify({
    model: 'chat',
    stream: true,
    messages: [{ role: 'user', content: 'Hello, ann@example.org' }],
  })
  const text = await (await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })).text()
  assert.match(text, /data: \[DONE\]/)
  await journal.stop()
  const [line] = await decisionsOf(file)
  assert.equal(line?.prompt, 'Hello, [redacted]')
  assert.match(line.answer ?? '', /^a heard: Hello, \[redacted\]/)
})
