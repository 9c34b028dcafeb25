import type { Artefact } from '../../core/learning/artefact.ts'
import { brier, calibrationError, reliability } from '../../core/learning/calibrate.ts'
import type { Bin } from '../../core/learning/calibrate.ts'
import { costAt, frontier, pointOf, sweep } from '../../core/learning/curve.ts'
import type { Judging, Point } from '../../core/learning/curve.ts'
import { seeded } from '../../core/learning/random.ts'
import type { TrainingRow } from './rows.ts'

/** What the held-back rows say of one head. */
export interface HeadReport {
  readonly model: string
  readonly rows: number
  /** Mean quality of its answers, and the share that is acceptable. */
  readonly quality: number
  readonly acceptable: number
  readonly cost: number
  readonly ece: number
  readonly brier: number
  /** Brier score of always saying the base rate. */
  readonly brierBase: number
  readonly bins: readonly Bin[]
}

/** The cost cut at a share of the strong model's quality; NaN where it is not reached. */
export interface Saving {
  readonly retain: number
  readonly router: number
  readonly low: number
  readonly high: number
  readonly mixing: number
  readonly oracle: number
}

/** What the held-back rows say of one segment, routed as `Saving` of 98 % does. */
export interface SegmentReport {
  readonly segment: string
  readonly rows: number
  readonly strong: number
  readonly router: number
  readonly saving: number
}

export interface Judgement {
  readonly rows: number
  readonly strong: string
  readonly heads: readonly HeadReport[]
  readonly savings: readonly Saving[]
  readonly segments: readonly SegmentReport[]
  readonly router: readonly Point[]
  readonly mixing: readonly Point[]
  readonly oracle: readonly Point[]
  /** Each model alone. */
  readonly single: readonly (Point & { readonly model: string })[]
}

const RETAIN = [0.95, 0.98, 1]
const RESAMPLES = 300

/** Judges an artefact on rows that it has nothing of: calibration of each head, and the curve of cost and quality where the strong model has answered. */
export function judged(
  artefact: Artefact,
  rows: readonly TrainingRow[],
  {
    strong,
    cost,
    bar,
    seed,
  }: {
    readonly strong: string
    readonly cost: ReadonlyMap<string, number>
    readonly bar: number
    readonly seed: number
  },
): Judgement {
  const { models } = artefact
  const predictions = rows.map(({ text }) => artefact.quality(text))
  const column = (of: readonly number[], value: (row: number) => number): Float64Array => Float64Array.from(of, value)
  const heads = models.map((model, at): HeadReport => {
    const known = [...rows.keys()].filter((row) => rows[row]?.quality.has(model))
    const predicted = column(known, (row) => predictions[row]?.[at] ?? 0)
    const outcome = column(known, (row) => ((rows[row]?.quality.get(model) ?? 0) >= bar ? 1 : 0))
    const bins = reliability(predicted, outcome, 10)
    const acceptable = mean(outcome)
    return {
      model,
      rows: known.length,
      quality: mean(column(known, (row) => rows[row]?.quality.get(model) ?? 0)),
      acceptable,
      cost: cost.get(model) ?? 1,
      ece: calibrationError(bins),
      brier: brier(predicted, outcome),
      brierBase: acceptable * (1 - acceptable),
      bins,
    }
  })
  const shared = [...rows.keys()].filter((row) => rows[row]?.quality.has(strong))
  const judging: Judging = {
    predicted: models.map((_, at) => column(shared, (row) => predictions[row]?.[at] ?? 0)),
    outcome: models.map((model) => column(shared, (row) => rows[row]?.quality.get(model) ?? Number.NaN)),
    cost: models.map((model) => cost.get(model) ?? 1),
    strong: models.indexOf(strong),
  }
  return {
    rows: rows.length,
    strong,
    heads,
    ...curves(
      judging,
      models,
      shared.map((row) => rows[row]?.segment ?? '*'),
      seed,
    ),
  }
}

function curves(
  judging: Judging,
  models: readonly string[],
  segments: readonly string[],
  seed: number,
): Omit<Judgement, 'rows' | 'strong' | 'heads'> {
  const { outcome, cost, strong } = judging
  const count = segments.length
  const policies = sweep(judging)
  const best = sweep(judging, outcome)
  const always = new Uint8Array(count).fill(strong)
  // Only models that answered every row can be mixed with the strong one by lot and compared with it.
  const single = models.flatMap((model, at) =>
    count === 0 || outcome[at]?.some(Number.isNaN)
      ? []
      : [{ model, ...pointOf(judging, new Uint8Array(count).fill(at)) }],
  )
  const random = seeded(seed)
  const draws = Array.from({ length: RESAMPLES }, () => {
    const weights = new Float64Array(count)
    for (let draw = 0; draw < count; draw++) {
      const row = Math.floor(random() * count)
      weights[row] = (weights[row] ?? 0) + 1
    }
    const whole = pointOf(judging, always, weights)
    return { whole, points: policies.map(({ choice }) => pointOf(judging, choice, weights)) }
  })
  const whole = pointOf(judging, always)
  const router = policies.map(({ choice }) => pointOf(judging, choice))
  const oracle = best.map(({ choice }) => pointOf(judging, choice))
  const saving = (points: readonly Point[], at: Point, retain: number): number =>
    points.reduce(
      (most, { quality, cost: own }) => (quality >= retain * at.quality ? Math.max(most, 1 - own / at.cost) : most),
      0,
    )
  const savings = RETAIN.map((retain): Saving => {
    const sorted = draws.map((draw) => saving(draw.points, draw.whole, retain)).sort((a, b) => a - b)
    const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))] ?? Number.NaN
    const mixed = costAt(frontier(single), retain * whole.quality)
    return {
      retain,
      router: saving(router, whole, retain),
      low: at(0.025),
      high: at(0.975),
      mixing: 1 - mixed / whole.cost,
      oracle: 1 - costAt(frontier(oracle), retain * whole.quality) / whole.cost,
    }
  })
  const kept = policies.findLast((_, at) => (router[at]?.quality ?? 0) >= 0.98 * whole.quality)?.choice ?? always
  return {
    savings,
    router: router.toSorted((a, b) => a.cost - b.cost),
    oracle: frontier(oracle),
    mixing: frontier(single),
    single,
    segments: [...new Set(segments)].toSorted().map((segment) => {
      const own = [...segments.keys()].filter((row) => segments[row] === segment)
      const of = (value: (row: number) => number): number => mean(Float64Array.from(own, value))
      const routed = (row: number): number => kept[row] ?? strong
      return {
        segment,
        rows: own.length,
        strong: of((row) => outcome[strong]?.[row] ?? 0),
        router: of((row) => outcome[routed(row)]?.[row] ?? 0),
        saving: 1 - of((row) => cost[routed(row)] ?? 0) / (cost[strong] ?? 1),
      }
    }),
  }
}

function mean(values: Float64Array): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, it) => sum + it, 0) / values.length
}
