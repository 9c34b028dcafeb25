import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digest } from '../core/digest.ts'
import type { Guards } from '../core/learning/guards.ts'

const FILE = 'audits.json'
const FORMAT = 1
/** Findings are written together, ms. */
const WAIT = 500

interface Saved {
  readonly format: number
  readonly digest: string
  readonly states: Guards['states']
}

/** Keeps what audits have found in a file, so that a sidecar that restarts does not trust again what it has taken back. */
export class Findings {
  readonly #path: string
  readonly #guards: Guards
  readonly #failed: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  /** Takes in what was saved before, where it is whole. `failed` hears of a file that could not be written; serving goes on without it. */
  constructor(directory: string, guards: Guards, failed: (error: unknown) => void) {
    this.#path = join(directory, FILE)
    this.#guards = guards
    this.#failed = failed
    const saved = load(this.#path)
    if (saved) guards.restore(saved)
    guards.onChange = () => (this.#timer ??= setTimeout(() => this.#write(), WAIT))
  }

  /** Resolves when all is written that was found. */
  async stop(): Promise<void> {
    if (this.#timer) this.#write()
    await this.#writing
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { states } = this.#guards
    const saved: Saved = { format: FORMAT, digest: digest(states), states }
    this.#writing = this.#writing.then(() => this.#replace(JSON.stringify(saved))).catch(this.#failed)
  }

  /** Another file takes its place by its name, so that a reader sees the old one or the new one, whole. */
  async #replace(text: string): Promise<void> {
    await writeFile(`${this.#path}.new`, text, { mode: 0o600 })
    await rename(`${this.#path}.new`, this.#path)
  }
}

function load(path: string): Guards['states'] | undefined {
  try {
    const { format, digest: of, states } = JSON.parse(readFileSync(path, 'utf8')) as Saved // what the digest bears out was written here
    return format === FORMAT && digest(states) === of ? states : undefined
  } catch {
    return undefined
  }
}
