// Bundles each program into dist/NAME.mjs, with what it loads by need beside it, and lays out the npm package in dist/npm/.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, programs } from './bundle.ts'
import { makePackage } from './npm-package.ts'

const dist = join(import.meta.dirname, '../dist')

for (const [name, entry] of Object.entries(programs)) {
  const file = join(dist, `${name}.mjs`)
  await bundle(entry, file)
  console.log(`${file}  ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB`)
}
await makePackage(join(dist, 'npm'))
console.log(`${join(dist, 'npm')}  to publish with \`npm publish\``)
