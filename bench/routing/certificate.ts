import { certify, CERTIFY_DEFAULTS } from '../../core/learning/certificate.ts'
import type { Bound, Certificate, CertifyOptions, Refusal } from '../../core/learning/certificate.ts'
import { seeded } from '../../core/learning/random.ts'
import type { Random } from '../../core/learning/random.ts'
import { mixing, oracle, percent } from './cascade.ts'
import { place } from '../../core/learning/split.ts'
import type { Row } from './data.ts'
import { learnt, outcomeOf, pairOf, SIGNALS } from './pair.ts'
import type { Pair, Scored, Signal } from './pair.ts'

export const SEEDS = [1, 2, 3, 4, 5]
const SPLITS = 200
/** Of the prompts two fifths train, and of the others two thirds certify and a third is held back. */
const [TRAIN, CERTIFY] = [0.4, 2 / 3]

const NEAR = [
  ['gpt-4o-mini-2024-07-18', 'gpt-4o-2024-08-06', 'gemini-1.5-flash'],
  ['gemini-1.5-flash', 'gemini-1.5-pro', 'gpt-4o-mini-2024-07-18'],
  ['meta-llama-3.1-70b-instruct', 'gpt-4o-2024-08-06', 'gpt-4o-mini-2024-07-18'],
  ['gemini-1.5-flash', 'gpt-4o-2024-08-06', 'gpt-4o-mini-2024-07-18'],
] as const
const FAR = [
  ['claude-3-haiku-20240307', 'claude-3-5-sonnet-20241022', 'gemini-1.5-flash'],
  ['meta-llama-3.1-8b-instruct', 'claude-3-5-sonnet-20241022', 'gemini-1.5-flash'],
  ['gpt-3.5-turbo-0125', 'gpt-4o-2024-08-06', 'gemini-1.5-flash'],
] as const

export const OPTIONS: CertifyOptions = { ...CERTIFY_DEFAULTS, segment: '*', issued: '2026-01-01' }

/** A rule that takes a threshold from rows: of ours one a bound, and the one whose mean looks right on them. */
type Rule = Bound | 'naive'
const RULES: readonly Rule[] = ['Betting', 'Normal', 'Bernstein', 'naive']

/** Promises on near and far pairs, as Markdown. */
export function certificates(zeroeval: readonly Row[], routellm: readonly Row[]): string {
  const near = NEAR.map(([weak, strong, second]) => pairOf(zeroeval, weak, strong, second))
  const far = FAR.map(([weak, strong, second]) => pairOf(zeroeval, weak, strong, second))
  const mixtral = pairOf(routellm, 'mixtral-8x7b-instruct', 'gpt-4-1106-preview')
  const [first] = near
  if (!first) return ''
  return [
    'Two fifths of the prompts train, and in each split two thirds of the others certify and a third is held back. *below 98 %*: splits whose held-back rows keep less; *explained by their noise*: how ' +
      'many would, were the retention of each split the mean of all, by the standard error of its rows; *beyond it*: splits whose 95 % upper confidence limit is below 98 %. *promises truly broken*: ' +
      'the rows that certify are drawn with replacement from those that trained nothing, which then are all there is, so that what a threshold retains is known. `Betting` is what `tradewind train` does; ' +
      '`Normal` the textbook bound; `naive` takes the greediest threshold whose mean on the certifying rows keeps the promise.',
    '',
    `### Promises of 98 %, δ = 0.05, over ${SPLITS} splits: ${first.name}`,
    ...HEAD,
    ...SIGNALS.flatMap((signal) => RULES.map((rule) => line(first, signal, rule))),
    ...beside(first),
    '',
    `### Other near pairs`,
    ...HEAD,
    ...near
      .slice(1)
      .flatMap((pair) => [
        ...(['Betting', 'naive'] as const).map((rule) => line(pair, 'agreement', rule)),
        ...beside(pair),
      ]),
    ...RULES.map((rule) => line(mixtral, 'prompt', rule)),
    ...beside(mixtral),
    '',
    '### Far pairs: the certificate refuses; what it would have promised otherwise is in the second line',
    ...HEAD,
    ...far.flatMap((pair) => [
      line(pair, 'agreement', 'Betting'),
      line(pair, 'agreement', 'Betting', { ...OPTIONS, farthest: 1 }),
      line(pair, 'agreement', 'naive'),
    ]),
    '',
    '### Per segment: each task by itself, seed 1',
    '',
    '| pair | task | rows that certify | what comes of it |',
    '| --- | --- | --- | --- |',
    ...segments(first, 'agreement'),
    ...segments(mixtral, 'prompt'),
  ].join('\n')
}

const HEAD = [
  '',
  '| pair, what is read, rule | refused | kept cheap | saving on held-back rows | retention | below 98 % | explained by their noise | beyond it | promises truly broken |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
]

function line(pair: Pair, signal: Signal, rule: Rule, options: CertifyOptions = OPTIONS): string {
  const scores = SEEDS.map((seed) => ({ seed, ...prepared(pair, signal, seed) }))
  const held: {
    readonly saving: number
    readonly share: number
    readonly retention: number
    readonly error: number
  }[] = []
  let [refused, broken, drawn] = [0, 0, 0]
  for (let split = 0; split < SPLITS; split++) {
    const of = scores[split % SEEDS.length]
    if (!of) continue
    const parts = { certify: new Array<number>(), held: new Array<number>() }
    for (const row of of.rest)
      (place(pair.rows[row]?.prompt ?? '', 1000 + split) < CERTIFY ? parts.certify : parts.held).push(row)
    const threshold = thresholdOf(pair, of, parts.certify, rule, options)
    if (threshold === undefined) refused++
    else {
      const { retention, error, escalation, saving } = outcomeOf(
        pair,
        signal,
        parts.held,
        (row) => (of.score[row] ?? 0) >= threshold,
      )
      held.push({ retention, error, saving, share: 1 - escalation })
    }
    // The same promise where the truth is known: rows are drawn with replacement from those that trained nothing, which then are all there is.
    const draw = drawnFrom(of.rest, parts.certify.length, seeded(split + 1))
    const promised = thresholdOf(pair, of, draw, rule, options)
    if (promised === undefined) continue
    drawn++
    if (outcomeOf(pair, signal, of.rest, (row) => (of.score[row] ?? 0) >= promised).retention < options.retain) broken++
  }
  const name = `${pair.name}, ${signal}, ${rule}${options.farthest < 1 ? '' : ', far pairs allowed'}`
  if (held.length === 0) return `| ${name} | ${percent(refused / SPLITS)} | | | | | | | ${of(broken, drawn)} |`
  const mean = (values: readonly number[]): number => values.reduce((sum, it) => sum + it, 0) / values.length
  const [saving, share, retention] = [
    held.map((it) => it.saving),
    held.map((it) => it.share),
    held.map((it) => it.retention),
  ]
  const middle = mean(retention)
  return [
    `| ${name} `,
    percent(refused / SPLITS),
    percent(mean(share)),
    `${percent(mean(saving))} (95 % of splits ${range(saving)})`,
    `${percent(middle)} (${range(retention)})`,
    percent(mean(held.map((it) => (it.retention < options.retain ? 1 : 0)))),
    percent(mean(held.map(({ error }) => below((options.retain - middle) / error)))),
    percent(mean(held.map((it) => (it.retention + 1.645 * it.error < options.retain ? 1 : 0)))),
    `${of(broken, drawn)} |`,
  ].join(' | ')
}

/** What is saved at 98 % over all rows without a promise: by lot, and by who knows both answers. */
function beside(pair: Pair): readonly string[] {
  const [mixed, best] = [mixing(pair), oracle(pair)]
  return [
    `| ${pair.name}, random mixing | | ${percent(1 - mixed.escalation)} | ${percent(mixed.saving)} | 98.0 % | | | | |`,
    `| ${pair.name}, oracle | | ${percent(1 - best.escalation)} | ${percent(best.saving)} | ${percent(best.retention)} | | | | |`,
  ]
}

const of = (part: number, whole: number): string => (whole === 0 ? '' : `${percent(part / whole)} of ${whole}`)

function range(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): string =>
    (100 * (sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN)).toFixed(1)
  return `${at(0.025)}–${at(0.975)}`
}

export interface Prepared extends Scored {
  /** Scores of rows that trained the gate: the thresholds tried are theirs. */
  readonly grid: readonly number[]
  /** Rows that trained nothing. */
  readonly rest: readonly number[]
}

/** Gates that have been fitted are kept: bounds differ in the threshold only. */
const fitted = new WeakMap<Pair, Map<string, Prepared>>()

/** A gate that has learnt from some rows, for the others. */
export function prepared(pair: Pair, signal: Signal, seed: number): Prepared {
  const known = fitted.get(pair) ?? new Map<string, Prepared>()
  fitted.set(pair, known)
  const found = known.get(`${signal} ${seed}`)
  if (found) return found
  const all = [...pair.rows.keys()]
  const train = all.filter((row) => place(pair.rows[row]?.prompt ?? '', seed) < TRAIN)
  const rest = all.filter((row) => place(pair.rows[row]?.prompt ?? '', seed) >= TRAIN)
  const scored = learnt(pair, signal, train, seed)
  const made = { ...scored, rest, grid: train.map((row) => scored.score[row] ?? 0) }
  known.set(`${signal} ${seed}`, made)
  return made
}

function thresholdOf(
  pair: Pair,
  scored: Prepared,
  rows: readonly number[],
  rule: Rule,
  options: CertifyOptions,
): number | undefined {
  if (rule === 'naive') return naive(pair, scored.score, rows, options.retain)
  const made = certified(pair, scored, rows, { ...options, bound: rule })
  return made.kind === 'Certificate' ? made.threshold : undefined
}

/** The certificate that rows give. */
export function certified(
  pair: Pair,
  { score, grid }: Prepared,
  rows: readonly number[],
  options: CertifyOptions,
): Certificate | Refusal {
  const column = (of: Float64Array): Float64Array => Float64Array.from(rows, (row) => of[row] ?? 0)
  return certify({ score: column(score), weak: column(pair.weak), strong: column(pair.strong) }, grid, options)
}

/** The greediest threshold whose mean on the rows keeps the promise. */
function naive({ weak, strong }: Pair, score: Float64Array, rows: readonly number[], retain: number): number {
  const order = rows.toSorted((a, b) => (score[b] ?? 0) - (score[a] ?? 0))
  const allowed = (1 - retain) * rows.reduce((sum, row) => sum + (strong[row] ?? 0), 0)
  let [lost, threshold] = [0, Infinity]
  for (const row of order) {
    lost += (strong[row] ?? 0) - (weak[row] ?? 0)
    if (lost <= allowed) threshold = score[row] ?? Infinity
  }
  return threshold
}

const drawnFrom = (rows: readonly number[], count: number, random: Random): readonly number[] =>
  Array.from({ length: count }, () => rows[Math.floor(random() * rows.length)] ?? 0)

function segments(pair: Pair, signal: Signal): readonly string[] {
  const scored = prepared(pair, signal, 1)
  const tasks = [...new Set(pair.rows.map(({ dataset }) => dataset))]
  return tasks.map((task) => {
    const rows = scored.rest.filter((row) => pair.rows[row]?.dataset === task)
    const made = certified(pair, scored, rows, { ...OPTIONS, segment: task })
    return `| ${pair.name} | ${task} | ${rows.length} | ${made.kind === 'Certificate' ? `keeps ${percent(made.share)} cheap; loss ${made.loss.toFixed(4)}, at most ${made.upper.toFixed(4)} of ${made.epsilon.toFixed(4)}` : made.message} |`
  })
}

/** The chance that a standard normal variable is below a value (Abramowitz and Stegun 1964, 26.2.17). */
function below(value: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(value))
  const tail =
    (Math.exp((-value * value) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return value > 0 ? 1 - tail : tail
}
