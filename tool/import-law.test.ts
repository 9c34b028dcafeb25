import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkImports, specifiers, violation } from './import-law.ts'

test('every form of import is seen', () => {
  const source = [
    "import { a,\n  b } from '../a.ts'",
    "import type { T } from './b.ts'",
    "export * from './c.ts'",
    "import './d.ts'",
    "const e = await import('./e.ts')",
    "type F = import('node:http').Server",
  ].join('\n')
  assert.deepEqual(specifiers(source).sort(), ['../a.ts', './b.ts', './c.ts', './d.ts', './e.ts', 'node:http'])
})

for (const [path, specifier, allowed] of [
  ['core/cost.ts', './schema.ts', true],
  ['core/match/path.ts', '../schema.ts', true],
  ['core/match/path.ts', '../../api/model-route.ts', false],
  ['core/cost.ts', 'node:crypto', true],
  ['core/cost.ts', 'node:zlib', true],
  ['core/cost.ts', 'node:fs', false],
  ['core/cost.ts', 'undici', false],
  ['core/schema.ts', 'ajv', false],
  ['api/compiled.ts', '../core/schema.ts', true],
  ['api/compiled.ts', '../sidecar/config.ts', false],
  ['api/release.ts', '../package.json', true],
  ['operator/loop.ts', '../api/report.ts', true],
  ['operator/loop.ts', '../sidecar/config.ts', false],
  ['operator/loop.ts', '@kubernetes/client-node', true],
  ['sidecar/config.ts', '../operator/push.ts', false],
  ['sidecar/config.ts', '@kubernetes/client-node', false],
  ['sidecar/config.ts', '../core/deps.ts', true],
  ['dashboard/app.js', './dom.js', true],
  ['dashboard/app.js', '../api/board.ts', false],
  ['dashboard/app.js', 'undici', false],
  ['operator/dashboard.ts', '../dashboard/app.js', false],
  ['cli/run.ts', '../operator/main.ts', true],
] as const)
  test(`${path} ${allowed ? 'may' : 'may not'} import ${specifier}`, () => {
    assert.equal(violation(path, specifier) === undefined, allowed)
  })

test('a room without modules is an error, and a wrong import is named with its file', () => {
  const root = mkdtempSync(join(tmpdir(), 'tradewind-law-'))
  try {
    for (const room of ['core', 'api', 'sidecar']) mkdirSync(join(root, room))
    writeFileSync(join(root, 'core/a.ts'), "import '../api/b.ts'\n")
    writeFileSync(join(root, 'api/b.ts'), "import '../core/a.ts'\n")
    writeFileSync(join(root, 'sidecar/c.test.ts'), "import '../operator/x.ts'\n")
    assert.deepEqual(checkImports(root), [
      "core/a.ts: imports '../api/b.ts': core may not import from api",
      'operator: no modules seen',
      'sidecar: no modules seen',
      'dashboard: no modules seen',
    ])
  } finally {
    rmSync(root, { recursive: true })
  }
})
