import { writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { Failure } from './failure.ts'
import { labelOption } from './label.ts'
import { outputOption, print } from './output.ts'
import type { Output } from './output.ts'
import type { Figures } from './simulate/figures.ts'

const examples = `
A data set is JSON Lines (.gz where compressed), a request a line with what each model made of it, or CSV as "tradewind train" takes it:
  {"prompt": …, "models": {"small": {"quality": 0.4, "input": 60, "output": 210, "ms": 800, "text": …}, "large": …}, "task": …, "headers": …}
Only quality is needed; tokens are estimated where they are missing, and a gate needs the text of answers. It is played through the route by
the sidecar's own code, with its own clock and seeded chance; nobody is asked. A decision log (docs/decisions.md) tells what a route has come
to in service, and by its propensities what another would.

Examples:
  tradewind simulate routes/ --data answers.jsonl --html report.html
  tradewind simulate routes/ --data answers.jsonl --map gpt-4o=gpt-4o-2024-08-06 --proposed routes-next/
  tradewind simulate routes/ --log decisions.jsonl --proposed routes-next/`

interface Flags {
  readonly data?: string
  readonly log?: string
  readonly proposed?: string
  readonly model?: string
  readonly map: ReadonlyMap<string, string>
  readonly bar: number
  readonly seed: number
  readonly limit?: number
  readonly html?: string
  readonly namespace?: string
  readonly label: Readonly<Record<string, string>>
  readonly output: Output
}

/** The command `tradewind simulate`. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('replay a data set or a decision log through a route, and say what comes of it')
    .argument('<dir>', 'the directory of manifests')
    .option('--data <file>', 'requests with the answers of several models')
    .addOption(new Option('--log <file>', 'a decision log').conflicts('data'))
    .option('--proposed <dir>', 'the same requests through other manifests, beside')
    .option('-m, --model <name>', 'what requests have in `model` (default: that of the only route)')
    .option('--map <model=name>', 'what the data set calls a model; may be given several times', mapped, new Map())
    .option('--bar <share>', 'for each task: the cheapest model with this share of the best one’s quality', share, 0.95)
    .option('--seed <number>', 'of all chance: the route’s own, and the intervals’', count, 1)
    .option('--limit <rows>', 'at most so many rows, from the first on', count)
    .option('--html <file>', 'write a page with charts')
    .option('-n, --namespace <name>', 'the namespace of the pod that asks (default: that of the routes)')
    .addOption(labelOption('a label of that pod'))
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action(simulate)
}

async function simulate(directory: string, flags: Flags): Promise<void> {
  const { data, log, proposed, output, html, namespace, label: labels } = flags
  if (data === undefined && log === undefined) throw new Failure('Say by --data or --log what to replay.')
  const pod = { namespace, labels }
  if (log !== undefined) {
    const { fromLog, logTable } = await import('./simulate/log.ts')
    const told = await fromLog(log, directory, proposed, { ...flags, pod })
    print(told, output, () => logTable(told))
    return
  }
  const { played } = await import('./simulate/played.ts')
  const figures = await played(data ?? '', directory, proposed, { ...flags, pod })
  if (html !== undefined) await page(html, figures, directory, data ?? '')
  const { table } = await import('./simulate/table.ts')
  print(figures, output, () => `${table(figures)}${html === undefined ? '' : `\nReport: ${html}\n`}`)
}

async function page(file: string, figures: Figures, directory: string, data: string): Promise<void> {
  const { reportPage } = await import('./simulate/page.ts')
  try {
    writeFileSync(file, reportPage(figures, directory, data))
  } catch (error) {
    throw new Failure(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function mapped(text: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, model, name] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (model === undefined || name === undefined)
    throw new InvalidArgumentError('It must be like gpt-4o=gpt-4o-2024-08-06.')
  return new Map([...before, [model, name]])
}

function share(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('It must be a number above 0, at most 1.')
  return value
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1.')
  return value
}
