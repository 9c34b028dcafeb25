import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { request } from 'undici'
import { readArtefact } from '../../core/learning/artefact.ts'
import { Guards } from '../../core/learning/guards.ts'
import { Findings } from '../../sidecar/findings.ts'
import { digestOf } from '../../sidecar/follower.ts'
import { LastGood } from '../../sidecar/last-good.ts'
import { startChild } from '../helpers/child.ts'
import { compiled, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { ask } from '../helpers/ladder.ts'
import { freePorts } from '../helpers/ports.ts'
import { completion, json, scripted } from '../helpers/scripted.ts'
import { Router } from '../helpers/router.ts'
import { scratch } from '../helpers/scratch.ts'

const promise = { strong: 'b', weak: 'a', threshold: 0.4, expires: '2999-01-01' }
const router = new Router({ a: { chat: 0.9 }, b: { chat: 0.9 } }, promise)

function folder(t: TestContext): string {
  const made = scratch('findings')
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

const failed = (error: unknown): never => assert.fail(String(error))

/** A sidecar's findings, and the guard of its artefact, as after a start. */
function started(directory: string) {
  const guards = new Guards()
  const findings = new Findings(directory, guards, failed)
  const guard = guards.of(readArtefact(router.bytes))
  assert.ok(guard)
  return { guards, findings, guard }
}

test('findings: a sidecar that is started again knows what its audits have found', async (t) => {
  const directory = folder(t)
  const before = started(directory)
  for (let i = 0; i < 30; i++) before.guard.audited('', 0.9, i % 10 === 0 ? 0.5 : 0)
  await before.findings.stop()
  const after = started(directory)
  assert.deepEqual(after.guard.state, before.guard.state)
  assert.equal(after.guard.standings()[0]?.audits, 30)
  while (!after.guard.audited('', 0.9, 1)?.alarm);
  await after.findings.stop()
  const [standing] = started(directory).guard.standings()
  assert.equal(standing?.threshold, Infinity)
  assert.deepEqual(standing?.alarm, after.guard.standings()[0]?.alarm)
})

test('findings: what is not whole, or was changed, is not used', async (t) => {
  const directory = folder(t)
  const file = join(directory, 'audits.json')
  const { guard, findings } = started(directory)
  guard.audited('', 0.9, 1)
  await findings.stop()
  const text = readFileSync(file, 'utf8')
  for (const changed of [text.slice(0, -20), text.replace('"audits":1', '"audits":2'), '{}', '']) {
    writeFileSync(file, changed)
    assert.equal(started(directory).guard.standings()[0]?.audits, 0)
  }
})

test('findings: another artefact begins anew', async (t) => {
  const directory = folder(t)
  const { guard, findings } = started(directory)
  while (!guard.audited('', 0.9, 1)?.alarm);
  await findings.stop()
  const { guards } = started(directory)
  const other = new Router({ a: { chat: 0.91 }, b: { chat: 0.9 } }, promise)
  assert.equal(guards.of(readArtefact(other.bytes))?.standings()[0]?.threshold, 0.4)
})

test('findings: a sidecar that is killed after an alarm, and started again without an operator, still asks the strong model', async (t) => {
  const directory = folder(t)
  const says = (text: string) => scripted(t, (response) => json(response, completion(text)))
  const [weak, strong] = [await says('Cheap words.'), await says('Strong words.')]
  const judge = await scripted(t, (response, body) =>
    json(response, completion(body.includes('Cheap words.') ? '1' : '9')),
  )
  const config = compiled({
    routes: [
      route('chat', [
        rule([target('a', { model: 'a' }), target('b', { model: 'b' })], {
          strategy: { type: 'Classifier', settings: { artefact: { name: 'router' }, floor: '0.05' } },
          audit: {
            ...{ percent: 100, novelPercent: 0, spendPercent: 100 },
            judge: { by: { endpoint: 'ai/c', model: 'c-model' } },
          },
        }),
      ]),
    ],
    endpoints: [
      endpoint('a', weak.url, { models: [{ name: 'a', rank: 0, defaults: {}, force: {} }] }),
      endpoint('b', strong.url, { models: [{ name: 'b', rank: 1, defaults: {}, force: {} }] }),
      endpoint('c', judge.url),
    ],
    artefacts: { 'ai/router': { artefact: Buffer.from(router.bytes).toString('base64') } },
  })
  const saver = new LastGood(directory, failed)
  saver.save({ config, digest: digestOf(config), since: 1 })
  await saver.written()

  const start = async () => {
    const [traffic = 0, admin = 0, metrics = 0] = await freePorts(3)
    const child = startChild(process.execPath, [join(import.meta.dirname, '../../sidecar/main.ts')], {
      log: join(directory, 'log'),
      env: {
        ...process.env,
        TRADEWIND_LISTEN: `127.0.0.1:${traffic}`,
        TRADEWIND_ADMIN: `127.0.0.1:${admin}`,
        TRADEWIND_METRICS: `127.0.0.1:${metrics}`,
        TRADEWIND_STATE_DIR: directory,
        TRADEWIND_LOG_LEVEL: 'warn',
      },
    })
    t.after(() => child.stop())
    await eventually(async () => assert.equal((await request(`http://127.0.0.1:${metrics}/readyz`)).statusCode, 200), {
      within: 30_000,
      every: 100,
    })
    const asks = async () => {
      const { by, answer } = await ask(`http://127.0.0.1:${traffic}`, {
        body: { messages: [{ role: 'user', content: router.example('chat') }] },
      })
      return [by, String(answer.headers['x-tradewind-reason'])]
    }
    return { child, asks }
  }
  const first = await start()
  assert.deepEqual(await first.asks(), ['ai/a', 'classifier'])
  await eventually(async () => assert.deepEqual(await first.asks(), ['ai/b', 'alarmed']), { within: 20_000 })
  await eventually(() => assert.match(readFileSync(join(directory, 'audits.json'), 'utf8'), /"alarm"/))
  process.kill(first.child.pid, 'SIGKILL')
  await first.child.ended
  assert.deepEqual(await (await start()).asks(), ['ai/b', 'alarmed'])
})
