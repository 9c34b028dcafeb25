import { ArtefactError } from './artefact-error.ts'
import type { Calibration } from './calibrate.ts'
import { probability } from './calibrate.ts'
import { pack, unpack } from './container.ts'
import { DENSE } from './dense.ts'
import type { Features, Standard } from './features.ts'
import { featureReader, standardised } from './features.ts'
import { BUCKETS } from './ngrams.ts'
import type { TextRule } from './text.ts'
import { TEXT_RULES } from './text.ts'

/** What an artefact was made from. */
export interface Provenance {
  /** SHA-256 of the training data, hex. */
  readonly data: string
  /** When, ISO 8601. */
  readonly date: string
  /** Version of the code that trained it. */
  readonly version: string
  /** Rows it was trained on. */
  readonly rows: number
  readonly seed: number
  /** The quality from which an answer is acceptable. */
  readonly bar: number
}

/** One trained head: the logit of P(acceptable) for one model is bias + Σ weights·n-gram + Σ dense·standardised, then calibrated. */
export interface Head {
  readonly model: string
  /** A weight per bucket; the number of buckets is a power of two of at most 2^18. */
  readonly weights: Float32Array
  readonly dense: Float32Array
  readonly bias: number
  readonly calibration: Calibration
}

/** All that an artefact is written from. */
export interface Parts {
  readonly textRule: TextRule
  readonly provenance: Provenance
  readonly standard: Standard
  readonly heads: readonly Head[]
  /** Further parts by name, each with its own reader: novelty, certificates. */
  readonly sections: ReadonlyMap<string, Uint8Array>
}

/** An artefact as it serves: pure but for its own workspace, so that two callers need not take turns. */
export interface Artefact {
  /** SHA-256 of its body, hex: the version that decisions are logged with. */
  readonly hash: string
  /** The texts that it scores are chosen by this rule. */
  readonly textRule: TextRule
  /** Model names, in the order of the probabilities. */
  readonly models: readonly string[]
  readonly provenance: Provenance
  /** What dense features are standardised by. */
  readonly standard: Standard
  readonly sections: ReadonlyMap<string, Uint8Array>
  /** Features of a text; they hold until another text is read. Reading the same text again costs nothing. */
  readonly features: (text: string) => Features
  /** Calibrated P(acceptable) of each model for a text, in one pass; a new array for each call. */
  readonly quality: (text: string) => Float64Array
}

interface Header {
  readonly textRule: TextRule
  readonly provenance: Provenance
  readonly standard: Standard
  readonly heads: readonly HeadHeader[]
}

interface HeadHeader {
  readonly model: string
  /** The weight that ±127 stands for. */
  readonly scale: number
  readonly bias: number
  readonly dense: readonly number[]
  readonly calibration: Calibration
}

/** int8 by the square root of the share of the largest weight: most weights are small, and a linear scale would make them 0. */
function quantised(weights: Float32Array): { readonly scale: number; readonly bytes: Int8Array } {
  const scale = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) || 1
  return {
    scale,
    bytes: Int8Array.from(weights, (w) => Math.sign(w) * Math.round(127 * Math.sqrt(Math.abs(w) / scale))),
  }
}

/** What each of the 256 bytes stands for, by the byte read as unsigned. */
function decoded(scale: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, byte) => {
    const signed = byte < 128 ? byte : byte - 256
    return Math.sign(signed) * scale * (signed / 127) ** 2
  })
}

/** Writes an artefact: the same parts give the same bytes. Throws `ArtefactError` where it is larger than a ConfigMap takes. */
export function writeArtefact({ textRule, provenance, standard, heads, sections }: Parts): Uint8Array {
  const weights = heads.map((head) => quantised(head.weights))
  const header: Header = {
    textRule,
    provenance,
    standard,
    heads: heads.map(({ model, bias, dense, calibration }, at) => ({
      model,
      scale: weights[at]?.scale ?? 1,
      bias,
      dense: [...dense],
      calibration,
    })),
  }
  const parts = weights.map(({ bytes }, at): [string, Uint8Array] => [`head/${at}`, new Uint8Array(bytes.buffer)])
  return pack({ header, sections: new Map([...parts, ...sections]) })
}

/** Reads an artefact. Throws `ArtefactError` for bytes that are not one, are cut off or changed, or are of another format. */
export function readArtefact(bytes: Uint8Array): Artefact {
  const { header, sections, hash } = unpack(bytes)
  const { textRule, provenance, standard, heads } = checked(header)
  const bytesOf = heads.map(({ model }, at) => {
    const weights = sections.get(`head/${at}`)
    const size = weights?.length ?? 0
    if (!weights || size > BUCKETS || size === 0 || (size & (size - 1)) !== 0)
      throw new ArtefactError(`the weights of head ${model} are not a power of two of buckets`)
    return weights
  })
  const buckets = bytesOf[0]?.length ?? 1
  if (bytesOf.some(({ length }) => length !== buckets))
    throw new ArtefactError('the heads of the artefact have different numbers of buckets')
  // The weights of one bucket side by side: a bucket is one place in memory, and reaching it is what takes time.
  const count = heads.length
  const weights = new Uint8Array(buckets * count)
  const values = new Float32Array(256 * count)
  for (const [at, own] of bytesOf.entries()) {
    for (let bucket = 0; bucket < buckets; bucket++) weights[bucket * count + at] = own[bucket] ?? 0
    values.set(decoded(heads[at]?.scale ?? 1), 256 * at)
  }
  const shift = 18 - Math.log2(buckets)
  const features = featureReader()
  const dense = new Float64Array(DENSE.length)
  return {
    hash,
    textRule,
    models: heads.map(({ model }) => model),
    provenance,
    standard,
    sections: new Map([...sections].filter(([name]) => !name.startsWith('head/'))),
    features,
    quality: (text) => {
      const { ngrams, dense: raw } = features(text)
      const { size, index, value } = ngrams
      const out = Float64Array.from(heads, ({ bias }) => bias)
      for (let entry = 0; entry < size; entry++) {
        const bucket = ((index[entry] ?? 0) >>> shift) * count
        const x = value[entry] ?? 0
        for (let head = 0; head < count; head++)
          out[head] = (out[head] ?? 0) + (values[256 * head + (weights[bucket + head] ?? 0)] ?? 0) * x
      }
      for (let at = 0; at < dense.length; at++) dense[at] = standardised(standard, at, raw[at] ?? 0)
      for (const [at, { dense: own, calibration }] of heads.entries()) {
        let logit = out[at] ?? 0
        for (let column = 0; column < dense.length; column++) logit += (own[column] ?? 0) * (dense[column] ?? 0)
        out[at] = probability(calibration, logit)
      }
      return out
    },
  }
}

/** The hash holds against accidents, not against someone who writes an artefact by hand: what is used is looked at. */
function checked(value: unknown): Header {
  // Each field is looked at below, before anything uses it.
  const header = value as Partial<Header> | null
  const fail = (what: string): never => {
    throw new ArtefactError(`the artefact's head is wrong: ${what}`)
  }
  const numbers = (list: unknown, length?: number): boolean =>
    Array.isArray(list) && list.every((it) => Number.isFinite(it)) && (length === undefined || list.length === length)
  const { textRule, provenance, standard, heads } = header ?? {}
  if (!textRule || !TEXT_RULES.includes(textRule)) return fail('it has no text rule')
  if (!provenance || typeof provenance.date !== 'string' || typeof provenance.data !== 'string')
    return fail('it has no provenance')
  if (!standard || !numbers(standard.mean, DENSE.length) || !numbers(standard.deviation, DENSE.length))
    return fail('its dense features are not those of this version')
  if (!Array.isArray(heads) || heads.length === 0 || heads.length > 64) return fail('it has no heads, or more than 64')
  for (const head of heads as readonly (Partial<HeadHeader> | null)[]) {
    if (typeof head?.model !== 'string') return fail('a head has no model')
    if (!numbers([head.scale, head.bias]) || !numbers(head.dense, DENSE.length))
      return fail(`${head.model} has no weights`)
    const { calibration } = head
    const right =
      calibration?.kind === 'platt'
        ? numbers([calibration.a, calibration.b])
        : calibration?.kind === 'isotonic' &&
          numbers(calibration.x) &&
          numbers(calibration.y, calibration.x.length) &&
          calibration.x.length > 0
    if (!right) return fail(`${head.model} has no calibration`)
  }
  return { textRule, provenance, standard, heads }
}
