import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const script = join(import.meta.dirname, 'installed.ts')
const a = { version: '1.0.0', integrity: 'sha512-a' }
const locked = {
  '': { version: '0.1.0' },
  'node_modules/a': a,
  'node_modules/other-platform': { ...a, optional: true },
}

for (const [what, installed, expected] of [
  ['all but another platform’s', { 'node_modules/a': a }, true],
  ['nothing', undefined, false],
  ['another version', { 'node_modules/a': { ...a, version: '1.0.1' } }, false],
  ['other bytes under the same version', { 'node_modules/a': { ...a, integrity: 'sha512-b' } }, false],
  ['one too few', { 'node_modules/other-platform': a }, false],
  ['one too many', { 'node_modules/a': a, 'node_modules/b': a }, false],
] as const)
  test(`installed: ${what} is ${expected ? '' : 'not '}what the lockfile says`, () => {
    const root = mkdtempSync(join(tmpdir(), 'tradewind-installed-'))
    try {
      writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: locked }))
      mkdirSync(join(root, 'node_modules'))
      if (installed) {
        writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }))
      }
      assert.equal(spawnSync(process.execPath, [script], { cwd: root }).status, expected ? 0 : 1)
    } finally {
      rmSync(root, { recursive: true })
    }
  })
