import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { WebSocketServer } from 'ws'
import { CONFIG_PATH } from '../../api/protocol.ts'
import { issue, makeRoot } from '../../operator/certificates.ts'
import { Client } from '../../sidecar/client.ts'
import type { ClientOptions } from '../../sidecar/client.ts'
import { Follower } from '../../sidecar/follower.ts'
import type { Held } from '../../sidecar/follower.ts'
import { LastGood } from '../../sidecar/last-good.ts'
import { eventually } from '../helpers/eventually.ts'
import { scratch } from '../helpers/scratch.ts'
import { TestWorld } from './fleet.ts'
import { operator } from './operator.ts'

function sidecar(t: TestContext, port: number, rest: Partial<ClientOptions> & { held?: Held; scheme?: string } = {}) {
  const { held, scheme = 'ws', ...options } = rest
  const applied: Held[] = []
  const said: string[] = []
  const follower = new Follower({ apply: () => [], wall: Date.now, applied: (it) => void applied.push(it) }, held)
  const client = new Client({
    operator: `${scheme}://127.0.0.1:${port}`,
    follower,
    retry: { base: 20, cap: 100 },
    changed: (_, why) => void said.push(why),
    ...options,
  })
  client.start()
  t.after(() => client.stop())
  const weight = () => {
    const body = follower.held.config.get('route/ai/r')?.body
    return body && 'rules' in body ? body.rules[0]?.targets[0]?.weight : undefined
  }
  return { client, follower, applied, said, weight }
}

function worldOf(routes: number): TestWorld {
  const world = new TestWorld()
  world.endpoint('ai/a')
  world.route('ai/r', 'chat', { a: 1 })
  for (let i = 0; i < routes; i++) world.route(`ai/more-${i}`, `m${i}`, { a: 1 })
  return world
}

test('client: the operator is killed and comes back: only what differs is pushed', async (t) => {
  const world = worldOf(100)
  const first = await operator(t, world)
  const { follower, client, weight, applied } = sidecar(t, first.port)
  await eventually(() => assert.equal(follower.held.config.size, 102))
  const whole = first.pushed[0] ?? 0
  await first.kill()
  await eventually(() => assert.equal(client.connected, false))
  assert.equal(weight(), 1, 'what is in force stays')

  world.route('ai/r', 'chat', { a: 7 })
  const second = await operator(t, world, { port: first.port })
  await eventually(() => assert.equal(weight(), 7))
  assert.equal(second.pushed.length, 1)
  assert.ok((second.pushed[0] ?? Infinity) < whole / 20, `${second.pushed[0]} of ${whole} bytes`)
  assert.equal(applied.length, 2)
})

test('client: a sidecar that restarts meanwhile has its last good configuration, and is sent only what differs', async (t) => {
  const folder = scratch('last-good')
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const world = worldOf(100)
  const first = await operator(t, world)
  const before = sidecar(t, first.port)
  await eventually(() => assert.equal(before.follower.held.config.size, 102))
  const kept = new LastGood(folder, (error) => assert.ifError(error))
  kept.save(before.follower.held)
  await kept.written()
  before.client.stop()
  await first.kill()

  const held = new LastGood(folder, () => {}).load()
  assert.ok(held)
  assert.deepEqual(held, before.follower.held)
  const after = sidecar(t, first.port, { held })
  assert.equal(after.weight(), 1)
  await eventually(() => assert.ok(after.said.length > 1, 'it tries'))
  world.route('ai/r', 'chat', { a: 3 })
  const second = await operator(t, world, { port: first.port })
  await eventually(() => assert.equal(after.weight(), 3))
  assert.ok((second.pushed[0] ?? Infinity) < 1500, `${second.pushed[0]} bytes`)
})

test('client: a renewed token is shown on the open connection, and on the next', async (t) => {
  const folder = scratch('token')
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const tokenFile = join(folder, 'token')
  const world = worldOf(0)
  const first = await operator(t, world)
  const { client, said } = sidecar(t, first.port, { tokenFile, checkEvery: 20 })
  await eventually(() => assert.match(said.join(), /ENOENT/))
  writeFileSync(tokenFile, 'one\n')
  await eventually(() => assert.deepEqual(first.tokens, ['Bearer one']))
  await eventually(() => assert.equal(client.connected, true))
  writeFileSync(tokenFile, 'two')
  await eventually(() => assert.equal(first.renewed[0], 'two'))
  await first.kill()
  const second = await operator(t, world, { port: first.port })
  await eventually(() => assert.deepEqual(second.tokens, ['Bearer two']))
})

test('client: the operator is trusted by the CA in the file as it is now, and is shown nothing before', async (t) => {
  const folder = scratch('ca')
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [caFile, tokenFile] = [join(folder, 'ca.crt'), join(folder, 'token')]
  writeFileSync(tokenFile, 'sesame')
  const now = Date.now()
  const [old, young] = await Promise.all([makeRoot(3_600_000, now), makeRoot(3_600_000, now + 1000)])
  const certificate = async (root: typeof old) => {
    const { certificate, key } = await issue(root, ['127.0.0.1'], 3_600_000, now)
    return { cert: certificate, key }
  }
  writeFileSync(caFile, old.certificate)
  const world = worldOf(0)
  const first = await operator(t, world, { tls: await certificate(old) })
  const { client, said } = sidecar(t, first.port, { scheme: 'wss', caFile, tokenFile })
  await eventually(() => assert.equal(client.connected, true))
  await first.kill()
  const second = await operator(t, world, { port: first.port, tls: await certificate(young) })
  await eventually(() => assert.match(said.join(), /certificate/))
  assert.deepEqual(second.tokens, [])
  writeFileSync(caFile, `${old.certificate}${young.certificate}`)
  await eventually(() => assert.deepEqual(second.tokens, ['Bearer sesame']))
})

test('client: an operator that has gone silent is given up', async (t) => {
  const server = createServer()
  let connections = 0
  // Takes the upgrade, and says nothing for ever: not even pongs.
  const sockets = new WebSocketServer({ server, path: CONFIG_PATH, autoPong: false })
  sockets.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate()
    sockets.close()
    server.close()
  })
  sidecar(t, (server.address() as AddressInfo).port, { checkEvery: 20 }) // it listens on a port
  await eventually(() => assert.ok(connections > 1))
})

test('last good: is the owner’s alone, whole or not at all, and the newest', async (t) => {
  const folder = scratch('last-good')
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'last-good.jsonl')
  const failures: unknown[] = []
  const kept = new LastGood(folder, (error) => void failures.push(error))
  assert.equal(kept.load(), undefined)

  const world = worldOf(1000)
  const { port } = await operator(t, world)
  const { follower } = sidecar(t, port)
  await eventually(() => assert.equal(follower.held.config.size, 1002))
  const { held } = follower
  for (let since = 1; since <= 5; since++) kept.save({ ...held, since })
  await kept.written()
  assert.equal(kept.load()?.since, 5)
  assert.equal(statSync(file).mode & 0o777, 0o600)

  const text = readFileSync(file, 'utf8')
  for (const broken of [
    '',
    '{',
    text.slice(0, text.length / 2),
    text.replace('"weight":1', '"weight":2'),
    text.replace(/^.*\n/, ''),
  ]) {
    writeFileSync(file, broken)
    assert.equal(kept.load(), undefined)
  }
  unlinkSync(file)
  rmSync(folder, { recursive: true })
  kept.save(held)
  await kept.written()
  assert.equal(failures.length, 1, 'serving goes on without the file')
})
