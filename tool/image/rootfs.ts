import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bundle } from '../bundle.ts'
import { which } from '../packages.ts'

/** The user of every image. */
export const user = { name: 'nonroot', id: 65532 } as const

/**
 * Makes the tree that all images share: Node (the one that runs this), the C libraries of this machine that it loads, and the few files
 * that they read. No shell, no package manager, no certificates: Node carries the roots that it trusts.
 */
export function makeBase(root: string): void {
  rmSync(root, { recursive: true, force: true })
  for (const directory of ['etc', 'usr/bin', 'app', 'tmp']) mkdirSync(join(root, directory), { recursive: true })
  write(join(root, 'etc/passwd'), `${user.name}:x:${user.id}:${user.id}::/:/nologin\n`)
  write(join(root, 'etc/group'), `${user.name}:x:${user.id}:\n`)
  write(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n')

  const node = join(root, 'usr/bin/node')
  copyFileSync(process.execPath, node)
  // A fifth of the binary is names that only a debugger reads.
  const strip = which('strip')
  if (strip) execFileSync(strip, ['--strip-all', node])
  else console.warn('images: Node is not stripped: there is no `strip` (Debian: binutils)')
  chmodSync(node, 0o755)
  for (const library of libraries(process.execPath)) {
    const copy = join(root, library)
    mkdirSync(dirname(copy), { recursive: true })
    copyFileSync(realpathSync(library), copy)
    chmodSync(copy, 0o755)
  }
  setDirectoryModes(root)
  chmodSync(join(root, 'tmp'), 0o1777)
}

/** Makes the tree of the program that the module `entry` starts: its bundle, to be laid over the base. */
export async function makeProgram(entry: string, root: string): Promise<void> {
  rmSync(root, { recursive: true, force: true })
  const main = join(root, 'app/main.mjs')
  await bundle(entry, main)
  setModes(root)
}

/** The libraries that a program loads, by the paths where its loader looks, the loader included. */
function libraries(program: string): string[] {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' })
  return [...listed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path)
}

/** Of a tree in which nothing is run by itself. */
function setModes(root: string): void {
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) chmodSync(join(entry.parentPath, entry.name), 0o644)
  setDirectoryModes(root)
}

/** The same whatever this process's umask is. */
function setDirectoryModes(root: string): void {
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o755)
  }
  chmodSync(root, 0o755)
}

function write(path: string, text: string): void {
  writeFileSync(path, text)
  chmodSync(path, 0o644)
}
