import { spawn } from 'node:child_process'
import { pythonEnvironment } from '../../tool/python.ts'

/**
 * Why a test that runs Python cannot run here; false when it can. For a test's `skip` option, as `needs` is. The first who asks makes the
 * environment, which takes a while: a test file asks once, at its top.
 */
export async function withoutPython(): Promise<string | false> {
  const environment = await pythonEnvironment()
  return 'missing' in environment && environment.missing
}

interface Run {
  readonly args?: readonly string[]
  /** Besides the environment's own. */
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/**
 * Runs a Python script, with the SDKs of test/python/requirements.txt, and resolves to what it printed. Rejects with the end of what it said
 * where it fails; the signal ends it.
 */
export async function runPython(script: string, { args = [], env = {}, signal }: Run = {}): Promise<string> {
  const environment = await pythonEnvironment()
  if ('missing' in environment) throw new Error(environment.missing)
  const child = spawn(environment.python, [script, ...args], {
    // No proxy for what is on this machine, and nothing written beside the script.
    env: { ...process.env, NO_PROXY: '127.0.0.1,localhost', PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  let [printed, said] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(printed)
      else reject(new Error(`${script} ended with ${code}:\n${(printed + said).slice(-4000)}`))
    })
  })
}
