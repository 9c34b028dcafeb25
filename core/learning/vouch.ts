import type { Artefact } from './artefact.ts'
import type { CertifyOptions } from './certificate.ts'
import type { Features } from './features.ts'
import type { Novelty } from './novelty.ts'
import { familiarity, noveltyOf, writeNovelty } from './novelty.ts'
import { promisesOf, writePromises } from './promises.ts'
import type { PromiseRow, Promises } from './promises.ts'

/** A row of data that trained no head. */
export interface Witness {
  readonly text: string
  readonly segment: string
  /** The quality of each model's answer, in [0, 1], by the artefact's order of models; NaN where there is none. */
  readonly outcome: ArrayLike<number>
}

export interface VouchOptions extends Omit<CertifyOptions, 'segment'> {
  readonly strong: string
  /** The models that may answer in its place. */
  readonly weak: readonly string[]
  /** The field of the rows that names their segment; `*`: all are one. */
  readonly field: string
}

/** What makes an artefact fit to serve, beside its heads. */
export interface Vouched {
  readonly novelty: Novelty
  readonly promises: Promises
  /** As sections of the artefact, by name. */
  readonly sections: ReadonlyMap<string, Uint8Array>
}

/**
 * Vouches for heads that were trained on the texts `taught`, by rows that they have not seen: `held` say what is novel to them and which thresholds are tried,
 * `certify` what is promised. The two are different rows; all come from the same requests, in no order that means something.
 */
export function vouched(
  artefact: Artefact,
  taught: readonly string[],
  held: readonly Witness[],
  certify: readonly Witness[],
  options: VouchOptions,
): Vouched {
  const { standard, models } = artefact
  const features = function* (texts: readonly string[]): Iterable<Features> {
    for (const text of texts) yield artefact.features(text)
  }
  const novelty = noveltyOf(features(taught), features(held.map(({ text }) => text)), standard)
  const asked = (witnesses: readonly Witness[]): readonly PromiseRow[] =>
    witnesses.map(({ text, segment, outcome }) => ({
      segment,
      outcome,
      familiar: familiarity(novelty, standard, artefact.features(text)),
      quality: artefact.quality(text),
    }))
  const promises = promisesOf(asked(certify), asked(held), { ...options, models, floor: novelty.floor })
  return {
    novelty,
    promises,
    sections: new Map([
      ['novelty', writeNovelty(novelty)],
      ['promises', writePromises(promises)],
    ]),
  }
}
