import assert from 'node:assert/strict'
import { readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { Figures } from '../../cli/simulate/figures.ts'
import { runProgram } from '../helpers/command.ts'
import { eventually } from '../helpers/eventually.ts'
import { scratch } from '../helpers/scratch.ts'
import { program, root, run, withPorts } from './running.ts'
import type { Running } from './running.ts'

/** The commands of a page in their order, each with what is shown of its output: of the last command of a block. */
function steps(markdown: string): readonly { readonly command: string; readonly shown: readonly string[] }[] {
  return [...markdown.matchAll(/```sh\n([^]*?)```(?:\n```text\n([^]*?)```)?/g)].flatMap(([, block = '', text = '']) => {
    const commands = block.trim().split('\n')
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    return commands.map((command, at) => ({ command, shown: at === commands.length - 1 ? lines : [] }))
  })
}

/** A line as it is shown, whatever its figures and the width of its columns: these differ with the day and the machine. */
function pattern(line: string): RegExp {
  const words = line
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replace(/\d+(\\?\.\d+)?/g, '[\\d.]+'))
  return new RegExp(words.join('\\s+'))
}

test('tutorial: every command of the page does what the page says, from a raw table to a router and back', async (t) => {
  const folder = scratch('tutorial')
  t.after(() => rmSync(folder, { recursive: true }))
  symlinkSync(join(root, 'examples'), join(folder, 'examples'))
  let running: Running | undefined

  const execute = async (line: string): Promise<string> => {
    const [tool = '', ...words] = line.split(' ')
    const own = tool === 'tradewind' ? `"${process.execPath}" "${program}" ${words.join(' ')}` : line
    const local = words[0] === 'explain' ? `${own} --admin http://127.0.0.1:4142` : own
    // On free ports, since others may use those of the page.
    const here = withPorts(local, { url: running?.url ?? '', admin: running?.admin ?? '' }).replace(/^curl/, 'curl -sS')
    const { code, stdout, stderr } = await runProgram('sh', ['-c', here], { cwd: folder })
    assert.equal(code, 0, `${line}\n${stderr}${stdout}`)
    return stdout
  }

  let done = 0
  for (const { command, shown } of steps(readFileSync(join(root, 'docs/tutorial.md'), 'utf8'))) {
    done++
    if (command.startsWith('tradewind run ')) {
      const [, , directory = '', ...args] = command.split(' ')
      running = await run(t, join(folder, directory), args, {}, folder)
      assert.doesNotMatch(running.printed(), /^(problem|warning|fault) /m)
      continue
    }
    const says = (output: string) => {
      for (const line of shown) assert.match(output, pattern(line), `${command}\n${line}\n${output}`)
    }
    // What was saved is taken in a moment; anything else is so at once.
    if (command.endsWith('/artefacts')) await eventually(async () => says(await execute(command)))
    else says(await execute(command))
  }
  assert.ok(done >= 15 && running, String(done))

  // What the page says of its data, beyond the shape of what is printed.
  const { stdout } = await runProgram(
    process.execPath,
    [program, 'simulate', 'my-router', '--data', 'my-router/later.csv', '-o', 'json'],
    { cwd: folder },
  )
  const { policies } = JSON.parse(stdout) as Figures // as the command writes it
  const route = policies.find(({ name }) => name === 'the route')
  assert.ok(route && route.retained.value >= 0.97, JSON.stringify(route))
  assert.ok(route.saved.value >= 0.4 && route.saved.low > (route.mixing?.high ?? 1), JSON.stringify(route))
})
