import { writeArtefact } from '../../core/learning/artefact.ts'
import { DENSE } from '../../core/learning/dense.ts'
import { featureReader } from '../../core/learning/features.ts'
import { BUCKETS } from '../../core/learning/ngrams.ts'

/** Texts that have hardly an n-gram in common. */
const EXAMPLES: Readonly<Record<string, string>> = {
  math: 'Solve 3x + 7 = 22 for x, then prove it.',
  chat: 'Hello there! How was your journey?',
}

/** An artefact whose heads know by heart how likely each model's answer to an example is to be good enough. */
export class Router {
  readonly bytes: Uint8Array

  constructor(acceptable: Readonly<Record<string, Readonly<Record<string, number>>>>) {
    const heads = Object.entries(acceptable).map(([model, topics]) => {
      const weights = new Float32Array(BUCKETS)
      for (const [topic, share] of Object.entries(topics)) {
        const { ngrams } = featureReader()(this.example(topic))
        // Values are of length 1, so that an example's own score is its logit.
        for (let at = 0; at < ngrams.size; at++) {
          const bucket = ngrams.index[at] ?? 0
          weights[bucket] = (weights[bucket] ?? 0) + Math.log(share / (1 - share)) * (ngrams.value[at] ?? 0)
        }
      }
      const calibration = { kind: 'platt' as const, a: 1, b: 0 }
      return { model, weights, dense: new Float32Array(DENSE.length), bias: 0, calibration }
    })
    const standard = { mean: DENSE.map(() => 0), deviation: DENSE.map(() => 1) }
    const provenance = { data: '', date: '2026-01-01T00:00:00Z', version: 'test', rows: 0, seed: 0, bar: 0.5 }
    this.bytes = writeArtefact({ textRule: 'LastUser', provenance, standard, heads, sections: new Map() })
  }

  /** The text of a topic. */
  example(topic: string): string {
    return EXAMPLES[topic] ?? topic
  }
}
