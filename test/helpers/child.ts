import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { which } from '../../tool/packages.ts'

/** A server that a test started. */
export interface Child {
  readonly pid: number
  /** Resolves when it has ended, with its exit code or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** Whether it has ended. */
  hasEnded(): boolean
  /** The last `lines` lines that it wrote. */
  log(lines?: number): string
  /** Ends it, by SIGKILL when it has not ended `grace` milliseconds after SIGTERM. */
  stop(grace?: number): Promise<void>
}

const running = new Set<ChildProcess>()
// A test that throws at its top level ends without its hooks; nothing that it started may outlive it.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))

/** Starts a program whose output goes to the file `log`. It never outlives this process, however that one ends (on Linux). */
export function startChild(
  command: string,
  args: readonly string[],
  { log, env = process.env, cwd }: { log: string; env?: NodeJS.ProcessEnv; cwd?: string },
): Child {
  const output = openSync(log, 'a')
  const guard = process.platform === 'linux' ? which('setpriv') : undefined
  const [program, ...rest] = guard ? [guard, '--pdeathsig', 'KILL', command, ...args] : [command, ...args]
  const child = spawn(program ?? command, rest, { stdio: ['ignore', output, output], env, cwd })
  closeSync(output)
  running.add(child)
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      running.delete(child)
      resolve(code ?? signal ?? 0)
    })
  })
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid ?? 0,
    ended,
    hasEnded,
    log: (lines = 30) => readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n'),
    async stop(grace = 3000) {
      if (hasEnded()) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), grace)
      await ended
      clearTimeout(timer)
    },
  }
}
