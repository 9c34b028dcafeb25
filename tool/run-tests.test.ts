import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { failures, tally, type Result } from './result.ts'

const runner = join(import.meta.dirname, 'run-tests.ts')

/** The results of a test file with this source. The runner refuses to run inside a test, so it has a process of its own. */
function resultsOf(source: string): Result[] {
  const directory = mkdtempSync(join(tmpdir(), 'tradewind-runner-'))
  const file = join(directory, 'a.test.ts')
  writeFileSync(
    file,
    `import { before, describe, test } from 'node:test'\nimport assert from 'node:assert/strict'\n${source}`,
  )
  const main = join(directory, 'main.ts')
  writeFileSync(
    main,
    `import { runFile } from ${JSON.stringify(runner)}
    console.log(JSON.stringify(await runFile(${JSON.stringify(file)}, { test: 500, file: 4000 })))`,
  )
  try {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    return JSON.parse(
      execFileSync(process.execPath, [main], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    )
  } finally {
    rmSync(directory, { recursive: true })
  }
}

for (const [what, source, expected] of [
  [
    'a test that passes, one that fails and one that is skipped',
    "test('a', () => {}); test('b', () => assert.fail()); test('c', { skip: 'why' }, () => {})",
    '1 passed, 1 failed, 1 skipped',
  ],
  [
    'a suite does not count, its tests do',
    "describe('s', () => { test('a', () => {}); test('b', () => assert.fail()) })",
    '1 passed, 1 failed, 0 skipped',
  ],
  [
    'a skipped suite counts once',
    "describe('s', { skip: 'why' }, () => { test('a', () => {}); test('b', () => {}) })",
    '0 passed, 0 failed, 1 skipped',
  ],
  [
    'a hook that throws fails its suite and the tests that it kept from running',
    "describe('s', () => { before(() => assert.fail()); test('a', () => {}) })",
    '0 passed, 2 failed, 0 skipped',
  ],
  ['a test to be done is not done', "test('a', { todo: true }, () => {})", '0 passed, 1 failed, 0 skipped'],
  ['a file without tests', '', '0 passed, 1 failed, 0 skipped'],
  ['a file that throws', "throw new Error('no')", '0 passed, 1 failed, 0 skipped'],
  [
    'a test that hangs',
    "test('a', () => new Promise((resolve) => setTimeout(resolve, 2000))); test('b', () => {})",
    '1 passed, 1 failed, 0 skipped',
  ],
  [
    'a test that leaves a timer behind',
    "test('a', () => { setInterval(() => {}, 100) })",
    '1 passed, 1 failed, 0 skipped',
  ],
] as const)
  test(`test runner: ${what}`, () => assert.equal(tally(resultsOf(source)), expected))

test('test runner: a failure is told with its place, its message and what the file wrote', () => {
  const told = failures(resultsOf("console.log('about to'); test('sum', () => assert.equal(1, 2))"))
  for (const part of ['a.test.ts:3 › sum', '1 !== 2', 'about to']) assert.ok(told.includes(part), told)
})
