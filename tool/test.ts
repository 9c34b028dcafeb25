// Runs the groups of tests named as arguments (all of them when none is), one after the other, and counts.
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { runChecks } from './checks.ts'
import { failures, tally, type Result } from './result.ts'
import { runFile, type Limits } from './run-tests.ts'

interface Group {
  readonly files: string
  /** How many files run at the same time: a group whose files each start servers runs them in turn. */
  readonly width: number
  readonly limits: Limits
  /** Under CI, a skipped test of this group is a failure. */
  readonly mustRun: boolean
}

const minutes = 60_000
const rooms = 'core,api,operator,sidecar,cli,dashboard,bench,tool'
const groups: Readonly<Record<string, Group>> = {
  unit: {
    files: `{${rooms},test/golden}/**/*.test.ts`,
    width: 2,
    limits: { test: 1 * minutes, file: 3 * minutes },
    mustRun: false,
  },
  integration: {
    files: 'test/{integration,local,sidecar,fields,sdk,wall,dashboard}/**/*.test.ts',
    width: 2,
    limits: { test: 3 * minutes, file: 8 * minutes },
    mustRun: true,
  },
  chart: {
    files: 'test/chart/**/*.test.ts',
    width: 1,
    limits: { test: 3 * minutes, file: 8 * minutes },
    mustRun: true,
  },
  e2e: { files: 'test/e2e/**/*.test.ts', width: 1, limits: { test: 5 * minutes, file: 15 * minutes }, mustRun: true },
}

const inCI = ![undefined, '', 'false', '0'].includes(process.env['CI'])
const results: Result[] = []
const marks = { passed: '✔', failed: '✖', skipped: '-' } as const

async function runGroup(name: string, { files, width, limits, mustRun }: Group): Promise<void> {
  const queue = globSync(files, { exclude: (path) => path.includes('node_modules') }).sort()
  if (queue.length === 0) record([{ file: name, name: files, status: 'failed', message: 'no test files found' }], 0)
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const start = performance.now()
      const ran = await runFile(file, limits)
      record(mustRun && inCI ? ran.map(refuseSkip) : ran, (performance.now() - start) / 1000, file)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
}

function refuseSkip(result: Result): Result {
  return result.status === 'skipped'
    ? { ...result, status: 'failed', message: `skipped under CI: ${result.message}` }
    : result
}

/** Keeps the results of one file, and prints its line and the reasons of what it skipped. */
function record(ran: readonly Result[], seconds: number, file = ran[0]?.name ?? ''): void {
  results.push(...ran)
  const status = ran.some((r) => r.status === 'failed')
    ? 'failed'
    : ran.every((r) => r.status === 'skipped')
      ? 'skipped'
      : 'passed'
  const count = file.endsWith('.ts')
    ? ` (${tally(ran)
        .replace(/\b0 \w+(, )?/g, '')
        .replace(/, $/, '')}, ${seconds.toFixed(1)} s)`
    : ` (${seconds.toFixed(1)} s)`
  console.log(`${marks[status]} ${file}${count}`)
  for (const reason of new Set(ran.filter((r) => r.status === 'skipped').map((r) => r.message)))
    console.log(`    skipped: ${reason}`)
}

/** Installs what the wider groups need, beside the groups that need nothing: with an empty cache it takes minutes. */
function installServers(): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'install-servers.ts')], { stdio: 'inherit' })
  return new Promise((resolve, reject) => child.on('error', reject).on('exit', () => resolve()))
}

const chosen = process.argv.length > 2 ? process.argv.slice(2) : ['check', ...Object.keys(groups)]
const installed = chosen.some((name) => groups[name]?.mustRun) ? installServers() : undefined
for (const name of chosen) {
  const group = groups[name]
  if (group?.mustRun) await installed
  console.log(`\n${name}`)
  if (group) await runGroup(name, group)
  else if (name === 'check') await runChecks((result, seconds) => record([result], seconds))
  else throw new Error(`no group '${name}': there are check, ${Object.keys(groups).join(', ')}`)
}

console.log(`\n${failures(results)}`)
console.log(tally(results))
process.exitCode = results.some(({ status }) => status === 'failed') ? 1 : 0
