import type { Random } from './random.ts'

/** What a router is judged on: one entry per prompt. */
export interface Judged {
  /** The higher, the sooner the strong model gets the prompt. */
  readonly score: Float64Array
  readonly weak: Float64Array
  readonly strong: Float64Array
}

/** The price of a strong call where a weak one costs 1. */
const PRICE_RATIO = 16.67

/** Each a share, but APGR (random 0.5, the oracle above 1 where the weak model is sometimes better). */
export interface Figures {
  readonly apgr: number
  /** Least share of strong calls that recovers half, and four fifths, of the quality gap. */
  readonly cpt50: number
  readonly cpt80: number
  /** Largest cut of the always-strong cost that keeps 95 or 98 % of its quality. */
  readonly save95: number
  readonly save98: number
}

/** Order of rows by falling score; equal scores keep the order given. */
export function ranking(score: Float64Array): Uint32Array {
  return Uint32Array.from(score.keys()).sort((a, b) => (score[b] ?? 0) - (score[a] ?? 0) || a - b)
}

/**
 * The figures of a router (Ong et al., RouteLLM, arXiv 2406.18665, section 3.3): PGR(α) = (quality with the α highest scores sent to the strong
 * model − weak) ÷ (strong − weak), APGR its integral. `weights` says how often each row counts, as a bootstrap resample does.
 */
export function figuresOf(
  { weak, strong }: Omit<Judged, 'score'>,
  order: Uint32Array,
  weights?: Float64Array,
): Figures {
  let [total, weakSum, strongSum] = [0, 0, 0]
  for (let row = 0; row < weak.length; row++) {
    const weight = weights ? (weights[row] ?? 0) : 1
    total += weight
    weakSum += weight * (weak[row] ?? 0)
    strongSum += weight * (strong[row] ?? 0)
  }
  const gap = strongSum - weakSum
  let [quality, calls, area, cpt50, cpt80, save95, save98] = [weakSum, 0, 0, Number.NaN, Number.NaN, 0, 0]
  const keep = (): void => {
    const share = calls / total
    const recovered = (quality - weakSum) / gap
    if (Number.isNaN(cpt50) && recovered >= 0.5) cpt50 = share
    if (Number.isNaN(cpt80) && recovered >= 0.8) cpt80 = share
    const saving = (1 - share) * (1 - 1 / PRICE_RATIO)
    if (quality >= 0.95 * strongSum) save95 = Math.max(save95, saving)
    if (quality >= 0.98 * strongSum) save98 = Math.max(save98, saving)
  }
  keep()
  for (const row of order) {
    const weight = weights ? (weights[row] ?? 0) : 1
    if (weight === 0) continue
    const before = quality
    quality += weight * ((strong[row] ?? 0) - (weak[row] ?? 0))
    calls += weight
    area += (weight * ((before + quality) / 2 - weakSum)) / gap
    keep()
  }
  return { apgr: area / total, cpt50, cpt80, save95, save98 }
}

/** A figure with its 95 % bootstrap interval. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** The figures with percentile-bootstrap intervals over prompts (Efron 1979); `resamples` draws with replacement. */
export function estimate(judged: Judged, random: Random, resamples: number): Record<keyof Figures, Estimate> {
  const order = ranking(judged.score)
  const whole = figuresOf(judged, order)
  const weights = new Float64Array(judged.weak.length)
  const draws: Figures[] = []
  for (let draw = 0; draw < resamples; draw++) {
    weights.fill(0)
    for (let row = 0; row < weights.length; row++) {
      const at = Math.floor(random() * weights.length)
      weights[at] = (weights[at] ?? 0) + 1
    }
    draws.push(figuresOf(judged, order, weights))
  }
  const one = (name: keyof Figures): Estimate => {
    const sorted = draws.map((it) => it[name]).sort((a, b) => a - b)
    const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN
    return { value: whole[name], low: at(0.025), high: at(0.975) }
  }
  return { apgr: one('apgr'), cpt50: one('cpt50'), cpt80: one('cpt80'), save95: one('save95'), save98: one('save98') }
}

/** What a random share of strong calls gives, exactly: APGR 0.5, CPT(x) = x, and the least share that keeps r of the strong quality. */
export function randomMixing({ weak, strong }: Omit<Judged, 'score'>): Figures {
  const mean = (of: Float64Array): number => of.reduce((sum, it) => sum + it, 0) / of.length
  const [w, s] = [mean(weak), mean(strong)]
  const saving = (keep: number): number => Math.min(1, ((1 - keep) * s) / (s - w)) * (1 - 1 / PRICE_RATIO)
  return { apgr: 0.5, cpt50: 0.5, cpt80: 0.8, save95: saving(0.95), save98: saving(0.98) }
}

/** The best order there is, by the outcomes themselves. */
export function oracle({ weak, strong }: Omit<Judged, 'score'>): Float64Array {
  return weak.map((quality, row) => (strong[row] ?? 0) - quality)
}
