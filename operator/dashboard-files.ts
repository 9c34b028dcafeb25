import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const room = join(import.meta.dirname, '../dashboard')

/** The dashboard's files, text by name. A bundle has this in it, with the scripts as one (tool/ahead.ts); otherwise they are read as they are. */
export function dashboardFiles(): Readonly<Record<string, string>> {
  const names = globSync('**/*.{html,css,js,svg}', { cwd: room }).map((name) => name.replaceAll('\\', '/'))
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(room, name), 'utf8')]))
}
