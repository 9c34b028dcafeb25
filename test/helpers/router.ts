import { writeArtefact } from '../../core/learning/artefact.ts'
import { DENSE } from '../../core/learning/dense.ts'
import { featureReader } from '../../core/learning/features.ts'
import type { Standard } from '../../core/learning/features.ts'
import { noveltyOf, writeNovelty } from '../../core/learning/novelty.ts'
import { writePromises } from '../../core/learning/promises.ts'
import { BUCKETS } from '../../core/learning/ngrams.ts'

/** Texts that have hardly an n-gram in common. */
const EXAMPLES: Readonly<Record<string, string>> = {
  math: 'Solve 3x + 7 = 22 for x, then prove it.',
  chat: 'Hello there! How was your journey?',
}

interface Promised {
  readonly strong: string
  readonly weak: string
  /** The score from which the weak one may answer. */
  readonly threshold: number
  readonly expires: string
}

/** Of an artefact that knows the examples, and nothing else. */
function sections(standard: Standard, { strong, weak, threshold, expires }: Promised): ReadonlyMap<string, Uint8Array> {
  // A bucket counts from its second prompt on.
  const texts = Object.values(EXAMPLES).flatMap((text) => [text, text])
  const features = function* () {
    for (const text of texts) yield featureReader()(text)
  }
  const made = {
    ...{ kind: 'Certificate' as const, segment: '*', n: 1000, retain: 0.98, delta: 0.05, issued: '2026-01-01' },
    ...{
      weak: 0.9,
      strong: 0.95,
      bound: 'Betting' as const,
      threshold,
      epsilon: 0.02,
      loss: 0,
      upper: 0.01,
      share: 0.5,
    },
    ...{ safe: [{ threshold, share: 0.5 }], expires },
  }
  const any = { edges: [], shares: [1] }
  return new Map([
    ['novelty', writeNovelty(noveltyOf(features(), features(), standard))],
    ['promises', writePromises({ strong, field: '*', made: [{ weak, made, scores: any }], familiarity: any })],
  ])
}

/** An artefact whose heads know by heart how likely each model's answer to an example is to be good enough. */
export class Router {
  readonly bytes: Uint8Array

  /** `acceptable`: by model and topic. `promised`: what is certified of all requests like the examples. */
  constructor(acceptable: Readonly<Record<string, Readonly<Record<string, number>>>>, promised?: Promised) {
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
    this.bytes = writeArtefact({
      textRule: 'LastUser',
      provenance,
      standard,
      heads,
      sections: promised ? sections(standard, promised) : new Map(),
    })
  }

  /** The text of a topic. */
  example(topic: string): string {
    return EXAMPLES[topic] ?? topic
  }
}
