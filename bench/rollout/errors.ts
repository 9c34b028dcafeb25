import { seeded } from '../../core/learning/random.ts'
import type { Random } from '../../core/learning/random.ts'
import { difference, meansEvidence, normal } from '../../core/statistics/means.ts'
import { Proportions } from '../../core/statistics/proportions.ts'
import { added, NO_SUMS } from '../../core/statistics/sums.ts'
import type { Sums } from '../../core/statistics/sums.ts'

/** Samples of each arm between two looks, and the most that a canary gets. */
const BATCH = 20
const MOST = 2000

/** What one batch of an arm brought: how often each thing happened, and what the requests cost. */
interface Outcome {
  readonly hits: readonly number[]
  readonly costs: readonly number[]
}

/** Shares of requests with: an error, a cut answer, a refusal, an escalation, more latency than 95 of 100, a later first token than 95 of 100. */
const HEALTHY = [0.01, 0.005, 0.02, 0.1, 0.05, 0.05]
const gaussian = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

function draw(random: Random, shares: readonly number[]): Outcome {
  const hits = shares.map((share) => {
    let count = 0
    for (let i = 0; i < BATCH; i++) if (random() < share) count++
    return count
  })
  return { hits, costs: Array.from({ length: BATCH }, () => Math.exp(0.8 * gaussian(random))) }
}

/** Whether to roll back, after each batch of both arms. */
type Judge = (canary: Outcome, control: Outcome) => boolean

/** Our guardrails, α shared among them evenly. */
function sequential(count: number, alpha: number): Judge {
  const each = alpha / count
  const shares = HEALTHY.slice(0, Math.min(count, HEALTHY.length)).map(() => new Proportions(0))
  let [canary, control]: Sums[] = [NO_SUMS, NO_SUMS]
  const add = (sums: Sums | undefined, costs: readonly number[]): Sums =>
    costs.reduce((total, cost) => added(total, { n: 1, sum: cost, squares: cost * cost }), sums ?? NO_SUMS)
  return (a, b) => {
    for (const [i, test] of shares.entries())
      test.update({ canary: { n: BATCH, hits: a.hits[i] ?? 0 }, control: { n: BATCH, hits: b.hits[i] ?? 0 } })
    if (shares.some(({ evidence }) => evidence >= 1 / each)) return true
    if (count <= HEALTHY.length) return false
    ;[canary, control] = [add(canary, a.costs), add(control, b.costs)]
    const known = difference(canary, control)
    return known !== undefined && meansEvidence(known, 0, 0.3) >= 1 / each
  }
}

/** A test for one look, looked at after every batch: errors alone, one-sided at 5 %. */
function peeking(): Judge {
  let [n, a, b] = [0, 0, 0]
  return (canary, control) => {
    n += BATCH
    a += canary.hits[0] ?? 0
    b += control.hits[0] ?? 0
    const pooled = (a + b) / (2 * n)
    const error = Math.sqrt((2 * pooled * (1 - pooled)) / n)
    return error > 0 && 1 - normal((a - b) / n / error) < 0.05
  }
}

/** A fixed threshold of the canary's success over the last window of looks, and how many failed checks roll back; the control is not looked at. */
function threshold(success: number, failures: number): Judge {
  const window: number[] = []
  let failed = 0
  return ({ hits: [errors = 0] }) => {
    window.push(errors)
    if (window.length > 3) window.shift()
    const share = 1 - window.reduce((sum, count) => sum + count, 0) / (window.length * BATCH)
    if (share < success) failed++
    return failed >= failures
  }
}

const judges: readonly (readonly [name: string, make: () => Judge])[] = [
  ['Tradewind, one guardrail (errors)', () => sequential(1, 0.05)],
  ['Tradewind, seven guardrails', () => sequential(7, 0.05)],
  ['z-test at 5 %, looked at after every batch', peeking],
  ['fixed: success ≥ 99 % over the last 60, five failed checks (Flagger’s example)', () => threshold(0.99, 5)],
  ['fixed: success ≥ 95 % over the last 60, four failed checks (Argo Rollouts’ example)', () => threshold(0.95, 4)],
]

/** What canary and control are like: their shares of errors. */
interface Scene {
  readonly canary: number
  readonly control: number
}

/** Runs of such canaries: how many were rolled back, and after how many samples an arm half and 90 of 100 of them. */
function runs(count: number, make: () => Judge, { canary, control }: Scene, from: number) {
  const sharesOf = (errors: number) => [errors, ...HEALTHY.slice(1)]
  const at = Array.from({ length: count }, (_, run) => {
    const random = seeded(from + run)
    const judge = make()
    for (let n = BATCH; n <= MOST; n += BATCH)
      if (judge(draw(random, sharesOf(canary)), draw(random, sharesOf(control)))) return n
    return Number.POSITIVE_INFINITY
  }).sort((a, b) => a - b)
  return {
    share: at.filter(Number.isFinite).length / count,
    median: at[count >> 1] ?? 0,
    late: at[Math.floor(0.9 * count)] ?? 0,
  }
}

/** The table of what is rolled back wrongly, and how soon rightly, in Markdown. */
export function errorRates(count: number): string {
  const figure = (n: number): string => (Number.isFinite(n) ? String(n) : `> ${MOST}`)
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  const rows = judges.map(([name, make]) => {
    const same = runs(count, make, { canary: 0.01, control: 0.01 }, 1)
    const hour = runs(count / 5, make, { canary: 0.06, control: 0.06 }, 1_000_001)
    const worse = runs(count / 5, make, { canary: 0.06, control: 0.01 }, 2_000_001)
    const found = [percent(worse.share), figure(worse.median), figure(worse.late)].join(' | ')
    return `| ${name} | ${percent(same.share)} | ${percent(hour.share)} | ${found} |`
  })
  return [
    `| rule | harmless, rolled back of ${count} | harmless in a bad hour, of ${count / 5} | harmful, caught of ${count / 5} | median samples an arm | 90th percentile |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}
