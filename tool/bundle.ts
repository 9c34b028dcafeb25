import { join } from 'node:path'
import { build } from 'esbuild'

/** The programs, each with the module that starts it. */
export const programs = {
  operator: 'operator/main.ts',
  sidecar: 'sidecar/main.ts',
  tradewind: 'cli/main.ts',
} as const
export type Program = keyof typeof programs

/** Packages load these where they are installed, to be faster; they are not. */
const absent = ['bufferutil', 'utf-8-validate']

/** Packages in CommonJS ask for Node's own modules by `require`, which a module does not have. */
const banner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

/** Bundles one program, with all packages that it loads, into the single file `outfile`. */
export async function bundle(program: Program, outfile: string): Promise<void> {
  await build({
    absWorkingDir: join(import.meta.dirname, '..'),
    entryPoints: [programs[program]],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    external: absent,
    banner: { js: banner },
    // Names stay: stacks and profiles are read by people.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
  })
}
