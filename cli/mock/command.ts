import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type FaultKind, faultKinds } from './faults.ts'
import { parseLatency } from './pace.ts'
import { mockProviders } from './providers/index.ts'
import { type Mock, startMock } from './server.ts'

const positive = (text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}
const whole = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number.')
  return value
}
const latency = (text: string): string => {
  try {
    parseLatency(text)
    return text
  } catch {
    throw new InvalidArgumentError('It must be a time such as 50ms or 50ms±20.')
  }
}
const more = (text: string, before: readonly string[]): readonly string[] => [...before, text]

interface Flags {
  readonly port: number
  readonly host: string
  readonly name: string
  readonly provider: string
  readonly models?: string
  readonly latency?: string
  readonly ttft?: string
  readonly tokensPerSecond?: number
  readonly tokens: number
  readonly fault: readonly string[]
  readonly apiKey?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsClientCa?: string
  readonly echo?: boolean
  readonly json?: boolean
}

const shown = (value: string | number | undefined): string => (value === Infinity ? 'ever' : String(value))

/** `stall-body=2 for=ever`: a fault's name with its value, then its other parameters, each with its default. */
function usage(name: string, { defaults, main }: FaultKind): string {
  const others = Object.entries(defaults).filter(([key, value]) => key !== main && String(value).length < 20)
  return [
    main ? `${name}=${shown(defaults[main])}` : name,
    ...others.map(([key, value]) => `${key}=${shown(value)}`),
  ].join(',')
}

const manual = `
Faults, with the defaults of what may be set:${Object.entries(faultKinds)
  .map(([name, kind]) => `\n  ${usage(name, kind).padEnd(30)} ${kind.about}`)
  .join('')}

  Each takes percent=, times=, path=, model= and on=NAME to say whom it strikes: --fault status=500,percent=10
  and header=NAME:VALUE for its answer: --fault status=409,header=x-should-retry:false
  One request asks for its own by the header x-mock-fault: stall-body,after=3
  A running mock takes POST /_mock {"fault":"rate-limit=date,wait=2s"}; GET /_mock has counts and the last requests;
  DELETE /_mock clears both.`

/** The command `tradewind mock`: serves until SIGINT or SIGTERM. */
export function mockCommand(): Command {
  return new Command('mock')
    .description('run a simulated model server that speaks a provider’s API, with faults on demand')
    .option('-p, --port <port>', 'port; 0 takes a free one', whole, 4000)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('-n, --name <name>', 'name that its answers carry', 'mock')
    .addOption(new Option('--provider <name>', 'whose API it speaks').choices(mockProviders).default('openai'))
    .option('-m, --models <names>', 'models it serves, separated by commas (default: every name)')
    .option('--latency <time>', 'time before the headers: 50ms, or 50ms±20', latency)
    .option('--ttft <time>', 'time from the request to the first event of a stream', latency)
    .option('--tokens-per-second <rate>', 'speed of an answer (default: as fast as it goes)', positive)
    .option('--tokens <count>', 'length of an answer', whole, 16)
    .option('-f, --fault <fault>', 'a standing fault, see below; may be given several times', more, [])
    .option('--api-key <key>', 'refuse requests that do not carry this key as the provider has it')
    .option('--tls-cert <file>', 'serve https with this certificate (PEM)')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option('--tls-client-ca <file>', 'demand a client certificate signed by this CA (PEM)')
    .option('--echo', 'answer any path with what came in, and send WebSocket messages back')
    .option('--json', 'one JSON line for each request, and for the start')
    .addHelpText('after', manual)
    .action(async (flags: Flags, command: Command) => {
      const { tlsCert, tlsKey, tlsClientCa } = flags
      if ((tlsCert === undefined) !== (tlsKey === undefined))
        command.error('error: --tls-cert and --tls-key go together')
      if (tlsClientCa !== undefined && tlsCert === undefined)
        command.error('error: --tls-client-ca needs --tls-cert and --tls-key')
      const print = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
      const mock = await open(flags).catch((error: unknown) =>
        command.error(`error: ${error instanceof Error ? error.message : String(error)}`),
      )
      if (flags.json) print({ event: 'listening', name: mock.name, url: mock.url })
      else greet(mock, flags)
      await new Promise<void>((done) => {
        // A mock that refuses has no listener, and would end for want of anything to wait for.
        const hold = setInterval(() => {}, 2 ** 30)
        const stop = (): void => {
          clearInterval(hold)
          done()
        }
        process.once('SIGINT', stop).once('SIGTERM', stop)
      })
      await mock.close()

      function open(it: Flags): Promise<Mock> {
        const read = (file: string): string => readFileSync(file, 'utf8')
        const tls =
          tlsCert !== undefined && tlsKey !== undefined
            ? { cert: read(tlsCert), key: read(tlsKey), ca: tlsClientCa === undefined ? undefined : read(tlsClientCa) }
            : undefined
        return startMock({
          ...it,
          models: it.models
            ?.split(',')
            .map((name) => name.trim())
            .filter(Boolean),
          faults: it.fault,
          tls,
          onRequest: it.json
            ? ({ headers, body, ...record }) =>
                print({ event: 'request', ...record, userAgent: headers['user-agent'], bodyChars: body.length })
            : undefined,
        })
      }
    })
}

function greet(mock: Mock, flags: Flags): void {
  const what = flags.echo ? 'echoing every path' : `models: ${flags.models ?? 'any'}`
  const faults = flags.fault.length > 0 ? `, faults: ${flags.fault.join(' ')}` : ''
  const { path, body } = mock.provider.example(flags.models?.split(',')[0] ?? 'any')
  process.stdout.write(
    `${mock.name} listens on ${mock.url}${flags.echo ? '' : mock.provider.basePath} (${what}${faults})\n`,
  )
  if (!flags.echo) process.stdout.write(`  curl ${mock.url}${path} -d '${JSON.stringify(body)}'\n`)
}
