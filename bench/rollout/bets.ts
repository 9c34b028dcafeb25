import { seeded } from '../../core/learning/random.ts'
import type { Random } from '../../core/learning/random.ts'
import { meansEvidence } from '../../core/statistics/means.ts'
import { Proportions } from '../../core/statistics/proportions.ts'
import { added, meanOf, NO_SUMS, varianceOf } from '../../core/statistics/sums.ts'
import type { Sums } from '../../core/statistics/sums.ts'
import { table } from './tables.ts'
import { gaussian } from './traffic.ts'

/** Evidence of a canary whose marks are lower by more than a margin, batch by batch. */
type Test = (canary: Sums, stable: Sums) => number

const BATCH = 20
const NEEDS = 20

/** The mixture sequential probability ratio test, by estimated variances. */
function mixture(margin: number): Test {
  let [a, b] = [NO_SUMS, NO_SUMS]
  return (canary, stable) => {
    ;[a, b] = [added(a, canary), added(b, stable)]
    const variance = varianceOf(a) / a.n + varianceOf(b) / b.n
    if (a.n < 50 || variance === 0) return 1
    return meansEvidence({ estimate: meanOf(b) - meanOf(a), variance }, margin, 0.05)
  }
}

/** The bet on shares: it holds for means of values in 0…1 too, since a likelihood ratio is convex in the value; exact, blind to small variances. */
function shares(margin: number): Test {
  const test = new Proportions(margin)
  const lost = ({ n, sum }: Sums) => ({ n, hits: n - sum })
  return (canary, stable) => {
    test.update({ canary: lost(canary), control: lost(stable) })
    return test.evidence
  }
}

/** A bet on each batch's difference (Waudby-Smith and Ramdas, JRSS B 86, 2024), sized by those before; exact, one bet a batch. */
function betting(margin: number): Test {
  let [log, n, sum, squares] = [0, 0, 0, 0]
  return (canary, stable) => {
    const x = stable.sum / stable.n - canary.sum / canary.n - margin
    const mean = sum / (n + 1)
    const bet = Math.max(0, Math.min(0.9 / (1 + margin), mean / ((squares + 0.25) / (n + 1) + mean * mean)))
    log += Math.log(1 + bet * x)
    ;[n, sum, squares] = [n + 1, sum + x, squares + x * x]
    return Math.exp(log)
  }
}

const MARKS: readonly (readonly [name: string, draw: (random: Random, mean: number) => number])[] = [
  ['marks, ± 0.15', (random, mean) => Math.min(1, Math.max(0, mean + 0.15 * gaussian(random)))],
  ['thumbs', (random, mean) => (random() < mean ? 1 : 0)],
]
const TESTS: readonly (readonly [name: string, make: (margin: number) => Test])[] = [
  ['mSPRT', mixture],
  ['bet on shares', shares],
  ['bet on each batch', betting],
]

/** Which test finds a fall of quality soonest, and how often each is wrong, in Markdown. */
export function bets(count: number): string {
  const margin = 0.02
  return table(
    ['marks', 'test', 'worse by just the margin, rolled back', '5 points worse: caught', 'median samples an arm'],
    MARKS.flatMap(([name, draw]) =>
      TESTS.map(([test, make]) => {
        const [edge, worse] = [runs(count, make, draw, 0.7 - margin), runs(count, make, draw, 0.65)]
        const median = worse[count >> 1]
        const share = (found: readonly number[]) => `${((100 * found.length) / count).toFixed(1)} %`
        return [name, test, share(edge), share(worse), median === undefined ? '> 4000' : `${median}`]
      }),
    ),
  )

  function runs(
    of: number,
    make: (margin: number) => Test,
    draw: (random: Random, mean: number) => number,
    mean: number,
  ) {
    return Array.from({ length: of }, (_, run) => {
      const random = seeded(run + 1)
      const test = make(margin)
      const batch = (from: number): Sums =>
        Array.from({ length: BATCH }, () => draw(random, from))
          .map((value) => ({ n: 1, sum: value, squares: value * value }))
          .reduce(added)
      for (let n = BATCH; n <= 4000; n += BATCH) if (test(batch(mean), batch(0.7)) >= NEEDS) return n
      return Number.POSITIVE_INFINITY
    })
      .filter(Number.isFinite)
      .sort((a, b) => a - b)
  }
}
