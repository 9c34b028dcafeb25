import { writeArtefact } from '../../core/learning/artefact.ts'
import { BUCKETS } from '../../core/learning/ngrams.ts'
import { DENSE } from '../../core/learning/dense.ts'
import { GATE_FEATURES } from '../../core/learning/gate-features.ts'
import { GATES, writeGates } from '../../core/learning/gates.ts'
import type { TrainedGate } from '../../core/learning/gates.ts'

/** Rises with one feature, and with no other. */
function by(feature: string, weight: number, bias: number) {
  const weights = GATE_FEATURES.map((name) => (name === feature ? weight : 0))
  return { weights, bias, centre: GATE_FEATURES.map(() => 0), spread: GATE_FEATURES.map(() => 1) }
}

interface Shape {
  readonly second?: string
  /** The lowest score that is certified to be good enough; left out: nothing is certified. */
  readonly certified?: number
  /** The day the certificate ends. */
  readonly expires?: string
  readonly feature?: string
  /** The logit of its being wrong rises so much with the feature; 10 unless given. */
  readonly weight?: number
}

/** A gate that takes an answer of model `weak` to be wrong where it hedges (“maybe”), or where another feature says so. */
export function trainedGate(weak: string, shape: Shape = {}): TrainedGate {
  const { second, certified, expires = '2999-01-01', feature = 'answer.hedging', weight = 10 } = shape
  const described = { segment: '*', n: 1000, retain: 0.98, delta: 0.05, issued: '2026-01-01', weak: 0.8, strong: 0.9 }
  const certificate = {
    kind: 'Certificate' as const,
    ...described,
    bound: 'Betting' as const,
    threshold: certified ?? 0,
    epsilon: 0.02,
    loss: 0.01,
    upper: 0.02,
    share: 0.5,
    safe: [{ threshold: certified ?? 0, share: 0.5 }],
    expires,
  }
  const refusal = { kind: 'Refusal' as const, ...described, reason: 'too-few-rows' as const, message: 'Too few.' }
  return {
    weak,
    strong: 'strong',
    second,
    field: '*',
    gate: {
      features: GATE_FEATURES,
      wrong: by(feature, weight, -3),
      better: by(feature, weight, -3),
      worse: by(feature, 0, 0),
      calibration: { kind: 'platt', a: 1, b: 0 },
    },
    made: [certified === undefined ? refusal : certificate],
  }
}

/** An artefact that has just these gates. */
export function gateArtefact(...gates: readonly TrainedGate[]): Uint8Array {
  return writeArtefact({
    textRule: 'LastUser',
    provenance: { data: '', date: '2026-01-01T00:00:00Z', version: 'test', rows: 0, seed: 0, bar: 0.5 },
    standard: { mean: DENSE.map(() => 0), deviation: DENSE.map(() => 1) },
    heads: [
      {
        model: 'none',
        weights: new Float32Array(BUCKETS),
        dense: new Float32Array(DENSE.length),
        bias: 0,
        calibration: { kind: 'platt', a: 1, b: 0 },
      },
    ],
    sections: new Map([[GATES, writeGates(gates)]]),
  })
}
