import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { commands } from '../../cli/commands.ts'
import { runProgram } from '../helpers/command.ts'

const root = join(import.meta.dirname, '../..')
const file = join(root, 'docs/cli.md')

/** The words of each command, those of groups after their group. */
async function everyCommand(): Promise<readonly (readonly string[])[]> {
  const nested = await Promise.all(
    commands.map(async ({ name, load }) => [[name], ...(await load()).commands.map((inner) => [name, inner.name()])]),
  )
  return [[], ...nested.flat()]
}

test('docs/cli.md shows the help of every command as it is (UPDATE=1 rewrites it)', async () => {
  const before = readFileSync(file, 'utf8')
  let after = before
  for (const words of await everyCommand()) {
    const { code, stdout } = await runProgram(process.execPath, ['cli/main.ts', ...words, '--help'], { cwd: root })
    assert.equal(code, 0)
    const line = ['$ tradewind', ...words, '--help'].join(' ')
    const start = after.indexOf(`\`\`\`\n${line}\n`)
    assert.notEqual(start, -1, `docs/cli.md has no block for ${line}`)
    const end = after.indexOf('\n```\n', start)
    after = `${after.slice(0, start)}\`\`\`\n${line}\n${stdout.trimEnd()}${after.slice(end)}`
  }
  if (process.env['UPDATE']) writeFileSync(file, after)
  else assert.equal(before, after)
})
