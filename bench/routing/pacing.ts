import { score } from '../../core/decide/decide.ts'
import { seeded, shuffled } from '../../core/learning/random.ts'
import { mean, spread } from './bandit-scene.ts'
import { foldsOf } from './data.ts'
import type { Row } from './data.ts'

const SEEDS = [1, 2, 3, 4, 5]
const [WEAK, STRONG] = ['mixtral-8x7b-instruct', 'gpt-4-1106-preview']
/** USD per million tokens, input and output alike: 1 : 16.67. */
const PRICES = [0.6, 10]
/** η, λ_max, and what the newest request counts for in the moving average of the cost. */
const STEP = 0.02
const MOST = 5
const WEIGHT = 0.02

interface Asked {
  /** Of the weak and the strong model: expected, and what came. */
  readonly quality: readonly number[]
  readonly tokens: readonly number[]
  readonly real: readonly { readonly q: number; readonly tokens: number }[]
}

/**
 * Whether a price λ of quality that follows the spending keeps a budget (λ ← [λ + η (ĉ/B − 1)]₊, as in Balseiro and Gur, Learning in Repeated
 * Auctions with Budgets, Management Science 2019), through a doubling of the strong model's price at half time. Markdown. The pacer is the
 * benchmark's own: no route has a budget yet.
 */
export function pacing(routellm: readonly Row[]): string {
  const rows = routellm.filter(({ models }) => models[WEAK] && models[STRONG])
  const lines = [0.25, 0.5, 0.75].map((part) => {
    const runs = SEEDS.map((seed) => run(rows, seed, part))
    const cell = (pick: (run: ReturnType<typeof play>) => number) => runs.map(({ paced }) => pick(paced))
    return `| ${100 * part} % | ${[
      percent(cell(({ off }) => off)),
      percent(cell(({ offAfter }) => offAfter)),
      percent(runs.map(({ fixed }) => fixed.offAfter)),
      spread(cell(({ quality }) => quality)),
      spread(runs.map(({ mixed }) => mixed)),
      spread(runs.map(({ oracle }) => oracle)),
    ].join(' | ')} |`
  })
  return [
    `${rows.length} prompts of RouteLLM, ${WEAK} and ${STRONG} at 1 : 16.67; the price of the strong one doubles at half time. What is expected of a prompt is the mean of its subject, of other prompts. The budget is so far from always the weak model to always the strong one, at the first prices. Mean over ${SEEDS.length} seeds ± 95 % (least … most).`,
    '',
    '| budget | spent, off the budget | in the half after the price doubled | with λ held at its mean of before | quality | random mixing at that cost | oracle, paced alike |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}

function run(rows: readonly Row[], seed: number, part: number) {
  const folds = foldsOf(
    rows.map(({ prompt }) => prompt),
    2,
    seed,
  )
  const means = [0, 1].map((fold) => subjects(rows.filter((_, at) => folds[at] !== fold)))
  const asked = rows.map((row, at): Asked => {
    const known = means[folds[at] ?? 0]
    const of = known?.get(row.domain) ?? known?.get('')
    const real = [WEAK, STRONG].map((model) => {
      const { q = 0, in_tok = 0, out_tok = 0 } = row.models[model] ?? {}
      return { q, tokens: in_tok + out_tok }
    })
    return { quality: of?.quality ?? [0, 0], tokens: of?.tokens ?? [0, 0], real }
  })
  const order = shuffled(rows.length, seeded(seed))
  const queue = [...order].flatMap((at) => asked[at] ?? [])
  const always = PRICES.map((price, arm) => mean(asked.map(({ real }) => price * (real[arm]?.tokens ?? 0))))
  const [cheap = 0, dear = 0] = always
  const budget = cheap + part * (dear - cheap)
  const paced = play(queue, budget)
  const fixed = play(queue, budget, { from: Math.floor(queue.length / 2) })
  const oracle = play(
    queue.map((it) => ({ ...it, quality: it.real.map(({ q }) => q) })),
    budget,
  ).quality
  return { paced, fixed, oracle, mixed: mixing(queue, paced.cost) }
}

/** Plays the requests with λ that follows what is spent; `hold`: which is held at its mean from that request on. */
function play(queue: readonly Asked[], budget: number, hold?: { readonly from: number }) {
  const half = Math.floor(queue.length / 2)
  let [lambda, average] = [0, budget]
  const spent: number[] = []
  const lambdas: number[] = []
  const qualities: number[] = []
  for (const [at, { quality, tokens, real }] of queue.entries()) {
    const prices = pricesAt(at, half)
    const values = quality.map((it, arm) => ({
      quality: it,
      cost: (prices[arm] ?? 0) * (tokens[arm] ?? 0),
      latency: 0,
    }))
    const scores = score(values, values, { quality: 1, lambda, mu: 0, slo: 0 }, undefined).map(([, value]) => value)
    const arm = scores.indexOf(Math.max(...scores))
    const cost = (prices[arm] ?? 0) * (real[arm]?.tokens ?? 0)
    spent.push(cost)
    qualities.push(real[arm]?.q ?? 0)
    average += WEIGHT * (cost - average)
    if (!hold || at < hold.from) lambda = Math.min(MOST, Math.max(0, lambda + STEP * (average / budget - 1)))
    lambdas.push(lambda)
    if (at === hold?.from) lambda = mean(lambdas.slice(Math.floor(at / 2)))
  }
  return {
    off: mean(spent) / budget - 1,
    offAfter: mean(spent.slice(half)) / budget - 1,
    cost: mean(spent),
    quality: mean(qualities),
  }
}

const pricesAt = (at: number, half: number): readonly number[] => [
  PRICES[0] ?? 0,
  (PRICES[1] ?? 0) * (at < half ? 1 : 2),
]

/** The quality of a share of strong calls, drawn by chance, that costs so much. */
function mixing(queue: readonly Asked[], cost: number): number {
  const half = Math.floor(queue.length / 2)
  const always = [0, 1].map((arm) => ({
    cost: mean(queue.map(({ real }, at) => (pricesAt(at, half)[arm] ?? 0) * (real[arm]?.tokens ?? 0))),
    quality: mean(queue.map(({ real }) => real[arm]?.q ?? 0)),
  }))
  const [weak, strong] = always
  if (!weak || !strong) return Number.NaN
  return weak.quality + ((cost - weak.cost) / (strong.cost - weak.cost)) * (strong.quality - weak.quality)
}

/** The means of each subject, and of all under the empty name. */
function subjects(rows: readonly Row[]) {
  const groups = new Map([...Map.groupBy(rows, ({ domain }) => domain), ['', rows] as const])
  return new Map(
    [...groups].map(([name, own]) => {
      const of = (pick: (model: string) => (row: Row) => number) =>
        [WEAK, STRONG].map((model) => mean(own.map(pick(model))))
      return [
        name,
        {
          quality: of(
            (model) =>
              ({ models }) =>
                models[model]?.q ?? 0,
          ),
          tokens: of(
            (model) =>
              ({ models }) =>
                (models[model]?.in_tok ?? 0) + (models[model]?.out_tok ?? 0),
          ),
        },
      ] as const
    }),
  )
}

const percent = (values: readonly number[]): string =>
  spread(
    values.map((value) => 100 * value),
    2,
  ) + ' %'
