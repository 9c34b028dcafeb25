import type { CompiledRule } from '../../api/compiled.ts'
import type { MirrorSideStatus, MirrorStatus } from '../../api/mirror.ts'
import { usd } from '../../core/cost.ts'
import { NO_TALLY } from '../../core/evidence/tally.ts'
import type { Tally } from '../../core/evidence/tally.ts'
import { MIRROR_ARMS, skippedBy } from '../../core/mirror/arms.ts'
import { sequence } from '../../core/statistics/means.ts'
import { predictionPowered } from '../../core/statistics/ppi.ts'
import { meanOf } from '../../core/statistics/sums.ts'
import type { Sums } from '../../core/statistics/sums.ts'

/** What became of requests under a version of a rule, by arm; undefined where nobody has told. */
export type Totals = (route: string, rule: string, version: string) => ReadonlyMap<string, Tally> | undefined

/** What the mirror of a rule has found; undefined where it has none. `called`: how the status names an endpoint. `route`: `namespace/name`. */
export function mirrorStatusOf(
  route: string,
  { name: rule, mirror }: CompiledRule,
  totals: Totals,
  called: (endpoint: string) => string,
): MirrorStatus | undefined {
  if (!mirror) return undefined
  const arms = totals(route, rule, mirror.version) ?? new Map<string, Tally>()
  const arm = (name: keyof typeof MIRROR_ARMS): Tally => arms.get(MIRROR_ARMS[name]) ?? NO_TALLY
  const { quality: alike } = arm('pair')
  const skipped = [...arms].flatMap(([name, { n }]) => {
    const reason = skippedBy(name)
    return reason === undefined ? [] : [{ reason, count: n }]
  })
  const { endpoint, model } = mirror.by
  return {
    rule,
    target: model === '' ? called(endpoint) : `${called(endpoint)}/${model}`,
    requests: arm('pair').n,
    compared: alike.n,
    ...(alike.n > 0 ? { agreement: figure(meanOf(alike)) } : {}),
    judged: arm('marked').n,
    ...leadOf(arm('leadAlike').quality, arm('leadUnlike').quality, arm('markable').quality),
    candidate: sideOf(arm('pair'), arm('marked').quality),
    current: sideOf(arm('pairOf'), arm('markedOf').quality),
    spent: dollars(arm('spent').cost.sum),
    cap: capOf(mirror.budget),
    skipped: skipped.sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1)),
  }
}

/** How likely the bounds of the lead are wrong, at any look; leads of about this much are found soonest. */
const ALPHA = 0.05
const SCALE = 0.05

/** The candidate's lead by all pairs that could be marked: that they come to the same tells a good deal of what the judge would say. */
function leadOf(alike: Sums, unlike: Sums, agreement: Sums): Pick<MirrorStatus, 'lead'> {
  const judged = {
    n: alike.n + unlike.n,
    y: alike.sum + unlike.sum,
    yy: alike.squares + unlike.squares,
    f: alike.n,
    ff: alike.n,
    yf: alike.sum,
  }
  const known = predictionPowered(judged, agreement)
  if (!known) return {}
  // Leads are counted as (1 + lead) ÷ 2.
  const [lower, upper] = sequence(known, ALPHA, SCALE).map((bound) => Math.min(1, Math.max(-1, 2 * bound - 1)))
  if (lower === undefined || upper === undefined) return {}
  return { lead: { estimate: figure(2 * known.estimate - 1), lower: figure(lower), upper: figure(upper) } }
}

function sideOf(tally: Tally, marks: Sums): MirrorSideStatus {
  const { errors, truncations, refusals, latency, firstToken, cost } = tally
  return {
    errors,
    truncations,
    refusals,
    ...(latency.count > 0 ? { p50: figure(latency.quantile(0.5)), p95: figure(latency.quantile(0.95)) } : {}),
    ...(firstToken.count > 0
      ? { firstTokenP50: figure(firstToken.quantile(0.5)), firstTokenP95: figure(firstToken.quantile(0.95)) }
      : {}),
    ...(cost.n > 0 ? { cost: dollars(meanOf(cost)) } : {}),
    ...(marks.n > 0 ? { mark: figure(meanOf(marks)) } : {}),
  }
}

function capOf({ usdPerSidecarHour, spendPercent }: NonNullable<CompiledRule['mirror']>['budget']): string {
  const parts = [
    ...(usdPerSidecarHour === undefined ? [] : [`${usdPerSidecarHour} USD an hour for each sidecar`]),
    ...(spendPercent === undefined ? [] : [`${spendPercent} % of what the rule’s requests cost`]),
  ]
  return parts.join(', and ')
}

/** With four digits that mean something, and no exponent. */
const figure = (value: number): string => String(Number(value.toPrecision(4)))
const dollars = (value: number): string => usd(Number(value.toPrecision(6)) * 1e12)
