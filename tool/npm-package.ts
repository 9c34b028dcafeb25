import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, chunksOf, programs } from './bundle.ts'

const root = join(import.meta.dirname, '..')

/** What of our own package.json the published one says too. */
const KEPT = ['name', 'version', 'description', 'license', 'type', 'engines'] as const

/**
 * Lays out the npm package in `directory`: the command line bundled with all that it needs, since type stripping does not reach into
 * node_modules, and a package.json with no dependencies. kubectl finds its plugins by name, so the program has two.
 */
export async function makePackage(directory: string): Promise<void> {
  const source: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  // What an earlier build left, under other names, would be published with it.
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  await bundle(programs.tradewind, join(directory, 'tradewind.mjs'))
  const manifest = {
    ...Object.fromEntries(KEPT.map((field) => [field, source[field]])),
    bin: { tradewind: 'tradewind.mjs', 'kubectl-tradewind': 'tradewind.mjs' },
    files: ['tradewind.mjs', chunksOf('tradewind')],
  }
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  for (const file of ['README.md', 'LICENSE']) copyFileSync(join(root, file), join(directory, file))
}
