// Figures of learned routing on real data: `node bench/routing.ts [PART…] --data FOLDER`. Each part is one section of routing.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { circumstances } from './results.ts'
import { dataFolder } from './routing/data.ts'
import { parts } from './routing/index.ts'

interface Flags {
  readonly data?: string
  readonly save: boolean
}

const HEAD = `# Learned routing: figures on real data

Written by \`make bench-routing\` (\`node bench/routing.ts\`); each section says when, where and of what it was measured. Intervals are 95 % percentile bootstraps over prompts.
Five folds by a hash of the deduplicated prompt; every choice (step size, calibration, thresholds) is made on folds inside the training folds.
PGR(α) = (quality at a share α of strong calls − weak) ÷ (strong − weak); APGR is its integral; CPT(x) the least share of strong calls that recovers x of the gap; save@r the largest
cut of the always-strong cost that keeps r of its quality, at a price ratio of 1 : 16.67.
`

const file = join(import.meta.dirname, 'routing.md')
const names = parts.map(({ name }) => name).join(', ')

await new Command('routing')
  .description('measure learned routing on real data')
  .argument('[parts...]', `which: ${names} (default: all)`)
  .option('--data <folder>', 'the folder of the data (default: the environment variable ROUTING_DATA)')
  .option('--no-save', 'leave routing.md as it is')
  .action((wanted: readonly string[], { data, save }: Flags, program: Command) => {
    const unknown = wanted.find((name) => !parts.some((part) => part.name === name))
    if (unknown !== undefined) program.error(`error: there is no part "${unknown}"; there are ${names}`)
    const folder = dataFolder(data)
    if (folder === undefined) {
      console.log('routing: skipped: there is no data; name its folder by --data or ROUTING_DATA')
      return
    }
    const at = circumstances(new Map())
    const from = data === undefined ? 'ROUTING_DATA=FOLDER ' : ''
    for (const { name, title, run } of parts.filter((part) => wanted.length === 0 || wanted.includes(part.name))) {
      const began = performance.now()
      const text = run(folder)
      const minutes = ((performance.now() - began) / 60_000).toFixed(1)
      const command = `${from}node bench/routing.ts ${name}${data === undefined ? '' : ' --data FOLDER'}`
      const head = `\`${command}\`, ${at.date}, commit ${at.commit}, ${at.machine}, load average ${at.load.toFixed(1)}, ${minutes} minutes.`
      console.log(`\n## ${title}\n\n${head}\n\n${text}`)
      if (save) keep(name, `## ${title}\n\n${head}\n\n${text}\n`)
    }
  })
  .parseAsync()

/** Puts a section in its place among the others, which stay as they were measured. */
function keep(name: string, section: string): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const sections = new Map(
    parts.flatMap((part): [string, string][] => {
      const [, text] = new RegExp(`<!-- ${part.name} -->\\n([^]*?)<!-- end -->`).exec(before) ?? []
      return text === undefined ? [] : [[part.name, text]]
    }),
  )
  sections.set(name, section)
  const body = parts.flatMap((part) => {
    const text = sections.get(part.name)
    return text === undefined ? [] : [`<!-- ${part.name} -->\n${text}<!-- end -->\n`]
  })
  writeFileSync(file, `${HEAD}\n${body.join('\n')}`)
}
