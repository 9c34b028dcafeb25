import { Counter } from '../../core/evidence/counter.ts'
import type { Sample } from '../../core/evidence/counter.ts'
import { seeded } from '../../core/learning/random.ts'
import type { Random } from '../../core/learning/random.ts'
import { Guardrail } from '../../core/statistics/guardrail.ts'
import type { Metric } from '../../core/statistics/guardrail.ts'
import { table } from './tables.ts'
import { gaussian } from './traffic.ts'

/** One exchange of a canary that is worse by so much, the `at`-th of its arm; or a mark. */
type Draw = (random: Random, worse: number, at: number) => Sample & { readonly mark?: number }

interface Row {
  readonly name: string
  readonly metric: Metric
  readonly margin: number
  readonly draw: Draw
  readonly batch?: readonly [canary: number, stable: number]
  readonly most?: number
  /** How much above the margin it is to be told from no harm: sketches tell 2 %. */
  readonly beyond?: number
}

const ALPHA = 0.05
const failing =
  (share: number): Draw =>
  (random, worse) => ({ error: random() < share + worse })
const slow =
  (sigma: number): Draw =>
  (random, worse) => ({ latency: 800 * (1 + worse) * Math.exp(sigma * gaussian(random)) })
const dear =
  (sigma: number): Draw =>
  (random, worse) => ({ cost: 0.01 * (1 + worse) * Math.exp(sigma * gaussian(random)) })
const TWENTIETH = { batch: [10, 190], most: 1000 } as const

const ROWS: readonly Row[] = [
  { name: 'errors, base 1 %', metric: 'ErrorRate', margin: 0.01, draw: failing(0.01), most: 4000 },
  { name: 'errors, base 10 %, canary 5 % of all', metric: 'ErrorRate', margin: 0.02, draw: failing(0.1), ...TWENTIETH },
  { name: 'latency, log-normal, σ 0.5', metric: 'Latency', margin: 0.2, draw: slow(0.5) },
  { name: 'latency, log-normal, σ 1.8', metric: 'Latency', margin: 0.2, draw: slow(1.8) },
  {
    name: 'latency with ties: three values; cleared at 2.5 % above the margin',
    metric: 'Latency',
    margin: 0.2,
    draw: (random, worse) => ({ latency: (1 + worse) * (random() < 0.93 ? 100 : random() < 0.5 ? 200 : 400) }),
    beyond: 0.03,
  },
  {
    name: 'latency while both get 4 times slower and faster',
    metric: 'Latency',
    margin: 0.2,
    draw: (random, worse, at) => ({
      latency: 800 * (1 + worse) * (1 + 3 * Math.sin(at / 300) ** 2) * Math.exp(0.5 * gaussian(random)),
    }),
  },
  { name: 'cost, log-normal, σ 0.8', metric: 'Cost', margin: 0.2, draw: dear(0.8) },
  { name: 'cost, log-normal, σ 1.3, canary 5 % of all', metric: 'Cost', margin: 0.2, draw: dear(1.3), ...TWENTIETH },
  {
    name: 'quality, marks around 0.7 ± 0.15',
    metric: 'Quality',
    margin: 0.03,
    draw: (random, worse) => ({ mark: Math.min(1, Math.max(0, 0.7 - worse + 0.15 * gaussian(random))) }),
  },
  {
    name: 'quality, 80 thumbs up of 100',
    metric: 'Quality',
    margin: 0.05,
    draw: (random, worse) => ({ mark: random() < 0.8 - worse ? 1 : 0 }),
  },
]

/** How often each guardrail is wrong where it may be 5 % of the time, and right where it should be, in Markdown. */
export function guards(count: number): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  return table(
    [
      'one guardrail',
      'margin',
      'worse by just the margin: rolled back',
      'and cleared',
      'as its control: rolled back',
      'and cleared',
    ],
    ROWS.map((row) => {
      const { margin, beyond } = row
      const [edge, same] = [watched(count, row, margin, 1), watched(count, row, 0, 1_000_001)]
      const { cleared } = beyond === undefined ? edge : watched(count, row, margin + beyond, 1)
      return [row.name, `${margin}`, ...[edge.back, cleared, same.back, same.cleared].map(percent)]
    }),
  )
}

function watched(
  count: number,
  { metric, margin, draw, batch = [20, 20], most = 3000 }: Row,
  worse: number,
  from: number,
) {
  let [back, cleared] = [0, 0]
  for (let run = 0; run < count; run++) {
    const random = seeded(from + run)
    const guardrail = new Guardrail({ metric, margin, alpha: ALPHA })
    const [canary, stable] = [new Counter(), new Counter()]
    const add = (counter: Counter, harm: number): void => {
      const { mark, ...sample } = draw(random, harm, counter.n)
      counter.add(sample)
      if (mark !== undefined) counter.rate(mark)
    }
    let [isBack, isCleared] = [false, false]
    while (canary.n < most) {
      for (let i = 0; i < batch[0]; i++) add(canary, worse)
      for (let i = 0; i < batch[1]; i++) add(stable, 0)
      guardrail.update({ canary, stable })
      const { evidence, needs } = guardrail.reading
      isBack ||= evidence >= needs
      isCleared ||= guardrail.harmless
    }
    if (isBack) back++
    if (isCleared) cleared++
  }
  return { back: back / count, cleared: cleared / count }
}
