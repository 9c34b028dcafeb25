import { run } from 'node:test'
import { inspect } from 'node:util'
import type { Result } from './result.ts'

/** The time that tests get, in ms: each test, and each file with all of its tests. */
export interface Limits {
  readonly test: number
  readonly file: number
}

/** What of a test event is used; @types/node describes the events one by one, without a union over their data. */
interface Ended {
  readonly name: string
  readonly skip?: string | boolean
  readonly todo?: string | boolean
  readonly line?: number
  readonly details: { readonly type?: string; readonly error?: Failure }
}
interface Failure extends Error {
  readonly failureType?: string
}

/** Runs one test file in a process of its own, and ends that process when the file's time is over. */
export async function runFile(file: string, limits: Limits): Promise<Result[]> {
  const results: Result[] = []
  let output = ''
  const events = run({ files: [file], timeout: limits.test, signal: AbortSignal.timeout(limits.file) })
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') output += data.message
    if (type === 'test:pass' || type === 'test:fail') results.push(...ended(file, type === 'test:pass', data as Ended))
  }
  if (output === '' || results.every(({ status }) => status !== 'failed')) return results
  const tail = output.trimEnd().split('\n').slice(-40).join('\n')
  const last = results.findLastIndex(({ status }) => status === 'failed')
  return results.map((result, i) =>
    i === last ? { ...result, message: `${result.message}\n--- output\n${tail}` } : result,
  )
}

/** The result that an event stands for: none for a suite, unless the suite itself was skipped or its hook failed. */
function ended(file: string, passed: boolean, { name, skip, todo, line, details }: Ended): Result[] {
  const at = line && line > 1 ? `${file}:${line}` : file
  const isSuite = details.type === 'suite'
  if (skip !== undefined && skip !== false) {
    return [{ file: at, name, status: 'skipped', message: skip === true ? 'no reason given' : skip }]
  }
  if (passed && isSuite) return []
  if (passed && todo !== undefined)
    return [{ file: at, name, status: 'failed', message: 'a test that is still to be done' }]
  // A file without tests is reported as one passed test with the file's name.
  if (passed && file.endsWith(name)) return [{ file: at, name, status: 'failed', message: 'no tests in this file' }]
  if (passed) return [{ file: at, name, status: 'passed' }]
  const failure = details.error
  if (failure?.failureType === 'subtestsFailed')
    return isSuite ? [] : [{ file: at, name, status: 'failed', message: 'a test inside failed' }]
  return [{ file: at, name, status: 'failed', message: explain(failure) }]
}

/** The message of what was thrown, and where in this repository. */
function explain(failure: Failure | undefined): string {
  if (failure?.failureType === 'testAborted') {
    return 'the file did not end in time: a test hangs, or something (a server, a timer, a process) was left open'
  }
  const thrown = failure?.cause ?? failure
  if (!(thrown instanceof Error)) return inspect(thrown)
  const frame = thrown.stack
    ?.split('\n')
    .find((line) => /^\s+at .*\.ts:\d+/.test(line) && !line.includes('node_modules'))
  const cause = thrown.cause instanceof Error ? `\ncaused by: ${thrown.cause.message}` : ''
  return `${thrown.message}${cause}${frame ? `\n${frame.trim()}` : ''}`
}
