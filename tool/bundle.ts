import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, parse } from 'node:path'
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

/**
 * Bundles the program that the module `entry` (from the root) starts, with all packages that it loads, into `outfile`. What is imported when it is needed
 * stays apart, in NAME-chunks/ beside it: nobody pays for what he does not use.
 */
export async function bundle(entry: string, outfile: string): Promise<void> {
  const { dir, name } = parse(outfile)
  // What an earlier build left has other names.
  await rm(join(dir, chunksOf(name)), { recursive: true, force: true })
  const { metafile } = await build({
    ...options,
    entryPoints: { [name]: entry },
    outdir: dir,
    outExtension: { '.js': '.mjs' },
    chunkNames: `${chunksOf(name)}/[name]-[hash]`,
    splitting: true,
    metafile: true,
  })
  for (const path of Object.keys(metafile.outputs)) await toAscii(join(options.absWorkingDir, path))
}

/** Where the parts of a program are that it loads by need. */
export const chunksOf = (name: string): string => `${name}-chunks`

/** A single character beyond ASCII, in a regular expression that esbuild leaves as it is, and V8 keeps the whole text at twice its size. */
async function toAscii(path: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  await writeFile(
    path,
    text.replace(/[^\0-\x7f]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}
