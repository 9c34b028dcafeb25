// Figures of learned routing on real data: `node bench/routing.ts [--only PART,…] [--data FOLDER]`. Each part is one section of routing.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { circumstances } from './results.ts'
import { dataFolder } from './routing/data.ts'
import { parts } from './routing/index.ts'

interface Flags {
  readonly data?: string
  readonly only?: string
  readonly save: boolean
}

const HEAD = `# What routing saves, and what it keeps

Each section is written by \`make bench-routing\` (\`node bench/routing.ts --only NAME\`), which says when, where and of what it was measured, on the sets of the folder in
\`ROUTING_DATA\`: RouteLLM's answers of mixtral-8x7b and gpt-4, ZeroEval's of ten models, and tiers of UncommonRoute (Apache-2.0 and MIT). Splits are by a hash of the deduplicated
prompt; nothing is chosen on held-back rows unless a table says that it reads a curve. Intervals are 95 % percentile bootstraps over prompts.

PGR(α) = (quality at a share α of strong calls − weak) ÷ (strong − weak); APGR is its integral; CPT(x) is the least share of strong calls that recovers x of the gap; save@r is the
largest cut of the always-strong cost that keeps r of its quality, at a price ratio of 1 : 16.67.
`

const file = join(import.meta.dirname, 'routing.md')
const names = parts.map(({ name }) => name).join(', ')

await new Command('routing')
  .description('measure learned routing on real data')
  .option('--only <parts>', `which of ${names}, separated by commas (default: all)`)
  .option('--data <folder>', 'the folder of the data (default: the environment variable ROUTING_DATA)')
  .option('--no-save', 'leave routing.md as it is')
  .action(async ({ data, only, save }: Flags, program: Command) => {
    const wanted = only?.split(',')
    const unknown = wanted?.find((name) => !parts.some((part) => part.name === name))
    if (unknown !== undefined) program.error(`error: there is no part "${unknown}"; there are ${names}`)
    const folder = dataFolder(data)
    if (folder === undefined) {
      console.log('routing: skipped: there is no data; name its folder by --data or ROUTING_DATA')
      return
    }
    const at = circumstances(new Map())
    const from = data === undefined ? 'ROUTING_DATA=FOLDER ' : ''
    for (const { name, title, run } of parts.filter((part) => wanted?.includes(part.name) ?? true)) {
      const began = performance.now()
      const text = await run(folder)
      const minutes = ((performance.now() - began) / 60_000).toFixed(1)
      const command = `${from}node bench/routing.ts --only ${name}${data === undefined ? '' : ' --data FOLDER'}`
      const head = `\`${command}\`, ${at.date}, commit ${at.commit}, ${at.machine}, load average ${at.load.toFixed(1)}, ${minutes} minutes.`
      console.log(`\n## ${title}\n\n${head}\n\n${text}`)
      if (save) keep(name, `## ${title}\n\n${head}\n\n${text}\n`)
    }
  })
  .parseAsync()

/** Puts a section in its place among the others, which stay as they were measured. */
function keep(name: string, section: string): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const sections = new Map<string, string>()
  for (const [, of = '', text = ''] of before.matchAll(/<!-- ([\w-]+) -->\n([^]*?)<!-- end -->/g))
    sections.set(of, text)
  sections.set(name, section)
  // What another version of this program measured is kept, too.
  const order = new Set([...parts.map((part) => part.name), ...sections.keys()])
  const body = [...order].flatMap((part) => {
    const text = sections.get(part)
    return text === undefined ? [] : [`<!-- ${part} -->\n${text}<!-- end -->\n`]
  })
  writeFileSync(file, `${HEAD}\n${body.join('\n')}`)
}
