// Exits 0 when node_modules holds what package-lock.json says: npm writes what it installed into a lockfile of its own.
import { readFileSync } from 'node:fs'

interface Locked {
  readonly version?: string
  readonly integrity?: string
  readonly optional?: boolean
}

function packages(lockfile: string): Map<string, Locked> {
  try {
    // npm owns the format of both files; a field that is missing reads as a difference.
    const { packages } = JSON.parse(readFileSync(lockfile, 'utf8')) as { packages: Record<string, Locked> }
    return new Map(Object.entries(packages).filter(([path]) => path !== ''))
  } catch {
    return new Map()
  }
}

const wanted = packages('package-lock.json')
const installed = packages('node_modules/.package-lock.json')
const same = (path: string, of: Locked) =>
  installed.get(path)?.version === of.version && installed.get(path)?.integrity === of.integrity
const missing = [...wanted].filter(([path, of]) => !same(path, of) && !(of.optional && !installed.has(path)))
const extra = [...installed.keys()].filter((path) => !wanted.has(path))
process.exitCode = installed.size > 0 && missing.length + extra.length === 0 ? 0 : 1
