import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dataFolder } from './routing/data.ts'
import { parts } from './routing/index.ts'

// `node bench/routing.ts [--data FOLDER] [--only PART,…]`: measures routing on real data, part by part, and keeps each part's section of routing.md.
const FILE = join(import.meta.dirname, 'routing.md')
const HEAD = `# What routing saves, and what it keeps

Each section is written by \`node bench/routing.ts --only NAME\` on the sets of the folder in \`ROUTING_DATA\`: RouteLLM's answers of mixtral-8x7b and gpt-4, ZeroEval's of ten models, and
tiers of UncommonRoute (Apache-2.0 and MIT). Splits are by a hash of the deduplicated prompt; nothing is chosen on held-back rows unless a table says that it reads a curve.
`

const { values } = parseArgs({ options: { data: { type: 'string' }, only: { type: 'string' } } })
const folder = dataFolder(values.data)
const chosen = parts.filter(({ name }) => values.only === undefined || values.only.split(',').includes(name))
if (folder === undefined) console.log('skipped: no data; say where with --data or ROUTING_DATA')
else if (chosen.length === 0) {
  console.error(`no part of that name; there are ${parts.map(({ name }) => name).join(', ')}`)
  process.exitCode = 2
} else
  for (const { name, title, run } of chosen) {
    const began = performance.now()
    const text = run(folder)
    console.log(`${text}\n`)
    const seconds = Math.round((performance.now() - began) / 1000)
    keep(
      name,
      `## ${title}\n\n\`--only ${name}\`, ${new Date().toISOString().slice(0, 10)}, ${seconds} s.\n\n${text}\n`,
    )
  }

/** Puts a part's section where it belongs in the file, in the order of the parts. */
function keep(name: string, section: string): void {
  let text = ''
  try {
    text = readFileSync(FILE, 'utf8')
  } catch {
    // The first run makes the file.
  }
  const known = new Map(
    text.split(/^(?=## )/m).map((part) => [/^`--only ([\w-]+)`/m.exec(part)?.[1] ?? '', part.trimEnd()]),
  )
  known.set(name, section.trimEnd())
  const sections = parts.flatMap((part) => known.get(part.name) ?? [])
  writeFileSync(FILE, [HEAD.trimEnd(), ...sections].join('\n\n') + '\n')
}
