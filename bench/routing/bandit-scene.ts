import { formOf } from '../../core/bandits/form.ts'
import { Memory } from '../../core/bandits/memory.ts'
import type { Algorithm } from '../../core/bandits/policy.ts'
import type { Values } from '../../core/decide/decide.ts'
import { expectedLength, Lengths } from '../../core/decide/lengths.ts'
import { seeded, shuffled } from '../../core/learning/random.ts'
import { defaultsOf } from '../../core/schema.ts'
import type { Signals } from '../../core/signals/signals.ts'
import { bandit } from '../../core/strategies/bandit.ts'
import type { Choosable } from '../../core/strategies/strategy.ts'
import type { Answer, Row } from './data.ts'

/** Models with their list prices of late 2024, USD per million tokens of input and output, from cheap to strong. */
export const ARMS: readonly (readonly [model: string, input: number, output: number])[] = [
  ['meta-llama-3.1-8b-instruct', 0.05, 0.08],
  ['claude-3-haiku-20240307', 0.25, 1.25],
  ['meta-llama-3.1-70b-instruct', 0.35, 0.4],
  ['gpt-4o-2024-08-06', 2.5, 10],
  ['claude-3-5-sonnet-20241022', 3, 15],
]
/** What the price of the dearest arm is worth in quality. */
export const LAMBDA = 0.1

/** The requests and what each arm would have answered. Arms are numbered as in `ARMS`. */
export interface Scene {
  readonly rows: readonly Row[]
  readonly answers: readonly (readonly Answer[])[]
  /** Mean cost of the dearest arm at the list prices. */
  readonly dearest: number
}

export function sceneOf(all: readonly Row[]): Scene {
  const rows = all.filter(({ models }) => ARMS.every(([model]) => models[model]))
  const answers = rows.map(({ models }) => ARMS.flatMap(([model]) => models[model] ?? []))
  const means = ARMS.map((_, arm) => mean(answers.map((row) => costOf(row, arm))))
  return { rows, answers, dearest: Math.max(...means) }
}

/** USD per million requests. `times`: what the list prices have become. */
function costOf(answers: readonly Answer[], arm: number, times: readonly number[] = []): number {
  const { in_tok: input = 0, out_tok: output = 0 } = answers[arm] ?? {}
  const [, ofInput = 0, ofOutput = 0] = ARMS[arm] ?? []
  return (ofInput * input + ofOutput * output) * (times[arm] ?? 1)
}

/** Quality less what its cost is worth. */
export const utilityOf = ({ dearest }: Scene, answers: readonly Answer[], arm: number, times?: readonly number[]) =>
  (answers[arm]?.q ?? 0) - (LAMBDA * costOf(answers, arm, times)) / dearest

/** How a world changes while it is learnt. */
export interface World {
  /** What becomes of an arm's quality; left out: nothing. */
  readonly quality?: (quality: number, arm: number, at: number) => number
  /** What the list prices have become. */
  readonly prices?: (at: number) => readonly number[]
}

export interface Play {
  readonly algorithm: Algorithm
  readonly seed: number
  readonly requests: number
  /** Sidecars that learn, each with a part of the requests. */
  readonly learners?: number
  /** So many requests of all together lie between two merges; left out: they are never merged. */
  readonly merge?: (memories: readonly Memory[]) => void
  readonly every?: number
  readonly world?: World
  /** Which part of the answers is rewarded, and how many requests later; left out: all, at once. */
  readonly feedback?: { readonly part: number; readonly late: number }
  /** What differs from the defaults of `strategy.bandit.explore`. */
  readonly explore?: object
}

/** One request: which arm, and what it was worth. */
export interface Step {
  readonly arm: number
  readonly best: boolean
  readonly utility: number
}

/** Plays the requests, in an order that the seed says, through the strategy that sidecars have. Rewards come at once. */
export function play(scene: Scene, { algorithm, seed, requests, learners = 1, ...rest }: Play): readonly Step[] {
  const { merge, every = 200, world = {}, explore = {}, feedback } = rest
  const due: (() => void)[][] = []
  const random = seeded(seed)
  const defaults = defaultsOf(bandit.settings.schema) as { readonly halfLife: number; readonly explore: object } // its own
  const settings = { ...defaults, algorithm, lambda: `${LAMBDA}`, explore: { ...defaults.explore, ...explore } }
  const arms = ARMS.map(([id], rank): Choosable => ({ id, rank, weight: 1, load: () => 0, available: () => 1 }))
  let name = 0
  const players = Array.from({ length: learners }, () => {
    const memory = new Memory(formOf(algorithm, settings.halfLife), () => `${name++}`)
    const prefer = bandit.make({ targets: arms, settings, random, wall: () => 0, memory })
    return { memory, prefer, models: ARMS.map(() => ({ model: { state: { lengths: new Lengths() } } })) }
  })
  const steps: Step[] = []
  let order = shuffled(0, random)
  for (let at = 0; at < requests; at++) {
    if (at % scene.rows.length === 0) order = shuffled(scene.rows.length, random)
    const row = order[at % scene.rows.length] ?? 0
    const player = players[Math.floor(random() * learners)]
    const answers = scene.answers[row] ?? []
    const prices = world.prices?.(at)
    if (!player) continue
    const { memory, prefer, models } = player
    for (const say of due[at] ?? []) say()
    const values = answers.map((answer, arm): Values => {
      const out_tok = expectedLength('', models[arm]?.model.state.lengths ?? new Lengths(), models)
      const asked = answers.map((it, of) => (of === arm ? { ...answer, out_tok } : it))
      return { quality: Number.NaN, cost: costOf(asked, arm, prices), latency: 0 }
    })
    const preference = prefer({ key: undefined, values, signals: signalsOf(scene.rows[row]?.prompt ?? '') })
    const arm = arms.findIndex((it) => it === preference.first)
    const quality = world.quality?.(answers[arm]?.q ?? 0, arm, at) ?? answers[arm]?.q ?? 0
    models[arm]?.model.state.lengths.observe('', answers[arm]?.out_tok ?? 0)
    const target = arms[arm]?.id ?? ''
    const judged = feedback ? [] : [{ target, reward: quality }]
    preference.answered?.({ decision: `${at}`, target, judged, now: 0 })
    if (feedback && random() < feedback.part)
      (due[at + feedback.late] ??= []).push(() => memory.reward(`${at}`, quality, 0))
    const cost = (LAMBDA * costOf(answers, arm, prices)) / scene.dearest
    steps.push({ arm, best: preference.reason !== 'explored', utility: quality - cost })
    if (merge && at % every === every - 1) merge(players.map(({ memory: it }) => it))
  }
  return steps
}

/** What the strategy looks at of a request. */
const signalsOf = (text: string): Signals => ({ readable: true, text, tier: '' }) as unknown as Signals

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

/** Two-sided 95 % of Student’s t with four degrees of freedom: of five seeds. */
const T4 = 2.776

/** The mean of five values with its interval, and the least and the most of them. */
export function spread(values: readonly number[], digits = 3): string {
  const middle = mean(values)
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1))
  const off = (T4 * deviation) / Math.sqrt(values.length)
  const figure = (value: number) => value.toFixed(digits)
  return `${figure(middle)} ± ${figure(off)} (${figure(Math.min(...values))} … ${figure(Math.max(...values))})`
}
