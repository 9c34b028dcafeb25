import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { CompiledResource, ResourceKey } from '../api/compiled.ts'
import { digest } from '../core/digest.ts'
import { digestOf } from './follower.ts'
import type { Held } from './follower.ts'

const FILE = 'last-good.jsonl'
const FORMAT = 1
/** Resources that are written at a stretch, so that a large configuration keeps no request waiting. */
const STRETCH = 200

interface Line {
  readonly key: ResourceKey
  readonly resource: CompiledResource
}
interface End {
  readonly format: number
  readonly digest: string
  readonly since: number
}

/**
 * Keeps the configuration in force in a file, so that a sidecar that restarts while the operator is away serves from it. The file holds
 * credentials: it is the owner's alone, and belongs on a volume in memory. One JSON line a resource, and a last one that closes it.
 */
export class LastGood {
  readonly #path: string
  readonly #failed: (error: unknown) => void
  #next: Held | undefined
  #writing: Promise<void> | undefined

  /** `failed` hears of a file that could not be written; serving goes on without it. */
  constructor(directory: string, failed: (error: unknown) => void) {
    this.#path = join(directory, FILE)
    this.#failed = failed
  }

  /** What was saved last; undefined where there is nothing, or it is not whole. */
  load(): Held | undefined {
    let text
    try {
      text = readFileSync(this.#path, 'utf8')
    } catch {
      return undefined
    }
    try {
      return parse(text)
    } catch {
      return undefined
    }
  }

  /** Saves in the background. While one is being written, only the newest of those that follow is kept. */
  save(held: Held): void {
    this.#next = held
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined))
  }

  /** Resolves when what was given last is written. */
  async written(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    while (this.#next) {
      const held = this.#next
      this.#next = undefined
      try {
        await this.#replace(held)
      } catch (error) {
        this.#failed(error)
      }
    }
  }

  /** Another file takes its place by its name, so that a reader sees the old one or the new one, whole. */
  async #replace({ config, digest, since }: Held): Promise<void> {
    const path = `${this.#path}.new`
    const file = await open(path, 'w', 0o600)
    try {
      let lines: string[] = []
      for (const [key, resource] of config) {
        lines.push(JSON.stringify({ key, resource } satisfies Line))
        if (lines.length < STRETCH) continue
        await file.write(`${lines.join('\n')}\n`)
        lines = []
      }
      lines.push(JSON.stringify({ format: FORMAT, digest, since } satisfies End))
      await file.write(lines.join('\n'))
    } finally {
      await file.close()
    }
    await rename(path, this.#path)
  }
}

/** Throws where a line is not JSON; what the digests do not bear out is not used. */
function parse(text: string): Held | undefined {
  const lines = text.split('\n')
  const end = JSON.parse(lines.pop() ?? '') as End | Line // one of the two lines that are written
  if (!('format' in end) || end.format !== FORMAT) return undefined
  const config = new Map(
    lines.map((line) => {
      const { key, resource } = JSON.parse(line) as Line // a line before the last
      return [key, resource] as const
    }),
  )
  if (digestOf(config) !== end.digest) return undefined
  for (const resource of config.values()) if (digest(resource.body) !== resource.digest) return undefined
  return { config, digest: end.digest, since: end.since }
}
