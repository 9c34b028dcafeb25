import type { Metric } from '../../core/statistics/guardrail.ts'
import { ALL, ANY, ARGO, EIGHT, FLAGGER, ONE, PEEKING, TIGHT, WIDE } from './rules.ts'
import { runs } from './runs.ts'
import type { Found, Scene } from './runs.ts'
import { HEALTHY } from './traffic.ts'
import type { Kind } from './traffic.ts'

/** Samples of each arm between two looks, and the most that a canary gets. */
const EVEN = { batch: [20, 20], most: 2000 } as const
const RULES = [ONE('ErrorRate'), TIGHT, WIDE, ALL, ANY, EIGHT, PEEKING, FLAGGER, ARGO]

const scene = (canary: Partial<Kind>, stable: Partial<Kind> = {}, rest: Partial<Scene> = {}): Scene => ({
  canary: { ...HEALTHY, ...canary },
  stable: { ...HEALTHY, ...stable },
  watched: 'ErrorRate',
  ...EVEN,
  ...rest,
})

const share = (found: Found, name: string, of: number): string =>
  `${((100 * (found.get(name)?.length ?? 0)) / of).toFixed(1)} %`
function rank(found: Found, name: string, of: number, part: number, most: number): string {
  const n = found.get(name)?.toSorted((a, b) => a - b)[Math.floor(part * of)]
  return n === undefined ? `> ${most}` : String(n)
}

/** A table in Markdown. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

/** What is rolled back wrongly, and how soon rightly, by each rule, in Markdown. */
export function errorRates(count: number): string {
  const few = count / 5
  const same = runs(count, scene({}), 1)
  const hour = runs(few, scene({ errors: 0.06 }, { errors: 0.06 }), 1_000_001)
  const edge = runs(few, scene(AT_THE_MARGINS), 4_000_001)
  const worse = runs(few, scene({ errors: 0.06 }), 2_000_001)
  return table(
    [
      'rule',
      `as its control, rolled back of ${count}`,
      `both in a bad hour, of ${few}`,
      `worse by just the margins, of ${few}`,
      `5 points more errors, caught of ${few}`,
      'median samples an arm',
      '90th percentile',
    ],
    RULES.map((name) => [
      name,
      share(same, name, count),
      share(hour, name, few),
      name.startsWith('Tradewind') && name !== TIGHT ? share(edge, name, few) : '',
      share(worse, name, few),
      rank(worse, name, few, 0.5, EVEN.most),
      rank(worse, name, few, 0.9, EVEN.most),
    ]),
  )
}

/** The largest harm that is none: of errors, latency and cost, which the margins of the rules are about. */
const AT_THE_MARGINS: Partial<Kind> = { errors: 0.02, slowness: 1.1, price: 1.1 }

const HARMS: readonly (readonly [name: string, metric: Metric, canary: Partial<Kind>])[] = [
  ['5 points more errors', 'ErrorRate', { errors: 0.06 }],
  ['30 % more at the 95th percentile of latency', 'Latency', { slowness: 1.3 }],
  ['25 % more cost', 'Cost', { price: 1.25 }],
  ['5 points less quality', 'Quality', { quality: 0.75 }],
]

/** How soon each kind of harm is found, by its own guardrail and by seven, where both arms get as much and where the canary gets 5 %. */
export function harms(count: number): string {
  const most = 6000
  return table(
    ['harm', 'guardrails', 'caught', 'median samples of the canary', '90th percentile', 'median, canary 5 % of all'],
    HARMS.flatMap(([name, watched, canary], at) => {
      const even = runs(count, scene(canary, {}, { watched, most }), 10_000_001 * (at + 1))
      const small = runs(count, scene(canary, {}, { watched, most: most / 4, batch: [4, 76] }), 20_000_001 * (at + 1))
      return [ONE(watched), ALL].map((rule) => [
        name,
        rule === ALL ? 'seven' : rule.replace('Tradewind, one guardrail ', '').slice(1, -1),
        share(even, rule, count),
        rank(even, rule, count, 0.5, most),
        rank(even, rule, count, 0.9, most),
        rank(small, rule, count, 0.5, most / 4),
      ])
    }),
  )
}
