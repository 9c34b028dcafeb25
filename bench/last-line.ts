import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** The last whole line of a log that has `text` in it, of its last 64 KiB: after a run a log has millions. Empty where there is none. */
export function lastLine(file: string, text: string): string {
  const log = openSync(file, 'r')
  try {
    const { size } = fstatSync(log)
    const bytes = Buffer.alloc(Math.min(size, 65_536))
    readSync(log, bytes, 0, bytes.length, size - bytes.length)
    return (
      bytes
        .toString()
        .split('\n')
        .slice(0, -1)
        .findLast((line) => line.includes(text)) ?? ''
    )
  } finally {
    closeSync(log)
  }
}
