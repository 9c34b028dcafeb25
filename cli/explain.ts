import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Explanation } from '../core/explain.ts'
import { askAdmin } from './ask.ts'
import { EXIT, Failure } from './failure.ts'
import { labelOption } from './label.ts'
import { columns, outputOption, paint, print } from './output.ts'
import type { Output } from './output.ts'

const examples = `
Asks the sidecar at --admin, with the state that its targets are in at the moment; with --dir nobody, and takes every target for healthy.
With --request-id it makes a decision again that was made: one of the sidecar's latest, or one of a decision log; exit code 1 where the
choice is another one.

Examples:
  tradewind explain --model support-chat
  tradewind explain --model support-chat --header 'x-tier: gold' --dir examples/quickstart
  tradewind explain --model support-chat --prompt 'Is this contract void?' --at 2026-11-21T03:00:00Z
  tradewind explain --body request.json --dir examples/quickstart
  tradewind explain --request-id 5f3c --log decisions.jsonl
  tradewind explain --path /v2/models/resnet/infer --admin http://127.0.0.1:4142 -o json`

/** A request to be explained: header names in lower case. */
export interface Question {
  readonly model: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON, or empty: then its content is not known. */
  readonly body: string
  /** When it comes, ms since the epoch; undefined: now. */
  readonly at: number | undefined
}

interface Flags {
  readonly model: string
  readonly path: string
  readonly header: Readonly<Record<string, string>>
  readonly body?: string
  readonly prompt?: string
  readonly at?: number
  readonly admin: string
  readonly dir?: string
  readonly requestId?: string
  readonly log?: string
  readonly namespace?: string
  readonly label: Readonly<Record<string, string>>
  readonly output: Output
}

function header(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [, name, value] = /^([^:\s]+)\s*:\s*(.*)$/.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError("It must be like 'x-tier: gold'.")
  return { ...before, [name.toLowerCase()]: value }
}

function time(written: string): number {
  const at = Date.parse(written)
  if (Number.isNaN(at)) throw new InvalidArgumentError('It must be like 2026-11-21T03:00:00Z.')
  return at
}

/** The request's JSON: a file's, standard input's, or a chat of one message. */
async function bodyOf({ body, prompt, model }: Flags): Promise<string> {
  if (prompt !== undefined) return JSON.stringify({ model, messages: [{ role: 'user', content: prompt }] })
  if (body === undefined) return ''
  if (body === '-') return text(process.stdin)
  try {
    return readFileSync(body, 'utf8')
  } catch (error) {
    throw new Failure(`${body} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The command `tradewind explain`. */
export function explainCommand(): Command {
  return new Command('explain')
    .description('say which rule and targets a request would get, and why')
    .option('-m, --model <name>', 'what the request has in `model`', '')
    .option('-H, --header <header>', "a header of the request, 'name: value'; may be given several times", header, {})
    .option('-p, --path <path>', 'the path of the request', '/v1/chat/completions')
    .option('-b, --body <file>', 'the JSON of the request, for rules that look at it; - for standard input')
    .addOption(new Option('--prompt <text>', 'the same for a chat of one message').conflicts('body'))
    .option('--at <time>', 'when the request comes, such as 2026-11-21T03:00:00Z (default: now)', time)
    .option('--admin <url>', 'the admin port of a sidecar or a local run', 'http://127.0.0.1:4142')
    .addOption(
      new Option('--dir <dir>', 'explain by a directory of manifests, with nothing running').conflicts('admin'),
    )
    .addOption(
      new Option('--request-id <id>', 'replay the decision about a request (its x-request-id)').conflicts([
        'dir',
        'body',
        'prompt',
      ]),
    )
    .addOption(new Option('--log <file>', 'with --request-id: a decision log').conflicts('admin'))
    .option('-n, --namespace <name>', 'with --dir: the namespace of the pod that asks (default: that of the routes)')
    .addOption(labelOption('with --dir: a label of that pod'))
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action(async (flags: Flags) => {
      if (flags.requestId !== undefined) {
        const { replayDecision } = await import('./replay.ts')
        return replayDecision(flags.requestId, flags.log, flags.admin, flags.output)
      }
      if (flags.log !== undefined) throw new Failure('--log goes with --request-id.')
      const { output, admin, dir, namespace, label, model, path, header: headers, at } = flags
      const question = { model, path, headers, body: await bodyOf(flags), at }
      const explanation =
        dir === undefined
          ? await askSidecar(admin, question)
          : await (await import('./explain-directory.ts')).explainDirectory(dir, question, { namespace, labels: label })
      print(explanation, output, () => table(explanation))
      if (explanation.error) process.exitCode = EXIT.problem
    })
}

async function askSidecar(admin: string, { model, path, headers, body, at }: Question): Promise<Explanation> {
  const query = new URLSearchParams({ model, path })
  for (const [name, value] of Object.entries(headers)) query.append('header', `${name}: ${value}`)
  if (at !== undefined) query.set('at', new Date(at).toISOString())
  const sent = body === '' ? undefined : body
  return (await askAdmin(admin, `/explain?${query.toString()}`, sent)) as Explanation // what that port answers with 200
}

const figure = (value: number | undefined, digits: number): string => (value === undefined ? '' : value.toFixed(digits))

function table({
  reason: because,
  error,
  why,
  passed,
  targets,
  strategy,
  sticky,
  gate,
  experiment,
  mirror,
  faults = [],
}: Explanation): string {
  const key = sticky && `, sticky by ${sticky.header}${sticky.key === undefined ? ' (which the request lacks)' : ''}`
  const weighed = targets.some(({ quality, cost }) => quality !== undefined || cost !== undefined)
  const rows = targets.map(({ target, share, weight, priority, state, price, why: reason, quality, cost, latency }) => [
    `${(share * 100).toFixed(share === 0 || share === 1 ? 0 : 1)} %`,
    target,
    `${weight}`,
    `${priority}`,
    state,
    price ? [price.input, price.output].filter(Boolean).join('/') : '',
    ...(weighed
      ? [figure(quality, 3), cost === undefined ? '' : `${Number(cost.toPrecision(3))}`, figure(latency, 0)]
      : []),
    reason,
  ])
  return [
    error ? `${paint('red', `${error.status} ${error.code}`)}: ${error.message}\n` : `${why}\n`,
    ...passed.map(({ rule, why: reason }) => `Rule ${rule} does not match: ${reason}.\n`),
    ...(strategy === undefined
      ? []
      : [`Strategy ${strategy}${key ?? ''}${because === undefined ? '' : `, reason ${because}`}.\n`]),
    ...(experiment === undefined ? [] : [`${experiment}\n`]),
    ...(gate === undefined ? [] : [`${gate}\n`]),
    ...(mirror === undefined ? [] : [`Mirror: ${mirror}\n`]),
    ...faults.map((fault) => `${paint('yellow', 'Injected on purpose')}: ${fault}.\n`),
    rows.length
      ? `\n${columns([['SHARE', 'TARGET', 'WEIGHT', 'PRIORITY', 'STATE', 'USD/M', ...(weighed ? ['QUALITY', 'USD', 'MS'] : []), 'WHY'], ...rows])}`
      : '',
  ].join('')
}
