import { ArtefactError } from './artefact-error.ts'
import { certify } from './certificate.ts'
import type { Certificate, CertifyOptions, Refusal } from './certificate.ts'
import { spreadOf } from './drift.ts'
import type { Spread } from './drift.ts'

/** What an artefact promises: for each segment and cheap model a certificate, or why there is none. */
export interface Promises {
  /** The model that quality is kept of, and whoever gets what is not promised. */
  readonly strong: string
  /** Which field of a row names its segment; `*`: all rows are one. */
  readonly field: string
  readonly made: readonly Promised[]
  /** How familiar the prompts were that it was certified on. */
  readonly familiarity: Spread
}

export interface Promised {
  readonly weak: string
  readonly made: Certificate | Refusal
  /** How the scores fell that it was certified on; no edges where no prompt was familiar. */
  readonly scores: Spread
}

/** A row that trained neither heads nor calibration. */
export interface PromiseRow {
  readonly segment: string
  /** Calibrated P(acceptable), by the artefact's order of models. */
  readonly quality: ArrayLike<number>
  /** How familiar its prompt is, by `familiarity`. */
  readonly familiar: number
  /** The quality that each model's answer had, in [0, 1], by the same order; NaN where it gave none. */
  readonly outcome: ArrayLike<number>
}

export interface PromiseOptions extends Omit<CertifyOptions, 'segment'> {
  /** The artefact's models, in their order. */
  readonly models: readonly string[]
  readonly strong: string
  readonly weak: readonly string[]
  readonly field: string
  /** The familiarity below which a prompt is novel. */
  readonly floor: number
}

/**
 * How sure the heads are that a cheap model will do where the strong one would: 0 where only the strong one is acceptable for certain, 1 where only the
 * cheap one is, by both calibrated probabilities. What both fail at is no reason to pay for either.
 */
export const pairScore = (weak: number, strong: number): number => (1 + weak - strong) / 2

/**
 * Certifies every cheap model for every segment. `delta` is shared among the cheap models, so that all promises of a segment hold together and the best can
 * be chosen. Novel prompts count as always going to the strong model. `grid` are rows other than those that certify; their scores set the thresholds tried.
 */
export function promisesOf(
  rows: readonly PromiseRow[],
  grid: readonly PromiseRow[],
  options: PromiseOptions,
): Promises {
  const { models, strong, weak, field, floor, delta } = options
  const s = models.indexOf(strong)
  const made = [...new Set(rows.map(({ segment }) => segment))].toSorted().flatMap((segment) =>
    weak.map((name): Promised => {
      const w = models.indexOf(name)
      const score = ({ quality, familiar }: PromiseRow): number =>
        familiar < floor ? -Infinity : pairScore(quality[w] ?? 0, quality[s] ?? 0)
      const own = rows.filter(
        (row) => row.segment === segment && !Number.isNaN((row.outcome[w] ?? NaN) + (row.outcome[s] ?? NaN)),
      )
      const scores = own.map(score)
      const outcomes = {
        score: scores,
        weak: own.map(({ outcome }) => outcome[w] ?? 0),
        strong: own.map(({ outcome }) => outcome[s] ?? 0),
      }
      const tried = grid.filter((row) => row.segment === segment).map(score)
      return {
        weak: name,
        made: certify(outcomes, tried, { ...options, segment, delta: delta / weak.length }),
        scores: spreadOf(scores.filter((it) => it > -Infinity)),
      }
    }),
  )
  return { strong, field, made, familiarity: spreadOf(rows.map(({ familiar }) => familiar)) }
}

/** The section of an artefact. */
export const writePromises = (promises: Promises): Uint8Array => Buffer.from(JSON.stringify(promises))

/** Reads what `writePromises` wrote; throws `ArtefactError` for anything else. */
export function readPromises(section: Uint8Array): Promises {
  try {
    // Looked at below; the hash holds against accidents.
    const read = JSON.parse(Buffer.from(section).toString()) as Promises
    const spread = ({ edges, shares }: Spread): boolean => [...edges, ...shares].every((it) => Number.isFinite(it))
    const certificate = (it: Certificate): boolean =>
      [it.threshold, it.epsilon, it.share, Date.parse(it.expires)].every((value) => Number.isFinite(value)) &&
      it.safe.every(({ threshold, share }) => Number.isFinite(threshold) && share > 0)
    const whole =
      [read.strong, read.field].every((it) => typeof it === 'string') &&
      spread(read.familiarity) &&
      read.made.every(
        ({ weak, made, scores }) =>
          typeof weak === 'string' &&
          typeof made.segment === 'string' &&
          spread(scores) &&
          (made.kind === 'Refusal' || certificate(made)),
      )
    if (whole) return read
  } catch (cause) {
    throw new ArtefactError('the section of certificates is not one', { cause })
  }
  throw new ArtefactError('the section of certificates is not one')
}
