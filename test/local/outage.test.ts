import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import OpenAI from 'openai'
import { eventually } from '../helpers/eventually.ts'
import { freePorts } from '../helpers/ports.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstreams } from '../helpers/upstream.ts'
import { worldOf } from './fleet.ts'
import { operator } from './operator.ts'
import { startSidecar } from './sidecar.ts'

test('outage: the operator dies under load, a sidecar restarts without it, and only what differs is pushed when it is back', async (t) => {
  const folder = scratch('outage')
  t.after(() => rmSync(folder, { recursive: true }))
  const [a, b] = await upstreams(t, {}, {})
  const world = worldOf({ a, b })
  world.route('ai/r', 'chat', { a: 1, b: 1 })
  for (let i = 0; i < 100; i++) world.route(`ai/more-${i}`, `m${i}`, { a: 1 })
  const first = await operator(t, world)
  const [traffic = 0, admin = 0, metrics = 0] = await freePorts(3)
  const start = () =>
    startSidecar(t, {
      ports: [traffic, admin, metrics],
      operator: first.port,
      tokenFile: '/dev/null',
      log: join(folder, 'log'),
      env: { TRADEWIND_STATE_DIR: folder },
    })
  const openai = new OpenAI({ baseURL: `http://127.0.0.1:${traffic}/v1`, apiKey: 'unused', maxRetries: 0 })
  const ask = () => openai.chat.completions.create({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }] })

  const before = start()
  await eventually(ask, { within: 30_000, every: 100 })
  const failures: unknown[] = []
  const enough = new AbortController()
  const load = Array.from({ length: 4 }, async () => {
    while (!enough.signal.aborted) await ask().catch((error: unknown) => failures.push(error))
  })
  await first.kill()
  const answered = () => a.stats().requests + b.stats().requests
  const atTheKill = answered()
  await eventually(() => assert.ok(answered() > atTheKill + 200), { within: 30_000 })
  enough.abort()
  await Promise.all(load)
  assert.deepEqual(failures, [])

  await before.stop(10_000)
  start()
  await eventually(ask, { within: 30_000, every: 100 })

  world.route('ai/r', 'chat', { a: 0, b: 1 })
  const second = await operator(t, world, { port: first.port })
  await eventually(
    () =>
      assert.equal(
        second.push.fleet().sidecars[0]?.serves.get('route/ai/r'),
        world.compiler.resources.get('route/ai/r')?.digest,
      ),
    {
      within: 30_000,
    },
  )
  assert.equal(second.pushed.length, 1)
  assert.ok((second.pushed[0] ?? Infinity) < 1500, `${second.pushed[0]} bytes`)
  a.reset()
  for (let i = 0; i < 20; i++) await ask()
  assert.equal(a.stats().requests, 0)
})
