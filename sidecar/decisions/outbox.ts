/** Lines wait for others at most so long, ms. */
const WAIT = 200
/** Lines that are taken together, at most. */
const BATCH = 512
/** Characters of lines that are held while they cannot be written; further ones are dropped. */
const MOST_HELD = 4 * 1024 * 1024

/**
 * Lines on their way to a slow place: whoever adds one never waits. They are written in batches, one at a time; what comes while too much
 * is held is dropped and counted, and so is what could not be written.
 */
export class Outbox {
  /** Lines that were dropped. */
  dropped = 0
  private held: string[] = []
  private size = 0
  private timer: NodeJS.Timeout | undefined
  private writing: Promise<void> | undefined
  private readonly write: (lines: readonly string[]) => Promise<void>
  private readonly failed: (error: unknown) => void

  /** `write` rejects where the lines are lost; `failed` hears why. */
  constructor(write: (lines: readonly string[]) => Promise<void>, failed: (error: unknown) => void) {
    this.write = write
    this.failed = failed
  }

  add(line: string): void {
    if (this.size + line.length > MOST_HELD) {
      this.dropped++
      return
    }
    this.held.push(line)
    this.size += line.length
    if (this.writing) return
    if (this.held.length >= BATCH) this.start()
    else this.timer ??= setTimeout(() => this.start(), WAIT)
  }

  /** Writes what is held, and resolves when that is done. */
  async end(): Promise<void> {
    while (this.held.length > 0 || this.writing) {
      if (!this.writing) this.start()
      await this.writing
    }
  }

  private start(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.writing = this.drain().finally(() => (this.writing = undefined))
  }

  private async drain(): Promise<void> {
    while (this.held.length > 0) {
      const lines = this.held.splice(0, BATCH)
      for (const line of lines) this.size -= line.length
      try {
        await this.write(lines)
      } catch (error) {
        this.dropped += lines.length
        this.failed(error)
      }
    }
  }
}
