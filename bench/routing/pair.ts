import { readArtefact, writeArtefact } from '../../core/learning/artefact.ts'
import { featureReader } from '../../core/learning/features.ts'
import { fit } from '../../core/learning/fit.ts'
import { gateFeatures } from '../../core/learning/gate-features.ts'
import { DENSE } from '../../core/learning/dense.ts'
import { fitGate, judge } from '../../core/learning/gate.ts'
import { pairScore } from '../../core/learning/promises.ts'
import type { Row } from './data.ts'

/** List prices when the answers were made, USD per million tokens: input, output. */
const PRICES: Readonly<Record<string, readonly [number, number]>> = {
  'gpt-4o-mini-2024-07-18': [0.15, 0.6],
  'gpt-4o-2024-08-06': [2.5, 10],
  'gpt-4-turbo-2024-04-09': [10, 30],
  'gpt-3.5-turbo-0125': [0.5, 1.5],
  'claude-3-haiku-20240307': [0.25, 1.25],
  'claude-3-5-sonnet-20241022': [3, 15],
  'gemini-1.5-flash': [0.075, 0.3],
  'gemini-1.5-pro': [1.25, 5],
  'mixtral-8x7b-instruct': [0.6, 0.6],
  'gpt-4-1106-preview': [10, 30],
  'meta-llama-3.1-8b-instruct': [0.05, 0.08],
  'meta-llama-3.1-70b-instruct': [0.59, 0.79],
}

/** What a gate reads: the prompt alone, the cheap answer too, or a second cheap model's beside it. */
export const SIGNALS = ['prompt', 'response', 'agreement'] as const
export type Signal = (typeof SIGNALS)[number]

/** A cheap and a strong model, and a second cheap one whose answers are compared, over the prompts that all three answered. */
export interface Pair {
  readonly name: string
  readonly rows: readonly Row[]
  readonly weak: Float64Array
  readonly strong: Float64Array
  /** USD of each answer. */
  readonly cost: { readonly weak: Float64Array; readonly strong: Float64Array; readonly second: Float64Array }
  readonly features: Readonly<Record<Signal, readonly Float64Array[]>>
  /** Whether what the models said is known; else the prompt alone is read, by the heads of an artefact. */
  readonly answered: boolean
}

/** A pair of models of the set with answers; those without text are read by the prompt alone. */
export function pairOf(all: readonly Row[], weak: string, strong: string, second: string = weak): Pair {
  const rows = all.filter(({ models }) => models[weak] && models[strong] && models[second])
  const quality = (model: string): Float64Array => Float64Array.from(rows, ({ models }) => models[model]?.q ?? 0)
  const cost = (model: string): Float64Array => {
    const [input, output] = PRICES[model] ?? [Number.NaN, Number.NaN]
    return Float64Array.from(
      rows,
      ({ models }) => ((models[model]?.in_tok ?? 0) * input + (models[model]?.out_tok ?? 0) * output) / 1e6,
    )
  }
  const said = (row: Row, model: string): { readonly text: string } => ({ text: row.models[model]?.resp ?? '' })
  const response = rows.map((row) => gateFeatures(row.prompt, said(row, weak)))
  return {
    name: `${short(weak)} → ${short(strong)}`,
    rows,
    weak: quality(weak),
    strong: quality(strong),
    answered: rows.some(({ models }) => models[strong]?.resp !== undefined && second !== weak),
    cost: { weak: cost(weak), strong: cost(strong), second: cost(second) },
    features: {
      prompt: response.map((features) => features.slice(0, DENSE.length)),
      response,
      agreement: rows.map((row) => gateFeatures(row.prompt, said(row, weak), said(row, second))),
    },
  }
}

const short = (model: string): string => model.replace(/-(?:20)?\d\d-?\d\d-?\d\d$|-\d{8}$|-instruct$|^meta-/g, '')

/** What a gate that has learnt from some rows says of all: whether an answer is wrong, and how sure it is to keep it. */
export interface Scored {
  readonly wrong: Float64Array
  readonly score: Float64Array
}

/** What is learnt of the rows `train`, said of all. */
export function learnt(pair: Pair, signal: Signal, train: readonly number[], seed: number): Scored {
  return pair.answered ? byGate(pair, signal, train) : byHeads(pair, train, seed)
}

function byHeads({ rows, weak, strong }: Pair, train: readonly number[], seed: number): Scored {
  const read = featureReader()
  const texts = train.map((row) => rows[row]?.prompt ?? '')
  const right = (quality: Float64Array): Float64Array =>
    Float64Array.from(train, (row) => ((quality[row] ?? 0) >= 0.5 ? 1 : 0))
  const fitted = fit(
    {
      texts,
      targets: new Map([
        ['weak', right(weak)],
        ['strong', right(strong)],
      ]),
    },
    { seed, read },
  )
  const artefact = readArtefact(
    writeArtefact({
      ...fitted,
      textRule: 'LastUser',
      provenance: { data: '', date: '', version: '', rows: train.length, seed, bar: 0.5 },
      sections: new Map(),
    }),
  )
  const quality = rows.map(({ prompt }) => artefact.quality(prompt))
  return {
    wrong: Float64Array.from(quality, ([w = 0]) => 1 - w),
    score: Float64Array.from(quality, ([w = 0, s = 0]) => pairScore(w, s)),
  }
}

function byGate(pair: Pair, signal: Signal, train: readonly number[]): Scored {
  const features = pair.features[signal]
  const gate = fitGate(
    {
      features: train.map((row) => features[row] ?? new Float64Array()),
      weak: train.map((row) => pair.weak[row] ?? 0),
      strong: train.map((row) => pair.strong[row] ?? 0),
    },
    0.5,
  )
  const judged = features.map((row) => judge(gate, row))
  return { wrong: Float64Array.from(judged, (it) => it.wrong), score: Float64Array.from(judged, (it) => it.score) }
}

/** What comes of keeping some of the rows cheap. */
export interface Outcome {
  /** Quality as a share of the strong model's. */
  readonly retention: number
  /** Its standard error, by the spread of (routed - retention × strong) over rows. */
  readonly error: number
  readonly escalation: number
  /** Cost cut as a share of always asking the strong model. */
  readonly saving: number
}

/** What comes of rows of which `kept` stay cheap. By the prompt alone those that are not kept never meet the cheap model. */
export function outcomeOf(
  pair: Pair,
  signal: Signal,
  rows: readonly number[],
  kept: (row: number) => boolean,
): Outcome {
  const { weak, strong, cost } = pair
  let [routed, best, escalated, paid, full] = [0, 0, 0, 0, 0]
  for (const row of rows) {
    const cheap = kept(row)
    routed += (cheap ? weak[row] : strong[row]) ?? 0
    best += strong[row] ?? 0
    full += cost.strong[row] ?? 0
    if (cheap || signal !== 'prompt') paid += cost.weak[row] ?? 0
    if (signal === 'agreement') paid += cost.second[row] ?? 0
    if (cheap) continue
    escalated++
    paid += cost.strong[row] ?? 0
  }
  const retention = routed / best
  const squares = rows.reduce(
    (sum, row) => sum + (((kept(row) ? weak[row] : strong[row]) ?? 0) - retention * (strong[row] ?? 0)) ** 2,
    0,
  )
  return { retention, error: Math.sqrt(squares) / best, escalation: escalated / rows.length, saving: 1 - paid / full }
}
