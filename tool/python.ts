import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { withLock } from './lock.ts'
import { which } from './packages.ts'
import { cacheRoot } from './servers.ts'

const requirements = join(import.meta.dirname, '../test/python/requirements.txt')
/** The oldest that all of the SDKs take. */
const OLDEST = [3, 11] as const
const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', '/usr/bin/python3']

interface Interpreter {
  readonly path: string
  /** Of the interpreter and its platform: wheels are for these. */
  readonly version: string
}

/** A Python with the SDKs of test/python/requirements.txt, or why there is none. */
export type PythonEnvironment = { readonly python: string } | { readonly missing: string }

/**
 * The Python environment of the tests, in the user's cache, by the digest of what is in it: made by the first who asks, in about half a
 * minute, and shared by every checkout.
 */
export async function pythonEnvironment(): Promise<PythonEnvironment> {
  const found = interpreter()
  if ('missing' in found) return found
  const digest = createHash('sha256').update(found.path).update(found.version).update(readFileSync(requirements))
  const directory = join(cacheRoot, 'python', digest.digest('hex').slice(0, 12))
  const python = join(directory, 'bin/python')
  const whole = join(directory, 'whole')
  if (existsSync(whole)) return { python }
  mkdirSync(dirname(directory), { recursive: true })
  return withLock(`${directory}.lock`, async () => {
    if (existsSync(whole)) return { python }
    rmSync(directory, { recursive: true, force: true })
    const failed =
      (await run(found.path, ['-m', 'venv', directory])) ??
      (await run(python, [
        ...['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'],
        ...['--only-binary', ':all:', '--requirement', requirements],
      ]))
    if (failed !== undefined) return { missing: `the Python SDKs cannot be installed: ${failed}` }
    writeFileSync(whole, '')
    return { python }
  })
}

function interpreter(): Interpreter | { readonly missing: string } {
  for (const name of NAMES) {
    const path = which(name)
    if (!path) continue
    try {
      const program = 'import sys, platform, venv, ensurepip; print(*sys.version_info[:3], platform.platform())'
      const version = execFileSync(path, ['-c', program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      const [major = 0, minor = 0] = version.split(' ').map(Number)
      if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return { path, version }
    } catch {
      // One without venv; the next may have it.
    }
  }
  return { missing: `not installed: Python ${OLDEST.join('.')} or later with venv (Debian: python3-venv)` }
}

/** Resolves to nothing, or to what was said by a program that failed. */
async function run(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code) => resolve(code === 0 ? undefined : output.slice(-2000)))
  })
}
