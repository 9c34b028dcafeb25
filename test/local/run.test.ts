import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import OpenAI from 'openai'
import { eventually } from '../helpers/eventually.ts'
import { runProgram } from '../helpers/command.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstreams } from '../helpers/upstream.ts'
import { program, root, run } from './running.ts'

const endpoint = (name: string, url: string) => `---
apiVersion: tradewind.dev/v1alpha1
kind: ModelEndpoint
metadata: { name: ${name} }
spec:
  provider: { type: OpenAICompatible }
  address: { type: URL, url: '${url}/v1' }
  models: [{ name: ${name}-model }]
`
const route = (a: number | string, b: number, rest = '') => `---
apiVersion: tradewind.dev/v1alpha1
kind: ModelRoute
metadata: { name: chat }
spec:
  models: [chat]${rest}
  rules:
    - targets:
        - { endpoint: { name: a }, weight: ${a} }
        - { endpoint: { name: b }, weight: ${b} }
`

/** A directory with a route over two simulated models. */
async function manifests(t: TestContext) {
  const folder = scratch('manifests')
  t.after(() => rmSync(folder, { recursive: true }))
  const [a, b] = await upstreams(t, {}, {})
  writeFileSync(join(folder, 'endpoints.yaml'), endpoint('a', a.url) + endpoint('b', b.url))
  const save = (text: string) => writeFileSync(join(folder, 'route.yaml'), text)
  save(route(90, 10))
  return { folder, save, a, b }
}

const client = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 })
const messages = [{ role: 'user' as const, content: 'Hello' }]

/** Which endpoint answered. */
async function ask(openai: OpenAI): Promise<string> {
  const { response } = await openai.chat.completions.create({ model: 'chat', messages }).withResponse()
  return response.headers.get('x-tradewind-endpoint') ?? ''
}

test('run: the OpenAI SDK, whole answers and streams, and the models that there are', async (t) => {
  const { folder } = await manifests(t)
  const { url } = await run(t, folder)
  const openai = client(url)
  const answer = await openai.chat.completions.create({ model: 'chat', messages })
  assert.match(answer.choices[0]?.message.content ?? '', /heard: Hello/)
  let text = ''
  for await (const chunk of await openai.chat.completions.create({ model: 'chat', messages, stream: true }))
    text += chunk.choices[0]?.delta.content ?? ''
  assert.match(text, /heard: Hello/)
  assert.deepEqual(
    (await openai.models.list()).data.map(({ id }) => id),
    ['chat'],
  )
})

test('run: under load, an edit from 90/10 to 50/50 changes the split of the next requests, and none fails', async (t) => {
  const { folder, save, a, b } = await manifests(t)
  const { url, printed } = await run(t, folder)
  const openai = client(url)
  const enough = new AbortController()
  let failed: unknown
  const load = Array.from({ length: 8 }, async () => {
    while (!enough.signal.aborted)
      await ask(openai).catch((error: unknown) => {
        failed ??= error
      })
  })
  /** The shares of what the models are asked from now on. */
  const share = async (of: number) => {
    a.reset()
    b.reset()
    await eventually(() => assert.ok(a.stats().requests + b.stats().requests >= of), { within: 30_000 })
    return a.stats().requests / (a.stats().requests + b.stats().requests)
  }
  assert.ok(Math.abs((await share(1000)) - 0.9) < 0.02)
  for (const [weights, expected] of [
    [{ a: 50, b: 50 }, 0.5],
    [{ a: 0, b: 1 }, 0],
    [{ a: 1, b: 0 }, 1],
    [{ a: 3, b: 1 }, 0.75],
  ] as const) {
    save(route(weights.a, weights.b))
    const generation = new RegExp(
      `ModelRoute default/chat generation \\d+: ${expected === 1 ? '100% a\\b' : expected === 0 ? '100% b\\b' : `${expected * 100}% a`}`,
    )
    await eventually(() => assert.match(printed().split('\n').at(-1) ?? '', generation))
    const seen = await share(600)
    assert.ok(Math.abs(seen - expected) < 0.02, `${seen} instead of ${expected}`)
  }
  enough.abort()
  await Promise.all(load)
  assert.equal(failed, undefined)
})

test('run: a broken save keeps serving, says where, and is over with the next save', async (t) => {
  const { folder, save } = await manifests(t)
  const { url, admin, printed } = await run(t, folder)
  const openai = client(url)
  const file = join(folder, 'route.yaml')
  const last = () => printed().split('\n').at(-1) ?? ''

  save(route('many', 1))
  await eventually(() =>
    assert.ok(
      last().startsWith(`problem ${file}:9: ModelRoute default/chat: spec.rules[0].targets[0].weight: `),
      last(),
    ),
  )
  await ask(openai)
  save('kind: [')
  await eventually(() => assert.match(last(), /^problem .*route\.yaml:1: .*goes on serving/))
  await ask(openai)
  const { code, stdout } = await runProgram(process.execPath, [program, 'status', '--admin', admin], { cwd: root })
  assert.equal(code, 1)
  assert.match(stdout, /default\/chat: Accepted Invalid: .*route\.yaml:1: .*Generation 1 goes on serving/)

  save(route(1, 0).replace('name: a }', 'name: missing }'))
  await eventually(() =>
    assert.match(
      last(),
      /^warning .*route\.yaml:2: ModelRoute default\/chat: EndpointNotFound: .*default\/missing does not exist/,
    ),
  )
  save(route(0, 1))
  await eventually(() => assert.match(last(), /ModelRoute default\/chat generation 3: 100% b/))
  for (let i = 0; i < 10; i++) assert.equal(await ask(openai), 'default/b')
})

test('run: what the sidecar refuses is told, and what was there before goes on serving', async (t) => {
  const { folder } = await manifests(t)
  const { url, admin, printed } = await run(t, folder)
  const file = join(folder, 'endpoints.yaml')
  const good = readFileSync(file, 'utf8')
  const secret = `---
apiVersion: v1
kind: Secret
metadata: { name: pair, labels: { tradewind.dev/use: credentials } }
stringData: { tls.crt: this is no certificate, tls.key: nor is this a key }
`
  writeFileSync(
    file,
    `${secret}${good.replace('http:', 'https:').replace('models: [{ name: a-model }]', 'models: [{ name: a-model }]\n  tls: { clientCertificate: { name: pair } }')}`,
  )
  await eventually(() =>
    assert.match(printed(), /^\S+ refused ModelEndpoint default\/a: 1 of 1 connected sidecars refused generation 2 /m),
  )
  for (let i = 0; i < 20; i++) await ask(client(url))
  const { code, stdout } = await runProgram(process.execPath, [program, 'status', '--admin', admin], { cwd: root })
  assert.equal(code, 1)
  assert.match(stdout, /refused: /)
  writeFileSync(file, good)
  await eventually(
    async () => {
      const status = await runProgram(process.execPath, [program, 'status', '--admin', admin], { cwd: root })
      assert.equal(status.code, 0, status.stdout)
    },
    { within: 20_000 },
  )
})

test('run: plays the pod that it is told to, and says which routes are for others', async (t) => {
  const { folder, save } = await manifests(t)
  save(route(1, 0, '\n  workloads: { selector: { matchLabels: { app: web } } }'))
  const plain = await run(t, folder)
  assert.match(plain.printed(), /default\/chat is for other pods/)
  await assert.rejects(ask(client(plain.url)), { status: 404 })
  const web = await run(t, folder, ['--label', 'app=web'])
  assert.equal(await ask(client(web.url)), 'default/a')

  mkdirSync(join(folder, 'ai'))
  const other = await manifests(t)
  other.save(route(1, 0).replace('name: chat }', 'name: chat, namespace: ai }'))
  writeFileSync(
    join(other.folder, 'endpoints.yaml'),
    readFileSync(join(other.folder, 'endpoints.yaml'), 'utf8').replaceAll(
      /name: (a|b) }/g,
      'name: $1, namespace: ai }',
    ),
  )
  const ai = await run(t, other.folder)
  assert.equal(await ask(client(ai.url)), 'ai/a', 'the namespace that all routes are in is the one')
})

test('run: explains and shows the status of what runs', async (t) => {
  const { folder } = await manifests(t)
  const { url, admin } = await run(t, folder)
  const answered = { a: 0, b: 0 }
  for (let i = 0; i < 20; i++) answered[(await ask(client(url))) === 'default/a' ? 'a' : 'b']++
  // Any 20 in a row are off by one at the most, depending on where the sequence starts.
  assert.ok(Math.abs(answered.b - 2) <= 1, JSON.stringify(answered))
  const explained = await runProgram(process.execPath, [program, 'explain', '--model', 'chat', '--admin', admin], {
    cwd: root,
  })
  assert.match(explained.stdout, /90.* %? *default\/a/)
  await eventually(
    async () => {
      const { stdout } = await runProgram(process.execPath, [program, 'status', '--admin', admin, '-o', 'json'], {
        cwd: root,
      })
      const [only] = JSON.parse(stdout).routes
      assert.equal(only.status.programmed, '1/1')
      assert.deepEqual(
        only.status.rules[0].targets.map(({ requests }: { requests: number }) => requests),
        [answered.a, answered.b],
      )
    },
    { within: 20_000 },
  )
})

test('run: a directory that is not there, and a port that is taken, are said in one line', async (t) => {
  const { folder } = await manifests(t)
  const missing = await runProgram(process.execPath, [program, 'run', join(folder, 'nothing')], { cwd: root })
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /nothing is no directory of manifests\.\n$/)
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.after(() => taken.close())
  const { port } = taken.address() as AddressInfo // it listens on a port
  const args = [program, 'run', folder, '--listen', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0']
  const refused = await runProgram(process.execPath, args, { cwd: root })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, new RegExp(`127\\.0\\.0\\.1:${port} is taken`))
})

test('run: ends when it is asked to, after what is in flight', async (t) => {
  const { folder, a } = await manifests(t)
  a.setPace({ latency: '500ms' })
  const { url, child } = await run(t, folder)
  const answer = ask(client(url))
  await eventually(() => assert.equal(a.stats().requests, 1))
  const ended = child.stop(10_000)
  assert.equal(await answer, 'default/a')
  await ended
  assert.equal(await child.ended, 0)
})

test('run: decisions are kept to be explained, and written where they are asked for', async (t) => {
  const { folder } = await manifests(t)
  const file = join(scratch('run-decisions'), 'decisions.jsonl')
  t.after(() => rmSync(join(file, '..'), { recursive: true }))
  const { url, admin } = await run(t, folder, ['--decisions', file])
  await client(url).chat.completions.create({ model: 'chat', messages }, { headers: { 'x-request-id': 'one' } })
  const written = await eventually(() => {
    const text = readFileSync(file, 'utf8')
    assert.match(text, /"id":"one"/)
    return text
  })
  const kept = (await (await fetch(`${admin}/decisions?id=one`)).json()) as object
  assert.deepEqual(kept, JSON.parse(written))
  const { code, stdout } = await runProgram(
    process.execPath,
    [program, 'explain', '--request-id', 'one', '--log', file],
    {
      cwd: root,
    },
  )
  assert.equal(code, 0)
  assert.match(stdout, /Reason weighted[^]*0\.900[^]*the choice is the same/)
})
