import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { checkImports } from './import-law.ts'
import type { Result } from './result.ts'
import { checkTracked } from './tracked.ts'

/** Runs a program to its end; `output` is what it wrote to both streams. */
async function capture(command: string, ...args: string[]): Promise<{ readonly ok: boolean; readonly output: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ ok: code === 0, output }))
  })
}

/** A check is a list of complaints: empty when all is well. */
type Check = () => Promise<readonly string[]> | readonly string[]

const program =
  (name: string, ...args: string[]): Check =>
  async () => {
    const { ok, output } = await capture(join('node_modules/.bin', name), ...args)
    return ok ? [] : [output]
  }

/** Regenerating must change nothing: what is compared is the difference to the last commit before and after. */
async function generated(): Promise<readonly string[]> {
  const state = async () => {
    const paths = ['--', 'crds', 'charts', 'docs/reference.md', 'operator/prices/table.ts']
    const changed = await capture('git', 'diff', 'HEAD', ...paths)
    const untracked = await capture('git', 'ls-files', '--others', '--exclude-standard', ...paths)
    return changed.output + untracked.output
  }
  const before = await state()
  for (const generator of ['api/generate.ts', 'tool/prices.ts']) {
    const { ok, output } = await capture(process.execPath, generator)
    if (!ok) return [output]
  }
  return (await state()) === before ? [] : ['the generated files were out of date: commit what `make generate` wrote']
}

const checks = {
  types: program('tsc', '--noEmit'),
  'types of the dashboard': program('tsc', '--noEmit', '--project', 'dashboard'),
  lint: program('oxlint', '--type-aware', '--deny-warnings', '--format=unix'),
  imports: () => checkImports('.'),
  tracked: checkTracked,
  format: program('oxfmt', '--check'),
  'dead code': program('knip'),
  generated,
} satisfies Record<string, Check>

/** Runs every check, and tells `done` of each as it ends. */
export async function runChecks(done: (result: Result, seconds: number) => void): Promise<void> {
  for (const [name, check] of Object.entries(checks)) {
    const start = performance.now()
    const complaints = await check()
    const status = complaints.length === 0 ? 'passed' : 'failed'
    done({ file: 'check', name, status, message: complaints.join('\n') }, (performance.now() - start) / 1000)
  }
}
