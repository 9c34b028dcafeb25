import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { startChild } from '../helpers/child.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePorts } from '../helpers/ports.ts'
import { scratch } from '../helpers/scratch.ts'

const root = join(import.meta.dirname, '../..')

/** Runs before the program, and writes down each module that is loaded. */
const spy = `
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) appendFileSync(process.env.LOADED, url + '\\n')
    return next(url, context)
  },
})`

/** Starts the sidecar as a program. `modules()` are those that it has loaded by now: packages by name, our own by path. */
async function started(t: TestContext, env: Record<string, string> = {}) {
  const directory = scratch('imports')
  const loaded = join(directory, 'loaded')
  const log = join(directory, 'log')
  const [traffic, admin, metrics] = await freePorts(3)
  const child = startChild(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(spy)}`, join(root, 'sidecar/main.ts')],
    {
      log,
      env: {
        ...process.env,
        ...env,
        LOADED: loaded,
        TRADEWIND_LISTEN: `127.0.0.1:${traffic}`,
        TRADEWIND_ADMIN: `127.0.0.1:${admin}`,
        TRADEWIND_METRICS: `127.0.0.1:${metrics}`,
      },
    },
  )
  t.after(async () => {
    await child.stop()
    rmSync(directory, { recursive: true })
  })
  await eventually(() => assert.match(readFileSync(log, 'utf8'), /Listening/), { within: 20_000 })
  const modules = () => [
    ...new Set(
      readFileSync(loaded, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((url) => {
          const path = decodeURIComponent(new URL(url).pathname)
          const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? []
          return name ?? path.slice(root.length + 1)
        }),
    ),
  ]
  return { modules, admin: `http://127.0.0.1:${admin}`, metrics: `http://127.0.0.1:${metrics}` }
}

const never =
  /^(@kubernetes\/|@opentelemetry\/sdk-node|@opentelemetry\/instrumentation|express$|commander$|js-yaml$|pino$|@marcbachmann\/|@peculiar\/|lru-cache$)/
const lazy = /^(@opentelemetry\/|prom-client$|http-proxy$|re2js$)/
const schemas =
  /^api\/(model-|crd|kinds|generate|reference|conditions|selector|parse|cel)|^(operator|cli|test|bench|tool)\//

test('imports: at its start the sidecar loads neither what it never needs nor what it may need later', async (t) => {
  const { modules } = await started(t)
  const loaded = modules()
  assert.ok(loaded.includes('sidecar/main.ts') && loaded.includes('ajv'), 'the spy sees our own modules and packages')
  for (const unwanted of [never, lazy, schemas])
    assert.deepEqual(
      loaded.filter((module) => unwanted.test(module)),
      [],
    )
})

test('imports: what writes metrics is loaded when somebody reads them', async (t) => {
  const { modules, metrics } = await started(t)
  const answer = await fetch(`${metrics}/metrics`)
  assert.match(await answer.text(), /tradewind_config_info/)
  const loaded = modules()
  assert.ok(loaded.includes('prom-client'))
  assert.deepEqual(
    loaded.filter((module) => never.test(module) || schemas.test(module)),
    [],
  )
})

test('imports: what sends traces is loaded where there is somebody to send them to', async (t) => {
  const receiver = createServer((_, response) => void response.end('{}'))
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.after(() => receiver.close())
  const { port } = receiver.address() as AddressInfo // it listens on a port
  const { modules } = await started(t, { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })
  await eventually(() => assert.ok(modules().includes('@opentelemetry/exporter-trace-otlp-http')), { within: 20_000 })
  assert.deepEqual(
    modules().filter((module) => never.test(module)),
    [],
  )
})
