import { ArtefactError } from './artefact-error.ts'
import { certify, voidReason } from './certificate.ts'
import type { Certificate, CertifyOptions, Refusal } from './certificate.ts'
import type { GatedAnswer } from './gate-features.ts'
import { gateFeatures } from './gate-features.ts'
import type { Gate, Judgement } from './gate.ts'
import { fitGate, gateOf, judge } from './gate.ts'

/** A learned gate as an artefact carries it: for the answers of one cheap model, and what is promised of what it keeps. */
export interface TrainedGate {
  readonly weak: string
  readonly strong: string
  /** The model whose answer it compares; undefined for a gate that reads the one answer alone. */
  readonly second: string | undefined
  /** Which field names the segment of a request; `*`: all are one. */
  readonly field: string
  readonly gate: Gate
  /** By segment; `*` where all are one. */
  readonly made: readonly (Certificate | Refusal)[]
}

/** A prompt with the cheap model's answer, a second one where there is, and the quality of the cheap and the strong answer in [0, 1]. */
export interface GateRow {
  readonly text: string
  readonly segment: string
  readonly answer: GatedAnswer
  readonly second?: GatedAnswer | undefined
  readonly weak: number
  readonly strong: number
}

export interface GateOptions extends Omit<CertifyOptions, 'segment'> {
  readonly models: { readonly weak: string; readonly strong: string; readonly second?: string | undefined }
  /** The quality from which an answer is right. */
  readonly bar: number
  /** Which field of the rows names their segment; `*`: all are one. */
  readonly field: string
}

/**
 * Trains a gate on the rows `taught` and certifies for each segment from which score its answers may be kept, on the rows `certified`, which are others; the
 * rows `held`, others again, set the thresholds that are tried. None of them in an order that means something.
 */
export function trainGate(
  taught: readonly GateRow[],
  held: readonly GateRow[],
  certified: readonly GateRow[],
  { models, bar, field, ...options }: GateOptions,
): TrainedGate {
  const read = ({ text, answer, second }: GateRow): Float64Array => gateFeatures(text, answer, second)
  const column = (rows: readonly GateRow[], of: 'weak' | 'strong'): readonly number[] => rows.map((row) => row[of])
  const gate = fitGate(
    { features: taught.map(read), weak: column(taught, 'weak'), strong: column(taught, 'strong') },
    bar,
  )
  const score = (row: GateRow): number => judge(gate, read(row)).score
  const segments = [...new Set(certified.map(({ segment }) => segment))].toSorted()
  const made = segments.map((segment) => {
    const own = certified.filter((row) => row.segment === segment)
    const tried = held.filter((row) => row.segment === segment).map(score)
    const outcomes = { score: own.map(score), weak: column(own, 'weak'), strong: column(own, 'strong') }
    return certify(outcomes, tried, { ...options, segment })
  })
  return { weak: models.weak, strong: models.strong, second: models.second, field, gate, made }
}

/** What a trained gate says of an answer. */
export interface GateVerdict extends Judgement {
  readonly keep: boolean
  /** The threshold that the score was held to; Infinity where nothing is promised. */
  readonly threshold: number
}

/**
 * Whether an answer may be kept, of a request of a segment at a time (ms since 1970). Where there is no certificate for the segment, or it has expired, nothing is:
 * whoever asks then falls back to the checks that need no learning.
 */
export function keeps({ gate, made }: TrainedGate, segment: string, features: Float64Array, now: number): GateVerdict {
  const found = made.find((it) => it.segment === segment || it.segment === '*')
  const threshold = found?.kind === 'Certificate' && !voidReason(found, now, 0) ? found.threshold : Infinity
  const judgement = judge(gate, features)
  return { ...judgement, threshold, keep: judgement.score >= threshold }
}

/** The section of an artefact that has its gates. */
export const GATES = 'gates'

export const writeGates = (gates: readonly TrainedGate[]): Uint8Array => Buffer.from(JSON.stringify(gates))

/** Reads what `writeGates` wrote; throws `ArtefactError` for anything else, and for gates of other features than this version reads. */
export function readGates(section: Uint8Array): readonly TrainedGate[] {
  try {
    // Each is looked at below.
    const read = JSON.parse(Buffer.from(section).toString()) as readonly TrainedGate[]
    return read.map(({ weak, strong, second, field, gate, made }) => {
      const named =
        [weak, strong, field].every((it) => typeof it === 'string') &&
        made.every((it) => typeof it.segment === 'string')
      const sound = made.every(
        (it) => it.kind === 'Refusal' || (Number.isFinite(it.threshold) && Number.isFinite(Date.parse(it.expires))),
      )
      if (!named || !sound) throw new ArtefactError('a gate in the artefact lacks what it says of itself')
      return { weak, strong, second, field, gate: gateOf(gate), made }
    })
  } catch (cause) {
    if (cause instanceof ArtefactError) throw cause
    throw new ArtefactError('the section of gates is not one', { cause })
  }
}
