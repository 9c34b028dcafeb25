import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** What each room may import besides itself. A room that is not named here may import anything. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  core: [],
  api: ['core'],
  operator: ['api', 'core'],
  sidecar: ['api', 'core'],
  // It runs in browsers, which are served nothing of the others: their types alone, in comments.
  dashboard: [],
}

/** The packages that core may import: pure ones. It has no I/O, no clock and no chance. */
const pure = ['node:buffer', 'node:crypto', 'node:zlib']

/** Packages that weigh too much for a program that runs beside every pod, or know Kubernetes, or both. */
const tooHeavyForSidecar = ['@kubernetes/client-node', 'express', '@opentelemetry/sdk-node', 'commander']

const imports = [
  /^\s*(?:import|export)\b[^'"`]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"]([^'"]+)['"]/g,
]

/** The specifiers that a module's source imports, as types too: a type ties two rooms together as well as a value. */
export function specifiers(source: string): string[] {
  return imports.flatMap((form) => [...source.matchAll(form)].flatMap(([, specifier]) => specifier ?? []))
}

/** Why a module at `path` (from the root, with slashes) may not import `specifier`; undefined when it may. */
export function violation(path: string, specifier: string): string | undefined {
  const room = path.split('/')[0] ?? ''
  const allowed = rooms[room]
  if (!allowed) return undefined
  if (specifier.startsWith('.')) {
    const [target = '', ...below] = normalize(join(dirname(path), specifier))
      .replaceAll('\\', '/')
      .split('/')
    const isRoom = below.length > 0
    return !isRoom || target === room || allowed.includes(target) ? undefined : `${room} may not import from ${target}`
  }
  const named = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  if (room === 'dashboard') return 'the dashboard runs in browsers, which have no packages'
  if (room === 'core' && !pure.includes(named)) return `core may import ${pure.join(' and ')} only`
  if (room === 'sidecar' && tooHeavyForSidecar.includes(named)) return `${named} is too heavy for the sidecar`
  return undefined
}

/** Checks every module of the rooms below `root`; tests may import what they need. A room without modules is an error. */
export function checkImports(root: string): string[] {
  return Object.keys(rooms).flatMap((room) => {
    const paths = globSync(`${room}/**/*.{ts,js}`, { cwd: root }).filter((path) => !path.endsWith('.test.ts'))
    if (paths.length === 0) return [`${room}: no modules seen`]
    return paths.flatMap((path) =>
      specifiers(readFileSync(join(root, path), 'utf8')).flatMap((specifier) => {
        const why = violation(path.replaceAll('\\', '/'), specifier)
        return why ? [`${path}: imports '${specifier}': ${why}`] : []
      }),
    )
  })
}
