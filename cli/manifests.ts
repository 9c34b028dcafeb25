import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from './failure.ts'

/** A file of manifests, named as the user named it. */
export interface File {
  readonly name: string
  readonly text: string
}

const MANIFEST = /\.(ya?ml|json)$/

/** The files at some paths: a directory's manifests with those below it, and standard input for `-`. Throws `Failure`. */
export function readManifests(paths: readonly string[]): File[] {
  return paths.flatMap((path) => {
    if (path === '-') return [{ name: '<stdin>', text: read(0, 'standard input') }]
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!stat)
      throw new Failure(`${path} does not exist; give a file or directory of manifests, or - for standard input.`)
    if (!stat.isDirectory()) return [{ name: path, text: read(path, path) }]
    const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => MANIFEST.test(name) && !name.split('/').some((part) => part.startsWith('.')))
      .sort()
      .map((name) => join(path, name))
      .filter((name) => statSync(name).isFile())
    if (files.length === 0) throw new Failure(`${path} holds no manifests: no file in it ends in .yaml, .yml or .json.`)
    return files.map((name) => ({ name, text: read(name, name) }))
  })
}

function read(file: string | 0, name: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Failure(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
