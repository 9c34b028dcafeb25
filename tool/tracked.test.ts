import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkTracked } from './tracked.ts'

const allowed = [
  'see ../work/notes',
  '${HOME}/root/x',
  'https://example.com/root/',
  'https://docs.npmjs.com/',
  'a /root',
]
// Put together here, so that this file itself holds none of them.
const refused = [
  ['cd ', 'root', '.cache'].join('/'),
  ['"', 'home', 'ann', 'x"'].join('/'),
  ['  "resolved', ': "x"'].join('"'),
  ['https:', '', 'registry.npmjs.org', 'x'].join('/'),
]

test('what ties a tracked file to a machine or a registry is found, and nothing else', () => {
  const root = mkdtempSync(join(tmpdir(), 'tradewind-tracked-'))
  try {
    execFileSync('git', ['init', '-q'], { cwd: root })
    writeFileSync(join(root, 'a'), `${[...allowed, ...refused].join('\n')}\n`)
    assert.deepEqual(checkTracked(root), [], 'an untracked file is nobody’s business')
    execFileSync('git', ['add', 'a'], { cwd: root })
    const lines = checkTracked(root).map((line) => line.replace(/^.*?: a:\d+:/, ''))
    assert.deepEqual(lines.sort(), [...refused].sort())
  } finally {
    rmSync(root, { recursive: true })
  }
})
