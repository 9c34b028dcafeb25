import { bootstrap, meanOf } from '../../core/evaluation/bootstrap.ts'
import type { Estimate } from '../../core/evaluation/off-policy.ts'
import { seeded } from '../../core/learning/random.ts'
import type { Target } from '../../core/target.ts'
import { counted, percentiles } from './shares.ts'
import type { Played, Stage } from './stage.ts'

const RESAMPLES = 1000

/** A way to answer requests, and what comes of it. Costs in USD for a thousand requests, shares 0…1. */
export interface PolicyFigures {
  readonly name: string
  readonly quality: Estimate
  /** Of always asking the strongest. */
  readonly retained: Estimate
  readonly cost: Estimate
  readonly saved: Estimate
  /** Of the requests, those that a gate had answered again. Absent where there is none to do so. */
  readonly escalated?: Estimate
  /** ms of a whole answer, the median and the 95th percentile; absent where the data says nothing of it. */
  readonly ms?: { readonly p50: number; readonly p95: number }
  /** Of a mix by lot of the weakest and the strongest that has the same quality: what it saves. */
  readonly mixing?: Estimate
  /** Of the requests, by target. */
  readonly shares?: Readonly<Record<string, number>>
  readonly reasons?: Readonly<Record<string, number>>
}

/** The model that is cheapest of those that are good enough at a task. */
export interface TaskFigures {
  readonly task: string
  readonly rows: number
  /** The cheapest whose mean quality is at least the bar for sure; undefined: none is. */
  readonly cheapest: string | undefined
  readonly bar: number
  readonly models: readonly { readonly target: string; readonly quality: Estimate; readonly cost: number }[]
}

export interface Figures {
  readonly rows: number
  readonly seed: number
  readonly weakest: string
  readonly strongest: string
  readonly policies: readonly PolicyFigures[]
  readonly tasks: readonly TaskFigures[]
}

/** All of one length: what each row is worth by one way of answering. */
interface Series {
  readonly quality: Float64Array
  /** USD. */
  readonly cost: Float64Array
}

/** What came of a data set by one route, or by two of which the second is proposed. `bar`: of the best model's quality at a task, 0…1. */
export function figuresOf(
  stage: Stage,
  played: readonly Played[],
  proposed: readonly Played[] | undefined,
  { seed, bar }: { readonly seed: number; readonly bar: number },
): Figures {
  const ladder = played.map(({ rule }) => asked(rule.targets))
  const strong = series(played, (_, at) => last(ladder[at]), stage)
  const weak = series(played, (_, at) => ladder[at]?.[0], stage)
  const best = series(played, ({ row }, at) => cheapestAsGood(stage, row, ladder[at] ?? []), stage)
  const policy = (name: string, one: Series, extra: Partial<PolicyFigures> = {}): PolicyFigures => {
    const ratio = (of: 'quality' | 'cost') => (weights: Float64Array) =>
      meanOf(one[of], weights) / meanOf(strong[of], weights)
    const { quality, retained, cost, saved } = bootstrap(
      played.length,
      {
        quality: (weights) => meanOf(one.quality, weights),
        retained: ratio('quality'),
        cost: (weights) => 1000 * meanOf(one.cost, weights),
        saved: (weights) => 1 - ratio('cost')(weights),
      },
      { random: seeded(seed), resamples: RESAMPLES },
    )
    return { name, quality, retained, cost, saved, ...extra }
  }
  const route = (name: string, own: readonly Played[]): PolicyFigures => {
    const one = {
      quality: Float64Array.from(own, (it) => it.quality),
      cost: Float64Array.from(own, (it) => it.cost / 1e12),
    }
    const escalated = Float64Array.from(own, (it) => Math.min(1, it.escalations))
    const drawn = bootstrap(
      own.length,
      { escalated: (weights) => meanOf(escalated, weights), mixing: (weights) => mixed(one, weak, strong, weights) },
      { random: seeded(seed), resamples: RESAMPLES },
    )
    return policy(name, one, {
      mixing: drawn.mixing,
      shares: counted(own.map(({ target }) => target.id)),
      reasons: counted(own.map(({ reason }) => reason)),
      ...(own.some(({ rule }) => rule.gate) ? { escalated: drawn.escalated } : {}),
      ...(own.some(({ ms }) => ms > 0) ? { ms: percentiles(own.map(({ ms }) => ms)) } : {}),
    })
  }
  return {
    rows: played.length,
    seed,
    weakest: most(ladder.map((targets) => targets[0]?.id ?? '')),
    strongest: most(ladder.map((targets) => last(targets)?.id ?? '')),
    policies: [
      policy('always the strongest', strong),
      policy('always the weakest', weak),
      route('the route', played),
      ...(proposed ? [route('as proposed', proposed)] : []),
      policy('the oracle', best),
    ],
    tasks: tasksOf(stage, played, { seed, bar }),
  }
}

/** Those that are asked at all, from the weakest to the strongest. */
const asked = (targets: readonly Target[]): readonly Target[] =>
  targets.filter(({ weight }) => weight > 0).toSorted((a, b) => a.rank - b.rank)
const last = (targets: readonly Target[] | undefined): Target | undefined => targets?.at(-1)

function series(
  played: readonly Played[],
  choose: (one: Played, at: number) => Target | undefined,
  stage: Stage,
): Series {
  const chosen = played.map((one, at) => choose(one, at) ?? one.target)
  return {
    quality: Float64Array.from(played, ({ row }, at) => stage.answer(row, chosen[at] as Target)?.quality ?? 0), // one for each
    cost: Float64Array.from(played, ({ row }, at) => stage.price(row, chosen[at] as Target) / 1e12), // one for each
  }
}

/** By the outcomes themselves: the cheapest whose answer is no worse than the strongest's. */
function cheapestAsGood(stage: Stage, row: Played['row'], ladder: readonly Target[]): Target | undefined {
  const quality = (target: Target) => stage.answer(row, target)?.quality ?? 0
  const strongest = last(ladder)
  if (!strongest) return undefined
  return ladder
    .filter((target) => quality(target) >= quality(strongest))
    .reduce((best, it) => (stage.price(row, it) < stage.price(row, best) ? it : best), strongest)
}

/** What a share of strong answers drawn by lot saves that has the quality of another way; NaN where none has, or any. */
function mixed(one: Series, weak: Series, strong: Series, weights: Float64Array): number {
  const [quality, low, high] = [one, weak, strong].map((it) => meanOf(it.quality, weights)) as [number, number, number] // as many
  const share = Math.min(1, Math.max(0, (quality - low) / (high - low)))
  const [cheap, dear] = [meanOf(weak.cost, weights), meanOf(strong.cost, weights)]
  return (1 - share) * (1 - cheap / dear)
}

function tasksOf(
  stage: Stage,
  played: readonly Played[],
  { seed, bar: part }: { readonly seed: number; readonly bar: number },
): readonly TaskFigures[] {
  const byTask = Map.groupBy(played, ({ task }) => task)
  return [...byTask]
    .map(([task, own]): TaskFigures => {
      const targets = asked([...new Map(own.flatMap(({ rule }) => rule.targets).map((it) => [it.id, it])).values()])
      const models = targets.map((target) => {
        const values = Float64Array.from(own, ({ row }) => stage.answer(row, target)?.quality ?? 0)
        const { quality } = bootstrap(
          own.length,
          { quality: (weights) => meanOf(values, weights) },
          { random: seeded(seed), resamples: RESAMPLES },
        )
        const cost = (1000 * own.reduce((sum, { row }) => sum + stage.price(row, target), 0)) / own.length / 1e12
        return { target: target.id, quality, cost }
      })
      const bar = part * Math.max(...models.map(({ quality }) => quality.value))
      const good = models.filter(({ quality }) => quality.low >= bar).toSorted((a, b) => a.cost - b.cost)
      return { task, rows: own.length, cheapest: good[0]?.target, bar, models }
    })
    .toSorted((a, b) => b.rows - a.rows)
}

const most = (words: readonly string[]): string => Object.keys(counted(words))[0] ?? ''
