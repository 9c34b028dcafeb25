import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Benchmark, Series } from './benchmark.ts'
import { interval, median } from './statistics.ts'

/** One figure, for programs. */
interface Figure {
  readonly work: string
  readonly system: string
  readonly version: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  readonly date: string
  readonly machine: string
  readonly commit: string
}

/** Where and when a run was, and of what. */
export interface Circumstances {
  /** `2026-01-31`. */
  readonly date: string
  readonly machine: string
  readonly commit: string
  readonly versions: ReadonlyMap<string, string>
  /** The machine's load average over the minute before: figures of a machine that others use are worth less. */
  readonly load: number
}

/** The machine and the commit that is measured; `+` marks uncommitted changes to what runs. */
export function circumstances(versions: ReadonlyMap<string, string>): Circumstances {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim()
  const changed = git(
    'status',
    '--porcelain',
    '--untracked-files=no',
    '--',
    '../core',
    '../api',
    '../sidecar',
    '../operator',
    '../package-lock.json',
  )
  const debian = existsSync('/etc/os-release')
    ? /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
    : undefined
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: [
      `${cpus().length} cores`,
      cpus()[0]?.model.trim(),
      memory,
      debian ?? process.platform,
      `Linux ${release()}`,
    ]
      .filter(Boolean)
      .join(', '),
    commit: git('rev-parse', '--short', 'HEAD') + (changed === '' ? '' : '+'),
    versions,
    load: loadavg()[0] ?? 0,
  }
}

const digits = (value: number): string => {
  const size = Math.abs(value)
  return size >= 1000
    ? Math.round(value).toLocaleString('en-US')
    : size >= 100 || value === 0
      ? value.toFixed(0)
      : size >= 10
        ? value.toFixed(1)
        : size >= 1
          ? value.toFixed(2)
          : value.toFixed(3)
}

/** `median (low–high)`, the interval left out where there was one round. */
function cell(values: readonly number[] | undefined): string {
  if (!values) return ''
  const [low, high] = interval(values)
  return values.length > 1 ? `${digits(median(values))} (${digits(low)}–${digits(high)})` : digits(median(values))
}

/**
 * A run as a Markdown table: a row for each system and work, a column for each metric as `median (95 % interval over rounds)`. Where CPU
 * time was measured, its ratio to each peer of the same round comes with it: ratios carry over between machines.
 */
export function table(series: readonly Series[]): string {
  const works = [...new Set(series.map((it) => it.work))]
  const metrics = [...new Map(series.map((it) => [it.metric, it.unit]))]
  const of = (work: string, system: string, metric: string): readonly number[] | undefined =>
    series.find((it) => it.work === work && it.system === system && it.metric === metric)?.values
  const ratios = ['nginx', 'envoy'].filter((peer) => works.some((work) => of(work, peer, 'cpu_per_request')))
  const ratio = (work: string, system: string, peer: string): readonly number[] | undefined => {
    const theirs = of(work, peer, 'cpu_per_request')
    return of(work, system, 'cpu_per_request')?.map((ours, round) => ours / (theirs?.[round] ?? Number.NaN))
  }
  const header = [
    'system',
    ...(works.length > 1 ? ['work'] : []),
    ...metrics.map(([metric, unit]) => (unit === '' ? metric : `${metric} (${unit})`)),
    ...ratios.map((peer) => `CPU × ${peer}`),
  ]
  const rows = works.flatMap((work) =>
    [...new Set(series.filter((it) => it.work === work).map((it) => it.system))].map((system) => [
      system,
      ...(works.length > 1 ? [work] : []),
      ...metrics.map(([metric]) => cell(of(work, system, metric))),
      ...ratios.map((peer) => cell(ratio(work, system, peer))),
    ]),
  )
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const directory = import.meta.dirname
const heading = `# Results

What \`make bench\` measured, newest last. Each figure is the median over interleaved rounds with its 95 % bootstrap interval over them; the proxy has
core 0, the load generator and the upstream core 1. Compare within one table: ratios carry over between machines, absolute times do not.
`

/** Appends a run to \`results.md\` and \`results.json\`. */
export function append(
  { name, about }: Benchmark,
  series: readonly Series[],
  at: Circumstances,
  evidence: ReadonlyMap<string, string>,
): void {
  const book = join(directory, 'results.md')
  const works = [...new Set(series.map((it) => it.work))]
  const versions = [...at.versions]
    .filter(([, version]) => version !== '')
    .map(([system, version]) => `${system} ${version}`)
  const shown = [...evidence]
    .filter(([, text]) => text !== '')
    .map(([system, text]) => `${system}:\n\`\`\`\n${text}\n\`\`\``)
  const details =
    shown.length > 0
      ? `\n<details><summary>What shows that the features are on</summary>\n\n${shown.join('\n\n')}\n\n</details>\n`
      : ''
  const section = `
## ${at.date}: ${name}

${about}. ${works.length === 1 ? `${works[0]}. ` : ''}Commit ${at.commit}; ${at.machine}, load average before it ${at.load.toFixed(1)}; ${versions.join(', ')}.

${table(series)}
${details}`
  writeFileSync(book, (existsSync(book) ? readFileSync(book, 'utf8') : heading) + section)

  const file = join(directory, 'results.json')
  // The file is what this function writes.
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as readonly Figure[]) : []
  const { date, machine, commit } = at
  const figures = series.map(({ work, system, metric, unit, values }): Figure => {
    const value = Number(median(values).toPrecision(5))
    return {
      work: `${name}: ${work}`,
      system,
      version: at.versions.get(system) ?? '',
      metric,
      value,
      unit,
      date,
      machine,
      commit,
    }
  })
  // One figure a line, so that a run is a readable difference.
  writeFileSync(file, `[\n${[...before, ...figures].map((it) => `  ${JSON.stringify(it)}`).join(',\n')}\n]\n`)
}
