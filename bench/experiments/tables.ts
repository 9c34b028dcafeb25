import { analyse } from '../../core/experiment/analysis.ts'
import type { MetricPlan } from '../../core/experiment/analysis.ts'
import { decide } from '../../core/experiment/decision.ts'
import type { Design } from '../../core/experiment/decision.ts'
import { sequence } from '../../core/statistics/means.ts'
import { difference } from '../../test/helpers/difference.ts'
import { course, VALUES } from './population.ts'
import type { Effect, People, Value } from './population.ts'

const METRICS: Readonly<Record<Value, Omit<MetricPlan, 'primary'>>> = {
  cost: { metric: 'Cost', direction: 'Decrease', minimumEffect: 0.05 },
  errors: { metric: 'ErrorRate', direction: 'Decrease', minimumEffect: 0.01 },
  quality: { metric: 'Quality', direction: 'Increase', minimumEffect: 0.02 },
}
const ALPHA = 0.05
const LOOKS = 40
const PER_LOOK = 500

const design = ({ part, oneByOne = false }: People, primary: Value): Design => ({
  arms: [
    { name: 'control', weight: 1 - part },
    { name: 'treatment', weight: part },
  ],
  control: 'control',
  metrics: VALUES.map((value) => ({ ...METRICS[value], primary: value === primary })),
  alpha: ALPHA,
  oneByOne,
  samples: 1000,
  maxDuration: Number.POSITIVE_INFINITY,
})

const POPULATIONS: Readonly<Record<string, People>> = {
  '300 users': { users: 300, activity: 0.8, spread: 0.6, part: 0.5 },
  '2,000 users, some ask far more': { users: 2000, activity: 1.2, spread: 0.6, part: 0.5 },
  '600 users, a tenth treated': { users: 600, activity: 0.8, spread: 0.6, part: 0.1 },
  '20,000 users': { users: 20_000, activity: 0.8, spread: 0.6, part: 0.5 },
  'each request by itself': { users: 2000, activity: 0.8, spread: 0.6, part: 0.5, oneByOne: true },
}

const percent = (count: number, of: number) => `${((100 * count) / of).toFixed(1)} %`
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

/** How often intervals leave out that there is no difference, at some look. */
export function coverage(runs: number): string {
  const head = [
    'units',
    ...VALUES.flatMap((value) => [`${value}, requests taken for independent`, `${value}, ours`]),
    'mismatch',
  ]
  const rows = Object.entries(POPULATIONS).map(([name, people]) => {
    const missed = { ours: { cost: 0, errors: 0, quality: 0 }, naive: { cost: 0, errors: 0, quality: 0 } }
    let mismatches = 0
    for (let run = 1; run <= runs; run++) {
      const { evidence, sums, ask } = course(people, {}, run)
      const out = new Set<string>()
      for (let look = 0; look < LOOKS; look++) {
        ask(PER_LOOK)
        const { comparisons, ratio } = analyse(design(people, 'cost'), evidence)
        if (ratio.mismatch) out.add('mismatch')
        for (const value of VALUES) {
          const known = comparisons.find(({ metric }) => metric === METRICS[value].metric)?.known
          if (known && (known.lower > 0 || known.upper < 0)) out.add(`ours ${value}`)
          const { control, treatment } = sums[value]
          const plain = difference(treatment, control)
          const unit = value === 'cost' ? control.sum / control.n : 1
          const [lower, upper] = plain ? sequence(plain, ALPHA, METRICS[value].minimumEffect * unit) : [-1, 1]
          if (lower > 0 || upper < 0) out.add(`naive ${value}`)
        }
      }
      for (const value of VALUES) {
        if (out.has(`ours ${value}`)) missed.ours[value]++
        if (out.has(`naive ${value}`)) missed.naive[value]++
      }
      if (out.has('mismatch')) mismatches++
    }
    const cells = VALUES.flatMap((value) => [percent(missed.naive[value], runs), percent(missed.ours[value], runs)])
    return row([name, ...cells, percent(mismatches, runs)])
  })
  return [row(head), row(head.map(() => '---')), ...rows].join('\n')
}

const TRUTHS: readonly (readonly [name: string, primary: Value, effect: Effect])[] = [
  ['no difference', 'cost', {}],
  ['20 % cheaper', 'cost', { cost: 0.8 }],
  ['20 % cheaper, 5 points more errors', 'cost', { cost: 0.8, errors: 0.05 }],
  ['3 points better', 'quality', { quality: 0.03 }],
  ['5 points more errors', 'quality', { errors: 0.05 }],
]

/** What is decided, and after how many requests of both arms together, up to 40,000. */
export function decisions(runs: number): string {
  const head = [
    'units',
    'treatment',
    'primary',
    'Ship',
    'Harmful',
    'NoEffect',
    'blocked',
    'open',
    'median requests to the decision',
  ]
  const rows = (['each request by itself', '20,000 users'] as const).flatMap((name) =>
    TRUTHS.map(([truth, primary, effect]) => {
      const people = POPULATIONS[name]
      if (!people) return ''
      const of = design(people, primary)
      const ends = new Map<string, number>()
      const took: number[] = []
      // More are looked at where the rate of errors is what is to be seen.
      const times = truth === 'no difference' ? 5 * runs : runs
      for (let run = 1; run <= times; run++) {
        const { evidence, ask } = course(people, effect, run)
        let end = 'open'
        for (let look = 1; look <= 2 * LOOKS && end === 'open'; look++) {
          ask(PER_LOOK)
          const { phase, reason } = decide(of, analyse(of, evidence), 0)
          if (phase !== 'Running') {
            end = phase === 'Blocked' ? 'blocked' : reason
            took.push(look * PER_LOOK)
          }
        }
        ends.set(end, (ends.get(end) ?? 0) + 1)
      }
      const share = (end: string) => percent(ends.get(end) ?? 0, times)
      const median = took.sort((a, b) => a - b)[took.length >> 1]
      return row([
        name,
        `${truth}, of ${times}`,
        METRICS[primary].metric,
        share('Better'),
        share('Harmful'),
        share('NoEffect'),
        share('blocked'),
        share('open'),
        median === undefined ? '' : String(median),
      ])
    }),
  )
  return [row(head), row(head.map(() => '---')), ...rows].join('\n')
}
