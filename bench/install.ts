import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { which } from '../tool/packages.ts'
import { cacheRoot } from '../tool/servers.ts'

/** Where a Debian package's command is; installs the package when root. Throws where it is missing and cannot be installed. */
export function debian(command: string, name: string): string {
  const found = which(command)
  if (found) return found
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !which('apt-get'))
    throw new Error(`${command} is not installed (Debian: apt-get install ${name})`)
  console.error(`bench: installing ${name}`)
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]): unknown =>
    execFileSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: environment })
  apt('update')
  apt('install', '--yes', '--no-install-recommends', name)
  const path = which(command)
  if (!path) throw new Error(`${name} brought no ${command}`)
  return path
}

/**
 * A directory in the user's cache that `make` has filled; made anew where an earlier attempt broke off. Resolves at once when it is there.
 * `key` holds the version.
 */
export function cached(key: string, make: (directory: string) => void): string {
  const directory = join(cacheRoot, 'bench', key)
  const done = join(directory, '.complete')
  if (existsSync(done)) return directory
  console.error(`bench: installing ${key}`)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  make(directory)
  writeFileSync(done, '')
  return directory
}

/** Runs a program quietly to its end; its complaints go through. Returns what it printed. */
export function run(command: string, args: readonly string[], directory = '.'): string {
  return execFileSync(command, args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}
