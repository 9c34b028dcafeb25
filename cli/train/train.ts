import { createHash } from 'node:crypto'
import { RELEASE } from '../../api/release.ts'
import type { Artefact, Parts } from '../../core/learning/artefact.ts'
import { readArtefact, writeArtefact } from '../../core/learning/artefact.ts'
import { CERTIFY_DEFAULTS } from '../../core/learning/certificate.ts'
import { featureReader } from '../../core/learning/features.ts'
import { fit } from '../../core/learning/fit.ts'
import type { Promises } from '../../core/learning/promises.ts'
import { place } from '../../core/learning/split.ts'
import type { TextRule } from '../../core/learning/text.ts'
import { vouched } from '../../core/learning/vouch.ts'
import { GATES, writeGates } from '../../core/learning/gates.ts'
import type { TrainedGate } from '../../core/learning/gates.ts'
import { Failure } from '../failure.ts'
import { gatesOf } from './gates.ts'
import type { Judgement } from './judge.ts'
import { judged } from './judge.ts'
import type { TrainingRow } from './rows.ts'

export interface TrainOptions {
  readonly text: TextRule
  /** The quality from which an answer is acceptable. */
  readonly bar: number
  readonly seed: number
  /** ISO 8601. */
  readonly date: string
  /** What one request costs by model; what is missing is assumed. */
  readonly cost: ReadonlyMap<string, number>
  readonly segment?: string
  /** Whose quality is to be kept; undefined: the best of them. */
  readonly strong?: string
  /** Who may answer in its place; undefined: all that are cheaper. */
  readonly weak?: readonly string[]
  /** Whose answers gates compare with. */
  readonly second?: string
  readonly retain: number
  readonly delta: number
  readonly progress: (share: number) => void
}

export interface Trained {
  readonly bytes: Uint8Array
  readonly artefact: Artefact
  readonly promises: Promises
  readonly gates: readonly TrainedGate[]
  readonly judgement: Judgement
  /** Models whose cost was assumed. */
  readonly assumed: readonly string[]
  /** Rows of each part. */
  readonly parts: Readonly<Record<Part, number>>
}

/**
 * Of the prompts 45 % teach the heads; a tenth set what is novel and which thresholds are tried, 30 % certify, and 15 % judge. A promise is cut short by too few
 * rows that certify long before heads are by too few that teach.
 */
const PARTS = { taught: 0.45, held: 0.55, certify: 0.85, judge: 1 } as const
type Part = keyof typeof PARTS

const MODELS = 16
/** With fewer answers of a kind a head is noise. */
const LEAST = 10
/** Two models of unknown prices are assumed to be as far apart as mixtral-8x7b and gpt-4 were. */
const RATIO = 16.67

/** Trains, certifies and judges on parts of the rows by a hash of each prompt. `data` is the files' bytes, for the provenance. */
export function trained(rows: readonly TrainingRow[], data: readonly Uint8Array[], options: TrainOptions): Trained {
  const { text, bar, seed, date, retain, delta } = options
  const parts: Record<Part, TrainingRow[]> = { taught: [], held: [], certify: [], judge: [] }
  for (const row of rows) {
    const at = place(row.text, seed)
    parts[at < PARTS.taught ? 'taught' : at < PARTS.held ? 'held' : at < PARTS.certify ? 'certify' : 'judge'].push(row)
  }
  const models = modelsOf(parts.taught, bar)
  for (const model of [options.strong, options.second, ...(options.weak ?? [])])
    if (model !== undefined && !models.includes(model))
      throw new Failure(`${model} is in none of the rows that teach; there are ${models.join(', ')}`)
  const strong =
    options.strong ??
    models.reduce((best, model) => (meanOf(parts.taught, model) > meanOf(parts.taught, best) ? model : best))
  const { cost, assumed } = costsOf(models, parts.taught, options.cost)
  const texts = parts.taught.map((row) => row.text)
  const targets = new Map(
    models.map((model) => [model, quality(parts.taught, model).map((q) => (Number.isNaN(q) ? q : q >= bar ? 1 : 0))]),
  )
  const { heads, standard } = fit(
    { texts, targets },
    { seed, read: featureReader(), buckets: bucketsFor(models.length), progress: options.progress },
  )
  const hash = createHash('sha256')
  for (const bytes of data) hash.update(bytes)
  const provenance = { data: hash.digest('hex'), date, version: RELEASE, rows: texts.length, seed, bar }
  const bare: Parts = { textRule: text, provenance, standard, heads, sections: new Map() }
  const witness = (row: TrainingRow) => ({
    text: row.text,
    segment: row.segment,
    outcome: models.map((model) => row.quality.get(model) ?? Number.NaN),
  })
  const cheaper = (options.weak ?? models).filter(
    (model) => model !== strong && (cost.get(model) ?? 0) < (cost.get(strong) ?? 0),
  )
  const promise = { retain, delta, issued: date.slice(0, 10), strong, weak: cheaper, field: options.segment ?? '*' }
  const { sections, promises } = vouched(
    readArtefact(writeArtefact(bare)),
    texts,
    parts.held.map(witness),
    parts.certify.map(witness),
    { ...CERTIFY_DEFAULTS, ...promise },
  )
  const gates = gatesOf(parts, { ...promise, bar, second: options.second })
  const bytes = writeArtefact({
    ...bare,
    sections: gates.length === 0 ? sections : new Map([...sections, [GATES, writeGates(gates)]]),
  })
  const artefact = readArtefact(bytes)
  return {
    bytes,
    artefact,
    promises,
    gates,
    judgement: judged(artefact, parts.judge, { strong, cost, bar, seed }),
    assumed,
    parts: {
      taught: parts.taught.length,
      held: parts.held.length,
      certify: parts.certify.length,
      judge: parts.judge.length,
    },
  }
}

const quality = (rows: readonly TrainingRow[], model: string): Float64Array =>
  Float64Array.from(rows, (row) => row.quality.get(model) ?? Number.NaN)

function meanOf(rows: readonly TrainingRow[], model: string): number {
  const known = quality(rows, model).filter((q) => !Number.isNaN(q))
  return known.reduce((sum, q) => sum + q, 0) / known.length
}

/** The models that rows speak of, each with enough acceptable answers and enough others to learn from. */
function modelsOf(rows: readonly TrainingRow[], bar: number): readonly string[] {
  const models = [...new Set(rows.flatMap((row) => [...row.quality.keys()]))].toSorted()
  if (models.length < 2)
    throw new Failure(
      models.length === 0
        ? `there is nothing to learn from: of ${rows.length} rows that teach none has an answer`
        : `there is only one model, ${models.join()}: there is nothing to choose between`,
    )
  if (models.length > MODELS)
    throw new Failure(`there are ${models.length} models; an artefact holds at most ${MODELS}`)
  for (const model of models) {
    const known = quality(rows, model).filter((q) => !Number.isNaN(q))
    const good = known.filter((q) => q >= bar).length
    if (good < LEAST || known.length - good < LEAST)
      throw new Failure(
        `${model} has ${good} acceptable answers and ${known.length - good} others among the rows that teach; it needs ${LEAST} of each (45 % of the rows teach; --bar ${bar} says what is acceptable)`,
      )
  }
  return models
}

/** What an artefact of at most 900 KiB has room for: about 230 KiB for each head of 2^18 buckets. */
function bucketsFor(heads: number): number {
  return heads <= 3 ? 2 ** 18 : heads <= 6 ? 2 ** 17 : heads <= 12 ? 2 ** 16 : 2 ** 15
}

/** Costs as given; where any is missing, all are assumed to rise with quality, from 1 to 16.67. */
function costsOf(
  models: readonly string[],
  rows: readonly TrainingRow[],
  given: ReadonlyMap<string, number>,
): { readonly cost: ReadonlyMap<string, number>; readonly assumed: readonly string[] } {
  const unknown = [...given.keys()].find((model) => !models.includes(model))
  if (unknown !== undefined)
    throw new Failure(`--cost names ${unknown}, which no row speaks of; there are ${models.join(', ')}`)
  if (models.every((model) => given.has(model))) return { cost: given, assumed: [] }
  if (given.size > 0)
    throw new Failure(
      `--cost must name all models or none; it lacks ${models.filter((model) => !given.has(model)).join(', ')}`,
    )
  const ladder = models.toSorted((a, b) => meanOf(rows, a) - meanOf(rows, b) || (a < b ? -1 : 1))
  return { cost: new Map(ladder.map((model, at) => [model, RATIO ** (at / (ladder.length - 1))])), assumed: models }
}
