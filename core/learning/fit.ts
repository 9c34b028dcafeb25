import type { Head } from './artefact.ts'
import type { Calibration } from './calibrate.ts'
import { calibrate, logLoss } from './calibrate.ts'
import { DENSE } from './dense.ts'
import type { Table } from './examples.ts'
import { tableOf } from './examples.ts'
import type { Features, Standard } from './features.ts'
import type { Linear } from './head.ts'
import { logitOf, sigmoid, trainHeads } from './head.ts'
import type { Neighbours } from './neighbours.ts'
import { neighbourMeans, neighboursOf } from './neighbours.ts'
import { seeded, shuffled } from './random.ts'

/** What heads are trained on: one text and one target per model for each row, no text twice. */
export interface TrainingSet {
  readonly texts: readonly string[]
  /** By model: 1 acceptable, 0 not, between them a share; NaN where that model has no answer to the row. */
  readonly targets: ReadonlyMap<string, Float64Array>
}

export interface FitOptions {
  readonly seed: number
  readonly read: (text: string) => Features
  /** Buckets of each head, a power of two of at most 2^18 (the default): what an artefact weighs. */
  readonly buckets?: number
  /** Called as work is done, with a share in (0, 1]. */
  readonly progress?: (share: number) => void
}

export interface Fitted {
  readonly standard: Standard
  readonly heads: readonly Head[]
}

/** FTRL's step size, and how far targets are drawn to what a row's neighbours say. */
interface Setting {
  readonly alpha: number
  readonly smoothing: number
  /** How many times each row is seen. */
  readonly epochs: number
}

const SETTINGS: readonly Setting[] = [
  { alpha: 0.3, smoothing: 0.5, epochs: 4 },
  { alpha: 0.1, smoothing: 0.5, epochs: 4 },
]
/** Of few rows each must be seen more often, and there is time to try more. */
const FEW = 5000
const SETTINGS_OF_FEW: readonly Setting[] = [0.3, 1, 3].flatMap((alpha) => [
  { alpha, smoothing: 0, epochs: 20 },
  { alpha, smoothing: 0.5, epochs: 20 },
])
const FOLDS = 4
const NEIGHBOURS = 100

/**
 * Trains one calibrated head per model. Settings are chosen by log loss on one inner fold; calibration is fitted to the logits of four inner folds,
 * each from heads that have not seen it; then heads learn from all rows. Targets are drawn to the mean of their nearest neighbours (a row's own
 * target left out), which distils k nearest neighbours into linear heads: their accuracy without their time (Hinton et al., arXiv 1503.02531).
 */
export function fit({ texts, targets }: TrainingSet, { seed, read, buckets, progress }: FitOptions): Fitted {
  const table = tableOf(texts, read, buckets)
  const near = neighboursOf(table, NEIGHBOURS, seeded(seed))
  const fold = new Uint8Array(texts.length)
  for (const [place, row] of shuffled(texts.length, seeded(seed + 1)).entries()) fold[row] = place % FOLDS
  const models = [...targets.keys()]
  const work = { table, near, seed, fold, targets: [...targets.values()] }
  const settings = texts.length < FEW ? SETTINGS_OF_FEW : SETTINGS
  const steps = settings.length + FOLDS
  let done = 0
  const step = <T>(result: T): T => {
    progress?.(++done / steps)
    return result
  }

  // Each trial leaves out the first fold; the heads of the one that is chosen go on to the calibration.
  const trials = settings.map((setting) => {
    const heads = step(train(work, setting, 0))
    return { setting, heads, loss: meanLoss(work, heads) }
  })
  const best = trials.reduce((least, trial) => (trial.loss < least.loss ? trial : least))
  const logits = models.map(() => new Float64Array(texts.length))
  for (let out = 0; out < FOLDS; out++)
    for (const [at, head] of (out === 0 ? best.heads : step(train(work, best.setting, out))).entries())
      logits[at]?.forEach((_, row, column) => {
        if (fold[row] === out) column[row] = logitOf(head, table.rows, row)
      })
  const heads = step(train(work, best.setting, undefined)).map((linear, at) =>
    asHead(models[at] ?? '', linear, table, calibrationOf(logits[at], work.targets[at])),
  )
  return { standard: table.standard, heads }
}

interface Work {
  readonly table: Table
  readonly near: Neighbours
  readonly fold: Uint8Array
  readonly seed: number
  readonly targets: readonly Float64Array[]
}

/** Learns from all rows but those of the fold `out`. */
function train(
  { table, near, fold, seed, targets }: Work,
  { alpha, smoothing, epochs }: Setting,
  out: number | undefined,
): readonly Linear[] {
  const use = fold.map((part) => (part === out ? 0 : 1))
  const rows = Uint32Array.from(use.keys()).filter((row) => use[row] === 1)
  const soft = targets.map((target) => {
    const means = neighbourMeans(near, target, use)
    return target.map((own, row) => (1 - smoothing) * own + smoothing * (means[row] ?? own))
  })
  return trainHeads(table.rows, rows, soft, table.buckets + DENSE.length, {
    epochs,
    alpha,
    l2: 0,
    random: seeded(seed + 2),
  })
}

/** The mean log loss of heads on the first fold, over all models. */
function meanLoss({ table, fold, targets }: Work, heads: readonly Linear[]): number {
  let [sum, rows] = [0, 0]
  for (const [at, head] of heads.entries())
    for (let row = 0; row < fold.length; row++) {
      const y = targets[at]?.[row] ?? Number.NaN
      if (fold[row] !== 0 || Number.isNaN(y)) continue
      sum += logLoss(sigmoid(logitOf(head, table.rows, row)), y)
      rows++
    }
  return rows > 0 ? sum / rows : 0
}

function calibrationOf(
  logits: Float64Array = new Float64Array(),
  target: Float64Array = new Float64Array(),
): Calibration {
  const known = target.map((y) => (Number.isNaN(y) ? 0 : 1))
  return calibrate(
    logits.filter((_, row) => known[row] === 1),
    target.filter((_, row) => known[row] === 1),
  )
}

/** A head for features as they are read: the scales of the columns go into its weights. */
function asHead(model: string, { weights, bias }: Linear, { scale, buckets }: Table, calibration: Calibration): Head {
  const scaled = weights.map((weight, column) => weight * (scale[column] ?? 1))
  return {
    model,
    weights: scaled.slice(0, buckets),
    dense: scaled.slice(buckets),
    bias,
    calibration,
  }
}
