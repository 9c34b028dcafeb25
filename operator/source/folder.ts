import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Which files are manifests; those that begin with a dot, or lie in such a folder, are not ours. */
const MANIFEST = /\.(ya?ml|json)$/

/** A file as it was read. A file that is not the same text is not the same object. */
export interface ManifestFile {
  readonly text: string
  /** Inode, size and times: while they are the same, so is the text. */
  readonly stamp: string
}

/**
 * Reads the manifests of a folder and of those below it, by their path from it, in order. Symbolic links are followed, so that a mounted
 * ConfigMap, which swaps one link for all of its files, reads as any folder. What `before` holds and has not changed is not read again.
 */
export async function readFolder(
  folder: string,
  before: ReadonlyMap<string, ManifestFile>,
): Promise<Map<string, ManifestFile>> {
  const files = new Map<string, ManifestFile>()
  for (const path of (await manifests(folder, '', 0)).sort()) {
    const full = join(folder, path)
    const found = await stat(full, { bigint: true }).catch(() => undefined)
    if (!found) continue
    const stamp = `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`
    const known = before.get(path)
    if (known?.stamp === stamp) {
      files.set(path, known)
      continue
    }
    const text = await readFile(full, 'utf8').catch(() => undefined)
    if (text !== undefined) files.set(path, text === known?.text ? { ...known, stamp } : { text, stamp })
  }
  return files
}

/** Links may lead in circles. */
const DEEPEST = 16

async function manifests(folder: string, below: string, depth: number): Promise<string[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true })
  const found = await Promise.all(
    entries.map(async (entry) => {
      if (entry.name.startsWith('.')) return []
      const path = join(below, entry.name)
      const kind = entry.isSymbolicLink() ? await stat(join(folder, path)).catch(() => undefined) : entry
      if (kind?.isDirectory()) return depth < DEEPEST ? manifests(folder, path, depth + 1).catch(() => []) : []
      return kind?.isFile() && MANIFEST.test(entry.name) ? [path] : []
    }),
  )
  return found.flat()
}
