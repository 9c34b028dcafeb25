import { bernsteinUpper, bettingUpper, moments, normalUpper } from './bounds.ts'
import type { UpperBound } from './bounds.ts'
import { seeded, shuffled } from './random.ts'

export const BOUNDS = ['Normal', 'Betting', 'Bernstein'] as const
export type Bound = (typeof BOUNDS)[number]

const UPPER = { Normal: normalUpper, Betting: bettingUpper, Bernstein: bernsteinUpper } satisfies Record<
  Bound,
  UpperBound
>

/** Requests that both endpoints answered (or would have), one entry each in the three columns. */
export interface Outcomes {
  /** How sure the router is that the cheap answer will do; the cheap endpoint answers from the threshold on. -Infinity for what always goes to the strong one. */
  readonly score: ArrayLike<number>
  /** Quality in [0, 1] of the cheap endpoint's answer. */
  readonly weak: ArrayLike<number>
  /** Quality in [0, 1] of the strong endpoint's answer. */
  readonly strong: ArrayLike<number>
}

export interface CertifyOptions {
  /** The share of the strong endpoint's mean quality that has to stay, in (0, 1). */
  readonly retain: number
  /** The chance that the promise is wrong, in (0, 1). */
  readonly delta: number
  /** Which requests it speaks of: the name of the segment, `*` for all. */
  readonly segment: string
  /** The day it is made, as YYYY-MM-DD. */
  readonly issued: string
  /** Days that it holds. */
  readonly days: number
  readonly bound: Bound
  /** Rows below which nothing is promised. */
  readonly fewest: number
  /** A pair is far where the cheap endpoint has lost more than this share of the strong one's quality, in [0, 1]. */
  readonly farthest: number
  /** The smallest share of requests kept cheap that is worth a promise, in (0, 1). */
  readonly leastShare: number
}

/** What `tradewind train` uses where nothing else is asked for. The betting bound holds for every n and costs some points of saving beside the normal one. */
export const CERTIFY_DEFAULTS = {
  retain: 0.98,
  delta: 0.05,
  days: 90,
  bound: 'Betting',
  fewest: 500,
  farthest: 0.2,
  leastShare: 0.1,
} as const satisfies Partial<CertifyOptions>

/** A threshold that passed its test, and the share of requests that it keeps cheap. */
export interface SafeThreshold {
  readonly threshold: number
  readonly share: number
}

interface Described {
  readonly segment: string
  /** Rows that it was made from. */
  readonly n: number
  readonly retain: number
  readonly delta: number
  readonly issued: string
  /** Mean quality of the two endpoints on those rows. */
  readonly weak: number
  readonly strong: number
}

/** With chance 1 - delta over the rows drawn: routed by this threshold, requests like these keep `retain` of the strong endpoint's mean quality. */
export interface Certificate extends Described {
  readonly kind: 'Certificate'
  readonly bound: Bound
  /** Scores from here on stay cheap. */
  readonly threshold: number
  /** What may be lost, (1 - retain) × the strong endpoint's mean quality; what is lost at the threshold; and its upper confidence bound. */
  readonly epsilon: number
  readonly loss: number
  readonly upper: number
  /** The share of requests that stays cheap at the threshold. */
  readonly share: number
  /** Every threshold that passed, the most cautious first; the last is `threshold`. The audit steps back along them. */
  readonly safe: readonly SafeThreshold[]
  /** The day it ends, as YYYY-MM-DD. */
  readonly expires: string
}

export type RefusalReason = 'too-few-rows' | 'far-pair' | 'no-safe-threshold'

/** Why nothing is promised: the segment goes to the strong endpoint. */
export interface Refusal extends Described {
  readonly kind: 'Refusal'
  readonly reason: RefusalReason
  /** A sentence that says what the data lack. */
  readonly message: string
}

/** Thresholds tried; the first of the 41 quantiles keeps nothing cheap, and needs no test. */
const QUANTILES = 41

/**
 * Certifies a threshold by Learn then Test (Angelopoulos et al. 2021) with fixed-sequence testing: thresholds at 41 quantiles of the scores `grid`, from
 * the most cautious that is worth a promise to keeping all cheap, each tested at level delta, until the first fails. `grid` holds scores of other rows
 * than `outcomes`, so that the sequence is fixed before these are looked at; and these trained neither the score nor its calibration.
 * Tested is `retain × strong - routed ≤ 0` in the mean, so that the mean of the strong endpoint is no more taken for known than the other one's.
 */
export function certify(outcomes: Outcomes, grid: ArrayLike<number>, options: CertifyOptions): Certificate | Refusal {
  const { retain, delta, segment, issued, bound } = options
  const n = outcomes.score.length
  const [weak, strong] = [moments(outcomes.weak).mean, moments(outcomes.strong).mean]
  const described: Described = { segment, n, retain, delta, issued, weak, strong }
  const refuse = (reason: RefusalReason, message: string): Refusal => ({
    kind: 'Refusal',
    ...described,
    reason,
    message,
  })
  if (n < options.fewest) return refuse('too-few-rows', `${n} rows with both answers; ${options.fewest} are needed.`)
  if (grid.length < QUANTILES)
    return refuse('too-few-rows', `${grid.length} rows set the thresholds that are tried; ${QUANTILES} are needed.`)
  if (weak < (1 - options.farthest) * strong)
    return refuse(
      'far-pair',
      `The cheap endpoint's mean quality is ${figure(weak)}, the strong one's ${figure(strong)}: more than ${figure(100 * options.farthest)} % apart, ` +
        'so that a score that drifts would lose more than the audit could catch in time.',
    )

  const epsilon = (1 - retain) * strong
  // Data come sorted, by task or by day, and a gambler who meets the easy task first is rich before the hard one: the betting bound speaks of rows in an order by lot.
  const order = shuffled(n, seeded(n))
  const safe: SafeThreshold[] = []
  let last = { share: 0, loss: 0, upper: 0 }
  for (const threshold of thresholds(grid, options.leastShare)) {
    const tested = test(outcomes, order, threshold, retain, (values, low, high) =>
      UPPER[bound](values, { delta, low, high }),
    )
    if (!(tested.upper <= 0)) break
    safe.push({ threshold, share: tested.share })
    last = tested
  }
  const threshold = safe.at(-1)?.threshold
  if (threshold === undefined)
    return refuse(
      'no-safe-threshold',
      `Keeping even ${figure(100 * options.leastShare)} % of requests cheap is not shown to keep ${figure(100 * retain)} % of the quality, on ${n} rows.`,
    )
  const { share, loss, upper } = last
  const expires = dayAfter(issued, options.days)
  return {
    kind: 'Certificate',
    ...described,
    bound,
    threshold,
    epsilon,
    loss,
    upper: epsilon + upper,
    share,
    safe,
    expires,
  }
}

/** The share kept cheap at a threshold, the mean loss against the strong endpoint, and the upper bound of `retain × strong - routed`. */
function test(
  { score, weak, strong }: Outcomes,
  order: Uint32Array,
  threshold: number,
  retain: number,
  upperOf: (values: Float64Array, low: number, high: number) => number,
): { share: number; loss: number; upper: number } {
  const n = score.length
  const shortfall = new Float64Array(n)
  let [kept, lost] = [0, 0]
  for (let at = 0; at < n; at++) {
    const i = order[at] ?? 0
    const [w, s] = [weak[i] ?? 0, strong[i] ?? 0]
    const cheap = (score[i] ?? -Infinity) >= threshold
    if (cheap) {
      kept++
      lost += s - w
    }
    shortfall[at] = retain * s - (cheap ? w : s)
  }
  return { share: kept / n, loss: lost / n, upper: upperOf(shortfall, -1, retain) }
}

/** The sequence of thresholds, falling: quantiles of the scores that keep a share of at least `leastShare` cheap, each once. */
function thresholds(grid: ArrayLike<number>, leastShare: number): readonly number[] {
  const sorted = Float64Array.from(grid).sort()
  const found: number[] = []
  for (let step = 1; step < QUANTILES; step++) {
    const share = step / (QUANTILES - 1)
    const threshold = sorted[Math.floor((1 - share) * sorted.length)]
    if (share < leastShare || threshold === undefined || threshold === -Infinity) continue
    if (threshold !== found.at(-1)) found.push(threshold)
  }
  return found
}

export type VoidReason = 'expired' | 'scores-shifted'

/** Scores whose population stability index is above this are not those that were certified. */
export const LARGEST_PSI = 0.2

/** Why a certificate no longer speaks of what is served; nothing where it does. `now` in ms since 1970; `psi` is that of the scores served. */
export function voidReason({ expires }: Certificate, now: number, psi: number): VoidReason | undefined {
  if (now >= Date.parse(expires)) return 'expired'
  return psi > LARGEST_PSI ? 'scores-shifted' : undefined
}

const DAY_MS = 86_400_000

const dayAfter = (day: string, days: number): string =>
  new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10)

const figure = (value: number): string => String(Number(value.toPrecision(3)))
