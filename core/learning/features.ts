import { DENSE, denseReader } from './dense.ts'
import type { Ngrams } from './ngrams.ts'
import { ngramReader } from './ngrams.ts'
import { capped, MOST_UNITS, normalised } from './text.ts'

/** What a head sees of a text. The arrays belong to the reader and hold until it reads another text. */
export interface Features {
  readonly ngrams: Ngrams
  /** In the order of `DENSE`, not standardised. */
  readonly dense: Float64Array
}

/**
 * A reader of both kinds of features. Asked again for the text it has just read, it gives the same features without reading: whoever scores
 * one text in several ways need not hand them on.
 */
export function featureReader(): (text: string) => Features {
  const readNgrams = ngramReader(MOST_UNITS)
  const readDense = denseReader()
  let last: { readonly text: string; readonly features: Features } | undefined
  return (text) => {
    if (last?.text !== text) {
      const features = { ngrams: readNgrams(normalised(text)), dense: readDense(capped(text)) }
      last = { text, features }
    }
    return last.features
  }
}

/** Standardises dense features: (x − mean) / deviation, cut at ±4 so that no text lies outside what was trained on. */
export interface Standard {
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
}

/** Mean and standard deviation of each dense feature over rows; a constant feature has deviation 1 and so counts nothing. */
export function standardOf(rows: readonly Float64Array[]): Standard {
  const mean = DENSE.map((_, at) => rows.reduce((sum, row) => sum + (row[at] ?? 0), 0) / Math.max(rows.length, 1))
  const deviation = mean.map((middle, at) => {
    const variance = rows.reduce((sum, row) => sum + ((row[at] ?? 0) - middle) ** 2, 0) / Math.max(rows.length, 1)
    return variance > 1e-12 ? Math.sqrt(variance) : 1
  })
  return { mean, deviation }
}

/** One standardised dense feature. */
export function standardised({ mean, deviation }: Standard, at: number, value: number): number {
  return Math.min(Math.max((value - (mean[at] ?? 0)) / (deviation[at] ?? 1), -4), 4)
}
