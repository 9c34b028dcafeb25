import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '../../tool/lock.ts'

/**
 * A new directory that carries this process's id. Those of that name whose process has died without removing them are given to `remove`
 * first.
 */
export function scratch(
  name: string,
  remove: (directory: string) => void = (directory) => rmSync(directory, { recursive: true, force: true }),
): string {
  const prefix = `tradewind-${name}-`
  for (const entry of readdirSync(tmpdir()).filter((found) => found.startsWith(prefix))) {
    const owner = Number(entry.slice(prefix.length).split('-')[0])
    if (owner && !isAlive(owner)) remove(join(tmpdir(), entry))
  }
  return mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
}
