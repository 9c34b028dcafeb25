import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { readArtefact } from '../../core/learning/artefact.ts'
import { Guards } from '../../core/learning/guards.ts'
import { Findings } from '../../sidecar/findings.ts'
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
