import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { CompiledBody, CompiledConfig, ResourceKey } from '../../api/compiled.ts'
import { digest } from '../../core/digest.ts'
import { digestOf } from '../../sidecar/follower.ts'
import { LastGood } from '../../sidecar/last-good.ts'
import { bundle, programs } from '../../tool/bundle.ts'
import { startChild } from '../helpers/child.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { gate, says } from '../helpers/ladder.ts'
import { freePorts } from '../helpers/ports.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstreams } from '../helpers/upstream.ts'

const directory = scratch('bundle')
const program = join(directory, 'sidecar.mjs')
before(() => bundle(programs.sidecar, program))
after(() => rmSync(directory, { recursive: true }))

/** Runs before the program, and says at its end which of Node's own modules it has loaded. */
const spy = `process.on('exit', () => process.stdout.write('\\nBUILTINS ' + process.moduleLoadList.join() + '\\n'))`

/** Runs the bundle over a saved configuration until it listens, asks it for `ask` on its traffic port, with a body where one is given, and returns its log. */
async function run(config: CompiledConfig, ask: string, body?: object): Promise<string> {
  const state = scratch('bundle-state')
  try {
    const saver = new LastGood(state, (error) => assert.fail(String(error)))
    saver.save({ config, digest: digestOf(config), since: 1 })
    await saver.written()
    const [traffic, admin, metrics] = await freePorts(3)
    const log = join(state, 'log')
    const child = startChild(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(spy)}`, program],
      {
        log,
        env: {
          ...process.env,
          TRADEWIND_STATE_DIR: state,
          TRADEWIND_LISTEN: `127.0.0.1:${traffic}`,
          TRADEWIND_ADMIN: `127.0.0.1:${admin}`,
          TRADEWIND_METRICS: `127.0.0.1:${metrics}`,
        },
      },
    )
    try {
      await eventually(() => assert.match(readFileSync(log, 'utf8'), /Listening/), { within: 20_000 })
      const posted = body && { method: 'POST', body: JSON.stringify(body) }
      await (await fetch(`http://127.0.0.1:${traffic}${ask}`, posted)).text()
      const page = await fetch(`http://127.0.0.1:${metrics}/metrics`)
      assert.match(await page.text(), /^tradewind_requests_total/m)
    } finally {
      await child.stop()
    }
    return readFileSync(log, 'utf8')
  } finally {
    rmSync(state, { recursive: true })
  }
}

function configOf(bodies: Readonly<Record<ResourceKey, unknown>>): CompiledConfig {
  return new Map(
    Object.entries(bodies).map(([key, body]) => [
      key as ResourceKey, // as the argument's type has them
      { digest: digest(body), body: body as CompiledBody }, // right or wrong is what is tested
    ]),
  )
}

const good = {
  'endpoint/ai/a': endpoint('a', 'http://127.0.0.1:9/v1'),
  'route/ai/chat': route('chat', [rule([target('a')])]),
}

test('bundle: it serves, and loads none of what Node keeps for others', async () => {
  const log = await run(configOf(good), '/v1/models')
  assert.match(log, /Serving from the saved configuration/)
  assert.match(log, /"surface":"models".*"status":200/)
  const loaded = /^BUILTINS (.*)$/m.exec(log)?.[1]?.split(',') ?? []
  assert.ok(loaded.includes('NativeModule http'))
  assert.deepEqual(
    loaded.filter((name) => /undici|http2/.test(name)),
    [],
  )
})

test('bundle: the engine of patterns is in it, for the first of them', async () => {
  const matches = [{ headers: [], text: { in: 'LastUser', pattern: 'contract|court', ignoreCase: true } }] as const
  const rules = [rule([target('a')], { matches }), rule([target('a')], { name: 'rest' })]
  const log = await run(configOf({ ...good, 'route/ai/chat': route('chat', rules) }), '/v1/models')
  assert.match(log, /Serving from the saved configuration/)
})

test('bundle: what carries opaque requests is in it, for the first of them', async (t) => {
  const [mock] = await upstreams(t, { echo: true })
  const models = [{ name: '', rank: 0, defaults: {}, force: {} }]
  const matches = [{ headers: [], path: { type: 'Prefix' as const, value: '/v2' } }]
  const config = configOf({
    'endpoint/ai/a': endpoint('a', mock.url, { provider: { type: 'HTTP' }, models }),
    'route/ai/files': route('files', [rule([target('a', { model: '' })], { matches })], { models: [] }),
  })
  const log = await run(config, '/v2/files')
  assert.match(log, /"status":200/)
  assert.equal(mock.stats().requests, 1)
})

test('bundle: the schemas of callers are compiled in it, for the first of them', async (t) => {
  const [a, b] = await upstreams(t, { faults: [says('{"n": "seven"}')] }, {})
  const targets = [target('a'), target('b', { priority: 1 })]
  const config = configOf({
    'endpoint/ai/a': endpoint('a', `${a.url}/v1`),
    'endpoint/ai/b': endpoint('b', `${b.url}/v1`, { models: [{ name: 'b-model', rank: 1, defaults: {}, force: {} }] }),
    'route/ai/chat': route('chat', [rule(targets, { gate: gate({ checks: [{ type: 'Format' }] }) })]),
  })
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer' }, word: { type: 'string', pattern: '^(a+)+$' } },
    required: ['n'],
    additionalProperties: false,
  }
  const log = await run(config, '/v1/chat/completions', {
    model: 'chat',
    messages: [{ role: 'user', content: 'Seven, please.' }],
    response_format: { type: 'json_schema', json_schema: { name: 'n', schema } },
  })
  assert.match(log, /"check":"Format","failed":true,"detail":"it does not fit/)
})

test('bundle: the validators made ahead of time find what those of the sources find', async (t) => {
  const config = configOf({
    'endpoint/ai/a': { ...good['endpoint/ai/a'], url: 7, models: [], unknown: true },
    'endpoint/ai/b': { ...good['endpoint/ai/a'], provider: { type: 'Nobody' } },
    'addresses/ai/a': { addresses: [{ host: 'a'.repeat(5000), port: 0 }] },
    'secret/ai/a': { data: { key: 1 } },
    'route/ai/chat': { ...good['route/ai/chat'], rules: [{ name: 'x' }] },
  })
  const { path } = await dataPath(t, { endpoints: [], routes: [] })
  const expected = path.configuration.apply(config)
  assert.ok(expected.length >= 5)
  const log = await run(config, '/v1/models')
  const line = log.split('\n').find((it) => it.includes('cannot be used')) ?? '{}'
  assert.deepEqual(JSON.parse(line).problems, expected)
})
