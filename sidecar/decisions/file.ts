import { mkdir, open, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface FileSettings {
  readonly path: string
  /** Bytes after which it begins anew. */
  readonly size: number
  /** How many full files are kept besides: `path.1` is the youngest. */
  readonly keep: number
}

/** A file of lines that begins anew when it is full; a line is never cut in two. One write at a time. */
export class RotatedFile {
  private readonly settings: FileSettings
  private handle: FileHandle | undefined
  private size = 0

  constructor(settings: FileSettings) {
    this.settings = settings
  }

  /** Rejects where they could not be written: the next write tries to open the file again. */
  async write(lines: readonly string[]): Promise<void> {
    try {
      let from = 0
      while (from < lines.length) {
        this.handle ??= await this.open()
        const room = this.settings.size - this.size
        const to = fitting(lines, from, room)
        if (to === from && this.size > 0) {
          await this.rotate()
          continue
        }
        const bytes = Buffer.from(`${lines.slice(from, Math.max(to, from + 1)).join('\n')}\n`)
        await this.handle.appendFile(bytes)
        this.size += bytes.length
        from = Math.max(to, from + 1)
      }
    } catch (error) {
      await this.close().catch(() => {})
      throw error
    }
  }

  async close(): Promise<void> {
    const { handle } = this
    this.handle = undefined
    await handle?.close()
  }

  private async open(): Promise<FileHandle> {
    await mkdir(dirname(this.settings.path), { recursive: true })
    // For the owner alone: there may be content in it.
    const handle = await open(this.settings.path, 'a', 0o600)
    this.size = (await handle.stat()).size
    return handle
  }

  private async rotate(): Promise<void> {
    const { path, keep } = this.settings
    await this.close()
    if (keep === 0) await rm(path, { force: true })
    for (let number = keep; number > 0; number--)
      await rename(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`).catch(ifMissing)
  }
}

/** How many lines from one on go into so many bytes. */
function fitting(lines: readonly string[], from: number, room: number): number {
  let left = room
  let to = from
  while (to < lines.length) {
    left -= Buffer.byteLength(lines[to] ?? '') + 1
    if (left < 0) break
    to++
  }
  return to
}

function ifMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
