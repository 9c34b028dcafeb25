import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Failure } from './failure.ts'

/** A file of manifests, named as the user named it. */
export interface File {
  readonly name: string
  readonly text: string
}

const MANIFEST = /\.(ya?ml|json)$/

/** The files at some paths: a directory's manifests with those below it, and standard input for `-`. Throws `Failure`. */
export async function readManifests(paths: readonly string[]): Promise<File[]> {
  const files: File[] = []
  for (const path of paths) {
    if (path === '-') files.push({ name: '<stdin>', text: await text(process.stdin) })
    else files.push(...readPath(path))
  }
  return files
}

function readPath(path: string): File[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat)
    throw new Failure(`${path} does not exist; give a file or directory of manifests, or - for standard input.`)
  if (!stat.isDirectory()) return [{ name: path, text: read(path) }]
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => MANIFEST.test(name) && !name.split('/').some((part) => part.startsWith('.')))
    .sort()
    .map((name) => join(path, name))
    .filter((name) => statSync(name).isFile())
  if (files.length === 0) throw new Failure(`${path} holds no manifests: no file in it ends in .yaml, .yml or .json.`)
  return files.map((name) => ({ name, text: read(name) }))
}

function read(name: string): string {
  try {
    return readFileSync(name, 'utf8')
  } catch (error) {
    throw new Failure(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
