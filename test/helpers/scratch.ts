import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '../../tool/lock.ts'

/** A new directory that carries this process's id; those that dead processes left behind under the same name are removed. */
export function scratch(name: string): string {
  const prefix = `tradewind-${name}-`
  for (const entry of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    const owner = Number(entry.slice(prefix.length).split('-')[0])
    if (owner && !isAlive(owner)) rmSync(join(tmpdir(), entry), { recursive: true, force: true })
  }
  return mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
}
