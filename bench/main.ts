// The benchmarks: `node bench/main.ts [NAME…]`, `--help` for the rest. Ours and the peers' figures come from the same run.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { scratch } from '../test/helpers/scratch.ts'
import { withLock } from '../tool/lock.ts'
import { cacheRoot } from '../tool/servers.ts'
import { benchmarks } from './index.ts'
import { type Installed, type Lab, pinLoad } from './lab.ts'
import { append, circumstances, table } from './results.ts'
import { systems } from './systems/index.ts'

interface Flags {
  readonly quick?: boolean
  readonly systems?: string
  readonly rounds?: number
  readonly printConfig?: boolean
  readonly save: boolean
}

const count = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number above 0.')
  return value
}

const program = new Command('bench')
  .description('measure Tradewind beside nginx, Envoy and LLM gateways')
  .argument('[names...]', `which: ${benchmarks.map(({ name }) => name).join(', ')} (default: all)`)
  .option('--quick', 'a short run whose figures are not kept')
  .option('--systems <names>', `which of ${systems.map(({ name }) => name).join(', ')}, separated by commas`)
  .option('--rounds <count>', 'interleaved rounds', count)
  .option('--print-config', 'print the configuration of each system, and measure nothing')
  .option('--no-save', 'leave results.md and results.json as they are')
  .addHelpText('after', `\n${benchmarks.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n')}`)
  .action(async (names: readonly string[], flags: Flags) => {
    const chosen =
      names.length === 0
        ? benchmarks
        : names.map(
            (name) =>
              benchmarks.find((it) => it.name === name) ?? program.error(`error: there is no benchmark "${name}"`),
          )
    const wanted = flags.systems?.split(',')
    const unknown = wanted?.find((name) => !systems.some((it) => it.name === name))
    if (unknown !== undefined) program.error(`error: there is no system "${unknown}"`)
    pinLoad()
    const directory = scratch('bench')
    mkdirSync(cacheRoot, { recursive: true })
    try {
      const installed = await install(wanted)
      if (flags.printConfig) return await printConfigs(installed, directory)
      // Two runs at once would measure each other.
      await withLock(join(cacheRoot, 'bench.lock'), () => measure(chosen, installed, flags, directory))
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

async function install(wanted: readonly string[] | undefined): Promise<readonly Installed[]> {
  const found: Installed[] = []
  for (const system of systems.filter(({ name }) => wanted?.includes(name) ?? true))
    try {
      found.push({ system, version: await system.install() })
    } catch (error) {
      console.error(`bench: without ${system.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  return found
}

async function printConfigs(installed: readonly Installed[], directory: string): Promise<void> {
  for (const { system, version } of installed) {
    const own = join(directory, system.name)
    mkdirSync(own, { recursive: true })
    const targets = [
      { port: 8001, weight: 90 },
      { port: 8002, weight: 10 },
    ] as const
    const { config, command } = await system.prepare({
      directory: own,
      port: 8080,
      adminPort: 8081,
      metricsPort: 8082,
      targets,
      routes: 1,
    })
    console.log(`# ${system.name} ${version}\n# on: ${system.features}\n# ${command?.join(' ') ?? ''}\n${config}\n`)
  }
}

async function measure(
  chosen: typeof benchmarks,
  installed: readonly Installed[],
  flags: Flags,
  directory: string,
): Promise<void> {
  const at = circumstances(new Map(installed.map(({ system, version }) => [system.name, version])))
  console.log(`${at.date}, commit ${at.commit}, ${at.machine}, load average ${at.load.toFixed(1)}`)
  for (const { system, version } of installed) console.log(`${system.name} ${version}: ${system.features}`)
  for (const benchmark of chosen) {
    console.log(`\n${benchmark.name}: ${benchmark.about}`)
    const evidence = new Map<string, string>()
    const lab: Lab = {
      systems: installed.filter(({ system }) => !benchmark.without?.includes(system.name)),
      directory,
      rounds: flags.rounds ?? (flags.quick ? 1 : 3),
      quick: flags.quick ?? false,
      log: (line) => console.log(`  ${line}`),
      evidence,
    }
    const series = await benchmark.run(lab)
    console.log(`\n${table(series)}`)
    for (const [system, text] of evidence) if (text !== '') console.log(`\n${system} shows:\n${text}`)
    if (flags.save && !flags.quick) append(benchmark, series, at, evidence)
  }
}

await program.parseAsync()
