import { Command, InvalidArgumentError, Option } from 'commander'
import { RELEASE } from '../api/release.ts'
import { Log, LEVELS } from '../sidecar/log.ts'
import type { Level } from '../sidecar/log.ts'
import { readSettings } from '../sidecar/settings.ts'
import type { Listen, Settings } from '../sidecar/settings.ts'
import { Failure } from './failure.ts'
import { labelOption } from './label.ts'
import { startLocal } from './local/local.ts'
import type { Local } from './local/local.ts'
import { Mocks } from './local/mocks.ts'
import { Narrator } from './local/narrator.ts'
import { routeTable, tryIt } from './local/summary.ts'
import { paint } from './output.ts'

const examples = `
Saving a file is an edit: it is in force for the next request, and what is wrong with it is said with file and line while the version
before goes on serving. Secrets may take \${VARIABLES} from the environment. URLs may point at this machine.

Examples:
  tradewind run examples/quickstart --mock
  tradewind run routes/ --listen 127.0.0.1:8080 --label app=support
  tradewind run routes/ --decisions decisions.jsonl
  OPENAI_BASE_URL=http://127.0.0.1:4141/v1 python app.py`

interface Flags {
  readonly listen: Listen
  readonly admin: Listen
  readonly namespace?: string
  readonly label: Readonly<Record<string, string>>
  readonly mock: boolean
  readonly logLevel: Level
  readonly decisions?: string
}

function listen(text: string): Listen {
  const [, host, port] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  if (port === undefined || Number(port) > 65535) throw new InvalidArgumentError('It must be like 127.0.0.1:4141.')
  return { host: (host ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port: Number(port) }
}

/** The command `tradewind run`: operator and sidecar in one process, until SIGINT or SIGTERM. */
export function runCommand(): Command {
  const settings = readSettings(process.env)
  const spelled = ({ host, port }: Listen) => `${host}:${port}`
  return new Command('run')
    .description('route requests by a directory of manifests, with no cluster')
    .argument('<dir>', 'the directory; it is watched')
    .addOption(
      new Option('--listen <host:port>', 'where requests come in; port 0 takes a free one')
        .argParser(listen)
        .default(settings.listen, spelled(settings.listen)),
    )
    .addOption(
      new Option('--admin <host:port>', 'where `tradewind status` and `explain` ask')
        .argParser(listen)
        .default(settings.admin, spelled(settings.admin)),
    )
    .option('-n, --namespace <name>', 'the namespace of the pod that is played (default: that of the routes)')
    .addOption(labelOption('a label of that pod'))
    .option('--mock', 'start a simulated model server for each endpoint at a loopback address', false)
    .addOption(
      new Option('--log-level <level>', 'of the JSON lines on standard error; info has one for each request')
        .choices(LEVELS)
        .default('warn'),
    )
    .option('--decisions <file>', 'write a line for each decision to this file; - for standard output')
    .addHelpText('after', examples)
    .action((directory: string, flags: Flags) => run(directory, flags, settings))
}

async function run(directory: string, flags: Flags, settings: Settings): Promise<void> {
  const print = (text: string) => void process.stdout.write(text)
  const mocks = new Mocks((message) => print(`${paint('yellow', 'warning')} ${message}\n`))
  // What there is at the start, the summary tells.
  let saved = false
  const narrator: Narrator = new Narrator(print, (id) => local?.source.at(id))
  const log = new Log(flags.logLevel, 2)
  let unreadable = ''
  let local: Local | undefined
  try {
    local = await startLocal({
      directory,
      settings: { ...settings, listen: flags.listen, admin: flags.admin, decisions: decisions(flags, settings) },
      namespace: flags.namespace,
      labels: flags.label,
      log,
      environment: process.env,
      saved(touched) {
        saved = true
        if (!local) return
        narrator.found(local.source.findings)
        for (const { kind, name } of touched) if (!local.source.at(`${kind} ${name}`)) narrator.gone(`${kind} ${name}`)
      },
      unreadable(error) {
        const message = error instanceof Error ? error.message : String(error)
        if (message !== unreadable) print(`${paint('red', 'problem')} ${message}\n`)
        unreadable = message
      },
      happened: (route, happening) => narrator.happened(route, happening),
      hooks: {
        statuses: (found) => narrator.statuses(found, !saved),
        compiled: (compiled) => {
          if (flags.mock) void mocks.follow(compiled)
        },
        converged: (ms) => (narrator.took = ms),
        failed: (error) => print(`${paint('red', 'fault')} ${error instanceof Error ? error.stack : String(error)}\n`),
      },
    })
  } catch (error) {
    throw new Failure(explained(error, directory), { cause: error })
  }
  const running = flags.mock && local.loop.compiled ? await mocks.follow(local.loop.compiled) : []
  print(summary(local, directory, running))
  narrator.found(local.source.findings)
  await new Promise<void>((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
  await local.stop()
  await mocks.close()
  log.end()
}

/** Where decisions go: as the environment has it, and to the file that was named. They are kept to be explained, whatever it says. */
function decisions({ decisions: named }: Flags, { decisions: { to, file } }: Settings): Settings['decisions'] {
  const { size = 64 * 1024 * 1024, keep = 4 } = file ?? {}
  const kept = new Set<(typeof to)[number]>([...to, 'memory'])
  if (named === undefined) return { to: [...kept], file }
  if (named === '-') return { to: [...kept.add('stdout')], file }
  return { to: [...kept.add('file')], file: { path: named, size, keep } }
}

function summary({ url, admin, pod, loop, source }: Local, directory: string, mocks: readonly string[]): string {
  const { compiled } = loop
  if (!compiled) return ''
  const { routes, endpoints } = source.world()
  const served = compiled.audience(pod).routes
  const unserved = [...routes.keys()].filter((name) => !served.has(name)).sort()
  const command = tryIt(
    [...served].flatMap((name) => compiled.routes.get(name)?.body ?? []),
    url,
  )
  const counts = `${count(routes.size, 'route')}, ${count(endpoints.size, 'endpoint')}`
  return [
    `${paint('bold', `tradewind ${RELEASE}`)} over ${directory}: ${counts}\n`,
    `\n${routeTable(compiled, pod)}`,
    ...unserved.map((name) => `${name} is for other pods: play one of them with --namespace and --label.\n`),
    ...(mocks.length > 0 ? [`\nSimulated models: ${mocks.join(', ')}\n`] : []),
    `\nSend requests to ${paint('bold', `${url}/v1`)} (OPENAI_BASE_URL), status and explain to ${admin}\n`,
    `Look at it all in a browser: ${paint('bold', `${admin}/`)}\n`,
    ...(command ? [`\n  ${command}\n`] : []),
    `\nSave a file in ${directory} to edit; Ctrl-C ends.\n`,
  ].join('')
}

function explained(error: unknown, directory: string): string {
  if (!(error instanceof Error)) return String(error)
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number } // of Node, it may have these
  if (code === 'EADDRINUSE')
    return `${address}:${port} is taken: something listens there. Choose another with --listen or --admin.`
  if (code === 'ENOENT' || code === 'ENOTDIR') return `${directory} is no directory of manifests.`
  return error.message
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`
