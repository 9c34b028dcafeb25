import { join } from 'node:path'
import { build } from 'esbuild'

/** The programs, each with the module that starts it. */
export const programs = { operator: 'operator/main.ts', sidecar: 'sidecar/main.ts', tradewind: 'cli/main.ts' } as const

/** Packages load these where they are installed, to be faster; they are not. */
const absent = ['bufferutil', 'utf-8-validate']

/** Packages in CommonJS ask for Node's own modules by `require`, which a module does not have. */
const banner =
  "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);"

/** Bundles the program that the module `entry` (from the root) starts, with all packages that it loads, into the single file `outfile`. */
export async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    absWorkingDir: join(import.meta.dirname, '..'),
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    external: absent,
    banner: { js: banner },
    // Names stay, for stacks and profiles are read by people; lines are short, for Node prints the one where it crashes.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    legalComments: 'none',
    logLevel: 'warning',
  })
}
