import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { readLine } from '../../core/decisions/line.ts'
import { observed } from '../helpers/observed.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, configOf, to } from './setting.ts'

/** The lines of the decision log of so many requests, which say that. */
async function logged(t: TestContext, decisions: object, text = 'My number is AB-1234.', requests = 1) {
  const [mock] = await upstreams(t, {})
  const directory = scratch('decisions')
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'decisions.jsonl')
  let drawn = 0
  const { url, path, journal } = await observed(t, {}, () => (drawn++ % 2 === 0 ? 0.25 : 0.75), {
    to: ['file'],
    file: { path: file, size: 1e6, keep: 0 },
  })
  const setting = { endpoints: { a: at(mock.url) }, routes: { chat: chat([to('a')], {}, { decisions }) } }
  assert.deepEqual(path.configuration.apply(configOf(setting)), [])
  for (let i = 0; i < requests; i++) {
    const body = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: text }] })
    assert.equal((await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })).status, 200)
  }
  await journal.stop()
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
  return lines.map((line) => readLine(line))
}

export const decisions: Coverage = {
  'ModelRoute spec.decisions.percent': async (t) => {
    assert.equal((await logged(t, {}, 'Hello', 8)).length, 8)
    assert.equal((await logged(t, { percent: 50 }, 'Hello', 8)).length, 4)
    assert.equal((await logged(t, { percent: 0 }, 'Hello', 8)).length, 0)
  },
  'ModelRoute spec.decisions.content.percent': async (t) => {
    const [without] = await logged(t, {})
    assert.ok(without)
    assert.equal(without.prompt, undefined)
    const [line] = await logged(t, { content: { percent: 100 } })
    assert.equal(line?.prompt, 'My number is AB-1234.')
    assert.ok(line.answer)
    // Each is drawn apart: that all 48 fall alike has a chance of 2⁻⁴⁷.
    const some = await logged(t, { content: { percent: 50 } }, 'Hello', 48)
    const having = some.filter((it) => it?.prompt !== undefined).length
    assert.ok(some.length === 48 && having > 0 && having < 48, `${having}`)
  },
  'ModelRoute spec.decisions.content.redact[]': async (t) => {
    const [line] = await logged(t, { content: { percent: 100, redact: ['[A-Z]{2}-[0-9]{4}'] } })
    assert.equal(line?.prompt, 'My number is [redacted].')
    assert.ok(line.answer !== undefined && !line.answer.includes('AB-1234'))
  },
}
