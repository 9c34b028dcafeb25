import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { BuildOptions } from 'esbuild'
import { builtinsByNeed, dashboardWithin, engineByNeed, validatorsAhead } from './ahead.ts'

/** The programs, each with the module that starts it. */
export const programs = { operator: 'operator/main.ts', sidecar: 'sidecar/main.ts', tradewind: 'cli/main.ts' } as const

/** Packages load these where they are installed, to be faster; they are not. */
const absent = ['bufferutil', 'utf-8-validate']

/** Packages in CommonJS ask for Node's own modules by `require`, which a module does not have. */
const banner = "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);"

const options = {
  absWorkingDir: join(import.meta.dirname, '..'),
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  external: absent,
  banner: { js: banner },
  plugins: [builtinsByNeed, dashboardWithin, engineByNeed, validatorsAhead],
  // Names stay: stacks and profiles are read by people.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
} as const satisfies BuildOptions

/** Bundles the program that the module `entry` (from the root) starts, with all packages that it loads, into the single file `outfile`. */
export async function bundle(entry: string, outfile: string): Promise<void> {
  await build({ ...options, entryPoints: [entry], outfile })
  // A single character beyond ASCII, in a regular expression that esbuild leaves as it is, and V8 keeps the whole text at twice its size.
  const text = await readFile(outfile, 'utf8')
  await writeFile(
    outfile,
    text.replace(/[^\0-\x7f]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}

/** The same into `NAME.mjs` in `directory`, but what is imported when it is needed stays apart, in chunks/: a command loads what it uses. */
export async function bundleApart(entry: string, name: string, directory: string): Promise<void> {
  await build({
    ...options,
    entryPoints: { [name]: entry },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
  })
}
