import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ArtefactError } from '../core/learning/artefact-error.ts'
import type { Promises } from '../core/learning/promises.ts'
import type { TextRule } from '../core/learning/text.ts'
import { TEXT_RULES } from '../core/learning/text.ts'
import { SEGMENT_FIELDS } from '../core/signals/segment.ts'
import { Failure } from './failure.ts'
import { columns, paint } from './output.ts'
import { artefactManifest } from './train/manifest.ts'
import { progressLine } from './train/progress.ts'
import { gateName, percent, promiseWords, reportPage, savingWords } from './train/report.ts'
import { readTraining } from './train/rows.ts'
import type { Trained } from './train/train.ts'
import { trained } from './train/train.ts'

const examples = `
Files are JSON Lines, or CSV where the name ends in .csv; either may be compressed (.gz). Each row has a prompt (or messages), and says of its models:
  acceptable  {"prompt": …, "acceptable": {"small": false, "large": true}}      columns acceptable:small, acceptable:large
  quality     {"prompt": …, "quality": {"small": 0.4, "large": 0.9}}            columns quality:small, quality:large
  one answer  {"prompt": …, "model": "small", "quality": 0.4}                   columns model, quality (or acceptable)
  preference  {"prompt": …, "model_a": …, "model_b": …, "winner": "model_a"}    winner: model_a, model_b, tie, both_bad
Where a row also has what models said, gates are trained for cheap answers (gate.learned):
  answers     {…, "answer": {"small": "It is 4.", "large": "4"}}                columns answer:small; answer beside model; answer_a, answer_b

Writes NAME.yaml, a ConfigMap for a route’s classifier.artefact, and NAME.html, the report.

Examples:
  tradewind train ratings.csv --name support-router --cost small=0.15 --cost large=2.5
  tradewind train answers.jsonl.gz --bar 0.7 --segment task --output artefacts
  kubectl apply --server-side -f support-router.yaml`

interface Flags {
  readonly text: TextRule
  readonly bar: number
  readonly seed: number
  readonly name: string
  readonly output: string
  readonly date?: string
  readonly cost: ReadonlyMap<string, number>
  readonly segment?: string
  readonly strong?: string
  readonly weak?: readonly string[]
  readonly second?: string
  readonly retain: number
  readonly delta: number
}

/** The command `tradewind train`. */
export function trainCommand(): Command {
  return new Command('train')
    .description('train a classifier that tells which model will do, on labelled prompts')
    .argument('<file...>', 'labelled prompts')
    .addOption(
      new Option('--text <rule>', 'the text of a request that is classified').choices(TEXT_RULES).default('LastUser'),
    )
    .option('--bar <quality>', 'the quality from which an answer is acceptable', inside(0, 1), 0.5)
    .option(
      '--cost <model=number>',
      'what a request to a model costs, in any unit; for all models or none',
      cost,
      new Map(),
    )
    .addOption(
      new Option(
        '--segment <column>',
        'promise for each value of this column by itself; requests are told apart by the same',
      ).choices(SEGMENT_FIELDS),
    )
    .option('--strong <model>', 'whose quality is to be kept (default: the best model)')
    .option('--weak <model...>', 'who may answer in its place (default: every cheaper model)')
    .option('--second <model>', 'train gates also to compare answers with those of this model')
    .option('--retain <share>', 'the share of the strongest model’s quality to promise', inside(0, 1), 0.98)
    .option('--delta <chance>', 'the chance that the promise is wrong', inside(0, 0.5), 0.05)
    .option('--name <name>', 'the ConfigMap’s name', name, 'router')
    .option('--output <dir>', 'where the files go', '.')
    .option('--seed <number>', 'for the parts and the training', seed, 1)
    .option('--date <time>', 'when it was made; default: SOURCE_DATE_EPOCH, or now', date)
    .addHelpText('after', examples)
    .action((files: readonly string[], flags: Flags) => {
      const data = files.map((file) => ({ name: file, bytes: read(file) }))
      const rows = readTraining(
        data.map((it) => ({ name: it.name, text: text(it) })),
        flags,
      )
      const line = progressLine(process.stderr, () => performance.now())
      let result: Trained
      try {
        result = train(rows, data, { ...flags, date: flags.date ?? now(), progress: line.say })
      } finally {
        line.end()
      }
      mkdirSync(flags.output, { recursive: true })
      const manifest = join(flags.output, `${flags.name}.yaml`)
      const page = join(flags.output, `${flags.name}.html`)
      writeFileSync(manifest, artefactManifest(flags.name, result))
      writeFileSync(page, reportPage(flags.name, result))
      process.stdout.write(summary(result, manifest, page))
    })
}

function train(
  rows: ReturnType<typeof readTraining>,
  data: readonly { readonly bytes: Uint8Array }[],
  options: Parameters<typeof trained>[2],
): Trained {
  try {
    return trained(
      rows,
      data.map(({ bytes }) => bytes),
      options,
    )
  } catch (error) {
    if (error instanceof ArtefactError) throw new Failure(error.message)
    throw error
  }
}

function summary(
  { artefact, judgement, promises, gates, assumed, bytes }: Trained,
  manifest: string,
  page: string,
): string {
  const kept = judgement.savings.find(({ retain }) => retain === 0.98)
  const lines = [
    columns([
      ['MODEL', 'ROWS', 'QUALITY', 'ACCEPTABLE', 'COST', 'CALIBRATION ERROR'],
      ...judgement.heads.map((it) => [
        it.model,
        String(it.rows),
        percent(it.quality),
        percent(it.acceptable),
        String(Number(it.cost.toPrecision(4))),
        percent(it.ece),
      ]),
    ]),
    '\n',
    kept ? `cost cut at 98 % of ${judgement.strong}’s quality: ${savingWords(kept)}\n` : '',
    ...promiseLines(promises),
    ...gates.flatMap((gate) =>
      gate.made.map(
        (made) => `${made.segment === '*' ? '' : `${made.segment}: `}${gateName(gate)}: ${promiseWords(made)}\n`,
      ),
    ),
    assumed.length > 0
      ? `${paint('yellow', 'assumed')} costs that rise with quality, from 1 to 16.67: say them with --cost\n`
      : '',
    `\n${manifest}: ${Math.ceil(bytes.length / 1024)} KiB, artefact ${artefact.hash.slice(0, 12)}; kubectl apply --server-side -f ${manifest}\n`,
    `${page}: the report\n`,
  ]
  return lines.join('')
}

/** Each promise by itself; refusals of one reason together, since with many segments there are many. */
function promiseLines({ made }: Promises): readonly string[] {
  const refusals = new Map<string, string[]>()
  const lines: string[] = []
  for (const { weak, made: one } of made) {
    const name = one.segment === '*' ? weak : `${weak} in ${one.segment}`
    if (one.kind === 'Refusal') refusals.set(one.reason, [...(refusals.get(one.reason) ?? []), name])
    else lines.push(`${name}: ${promiseWords(one)}\n`)
  }
  for (const [reason, names] of refusals)
    lines.push(
      `${paint('yellow', 'not promised')} (${reason}): ${names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')}\n`,
    )
  return lines
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function text({ name: file, bytes }: { readonly name: string; readonly bytes: Uint8Array }): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file.endsWith('.gz') ? gunzipSync(bytes) : bytes)
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** A number above `low` and at most `high`. */
function inside(low: number, high: number): (text: string) => number {
  return (value) => {
    const number = Number(value)
    if (!(number > low && number <= high))
      throw new InvalidArgumentError(`It must be a number above ${low} and at most ${high}.`)
    return number
  }
}

function cost(value: string, before: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const at = value.lastIndexOf('=')
  const number = Number(value.slice(at + 1))
  if (at < 1 || !(number > 0) || !Number.isFinite(number))
    throw new InvalidArgumentError('It must be MODEL=NUMBER, the number above 0.')
  return new Map([...before, [value.slice(0, at), number]])
}

function name(value: string): string {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value))
    throw new InvalidArgumentError('It must be a name as Kubernetes has them: a-z, 0-9 and -.')
  return value
}

function seed(value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0 || number >= 2 ** 31)
    throw new InvalidArgumentError('It must be a whole number from 0 to 2147483647.')
  return number
}

function date(value: string): string {
  const time = Date.parse(value)
  if (Number.isNaN(time)) throw new InvalidArgumentError('It must be a time as ISO 8601 has it, such as 2026-11-21.')
  return new Date(time).toISOString()
}

/** https://reproducible-builds.org/specs/source-date-epoch/ */
function now(): string {
  const epoch = process.env['SOURCE_DATE_EPOCH']
  if (epoch === undefined) return new Date().toISOString()
  if (!/^\d{1,12}$/.test(epoch)) throw new Failure('SOURCE_DATE_EPOCH must be seconds since 1970')
  return new Date(Number(epoch) * 1000).toISOString()
}
