import { execFile } from 'node:child_process'

export interface RunOptions {
  /** What it reads. */
  readonly input?: string
  /** More environment. */
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a program to its end and resolves with what it printed; rejects with what it complained of. */
export function runProgram(program: string, args: readonly string[], { input, env }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 1 << 26 }
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`))
      else resolve(stdout)
    })
    // A program that fails before it has read its input closes the pipe; its own message says more.
    child.stdin?.on('error', () => {}).end(input)
  })
}
