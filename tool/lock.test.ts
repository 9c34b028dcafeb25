import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { withLock } from './lock.ts'

test('lock: one at a time, given back after a failure, taken over from the dead', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tradewind-lock-'))
  const file = join(directory, 'lock')
  try {
    writeFileSync(file, String(spawnSync(process.execPath, ['--version']).pid))
    let inside = 0
    const enter = async () => {
      assert.equal(++inside, 1, 'two are inside')
      await new Promise((resolve) => setTimeout(resolve, 20))
      inside--
    }
    await Promise.all([withLock(file, enter), withLock(file, enter)])
    await assert.rejects(
      withLock(file, () => Promise.reject(new Error('mine'))),
      /mine/,
    )
    assert.equal(existsSync(file), false)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
