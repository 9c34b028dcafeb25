import { type ChildProcess, fork } from 'node:child_process'

/** A process that answers commands, one answer for each, by IPC. It ends with this one. */
export class Worker<Command> {
  readonly #child: ChildProcess
  readonly #waiting = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >()
  #id = 0

  constructor(script: string, args: readonly string[], options: { readonly core?: number } = {}) {
    const { core } = options
    this.#child = fork(script, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // taskset becomes the program that it starts.
      ...(core === undefined ? {} : { execPath: 'taskset', execArgv: ['--cpu-list', String(core), process.execPath] }),
    })
    this.#child.on('message', ({ id, value }: { readonly id: number; readonly value: unknown }) => {
      this.#waiting.get(id)?.resolve(value)
      this.#waiting.delete(id)
    })
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${script} ended: ${code ?? signal}`))
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Sends a command and resolves with its answer, whose shape the command's documentation tells; rejects where the process ends first. */
  ask<Value>(command: Command): Promise<Value> {
    const id = ++this.#id
    return new Promise<Value>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (value) => resolve(value as Value), reject }) // what the script answers to that command
      this.#child.send({ id, command })
    })
  }

  stop(): void {
    this.#waiting.clear()
    this.#child.kill('SIGKILL')
  }
}
