import { seeded } from '../../core/learning/random.ts'
import { foldsOf } from './data.ts'
import type { Row } from './data.ts'
import { learnt, outcomeOf, pairOf, SIGNALS } from './pair.ts'
import type { Outcome, Pair, Scored, Signal } from './pair.ts'

const SEEDS = [1, 2, 3, 4, 5]
const FOLDS = 5
const RETAIN = 0.98
const RESAMPLES = 200

/** The cascades at 98 % of the strong model's quality, as Markdown: by what the gate reads, beside the textbook's gate, random mixing and the oracle. */
export function cascade(zeroeval: readonly Row[]): string {
  return [
    ['gpt-4o-mini-2024-07-18', 'gpt-4o-2024-08-06', 'gemini-1.5-flash'] as const,
    ['claude-3-haiku-20240307', 'claude-3-5-sonnet-20241022', 'gemini-1.5-flash'] as const,
  ]
    .map(([weak, strong, second]) => table(pairOf(zeroeval, weak, strong, second), second))
    .join('\n\n')
}

function table(pair: Pair, second: string): string {
  const all = [...pair.rows.keys()]
  const lines = SIGNALS.map((signal) => {
    const runs = SEEDS.map((seed) => {
      const scored = heldBack(pair, signal, seed)
      return {
        gain: leastEscalation(pair, signal, all, scored.score),
        wrong: leastEscalation(
          pair,
          signal,
          all,
          scored.wrong.map((it) => -it),
        ),
        draws: resampled(pair, signal, scored.score, seed),
      }
    })
    const draws = runs.flatMap((run) => run.draws)
    return (
      `| ${signal} | ${points(
        runs.map(({ gain }) => gain.escalation),
        draws.map(({ escalation }) => escalation),
      )} ` +
      `| ${points(
        runs.map(({ gain }) => gain.saving),
        draws.map(({ saving }) => saving),
      )} ` +
      `| ${points(runs.map(({ wrong }) => wrong.escalation))} · ${points(runs.map(({ wrong }) => wrong.saving))} |`
    )
  })
  const best = oracle(pair)
  const mixed = mixing(pair)
  return [
    `### ${pair.name}, ${pair.rows.length} prompts, second opinion ${second}`,
    '',
    '| the gate reads | escalation at 98 % | saving at 98 % | by P(wrong) alone: escalation · saving |',
    '| --- | --- | --- | --- |',
    ...lines,
    `| nothing: random mixing | ${percent(mixed.escalation)} | ${percent(mixed.saving)} | |`,
    `| the outcome: oracle | ${percent(best.escalation)} | ${percent(best.saving)} | |`,
  ].join('\n')
}

/** Each row judged by a gate that has learnt from the other four folds. */
function heldBack(pair: Pair, signal: Signal, seed: number): Scored {
  const folds = foldsOf(
    pair.rows.map(({ prompt }) => prompt),
    FOLDS,
    seed,
  )
  const [wrong, score] = [new Float64Array(folds.length), new Float64Array(folds.length)]
  for (let fold = 0; fold < FOLDS; fold++) {
    const train = [...folds.keys()].filter((row) => folds[row] !== fold)
    const scored = learnt(pair, signal, train, seed)
    for (const [row, at] of folds.entries())
      if (at === fold) [wrong[row], score[row]] = [scored.wrong[row] ?? 0, scored.score[row] ?? 0]
  }
  return { wrong, score }
}

/** The least escalation, lowest scores first, from which the quality is 98 % of the strong model's: read off the curve of the rows themselves, as the design's table was. */
function leastEscalation(pair: Pair, signal: Signal, rows: readonly number[], score: Float64Array): Outcome {
  const order = rows.toSorted((a, b) => (score[a] ?? 0) - (score[b] ?? 0))
  const needed = RETAIN * rows.reduce((sum, row) => sum + (pair.strong[row] ?? 0), 0)
  let quality = rows.reduce((sum, row) => sum + (pair.weak[row] ?? 0), 0)
  let escalated = 0
  while (quality < needed && escalated < order.length) {
    const row = order[escalated++] ?? 0
    quality += (pair.strong[row] ?? 0) - (pair.weak[row] ?? 0)
  }
  // A resample may hold a row more than once: what is kept is told by place, not by row.
  let at = 0
  return outcomeOf(pair, signal, order, () => at++ % order.length >= escalated)
}

function resampled(pair: Pair, signal: Signal, score: Float64Array, seed: number): readonly Outcome[] {
  const random = seeded(seed)
  const n = pair.rows.length
  return Array.from({ length: RESAMPLES }, () =>
    leastEscalation(
      pair,
      signal,
      Array.from({ length: n }, () => Math.floor(random() * n)),
      score,
    ),
  )
}

/** Who knows both answers escalates only where that helps. */
export function oracle(pair: Pair): Outcome {
  const score = pair.weak.map((quality, row) => quality - (pair.strong[row] ?? 0))
  return leastEscalation(pair, 'response', [...pair.rows.keys()], score)
}

/** A share of prompts to the cheap model by lot, none asked twice. */
export function mixing(pair: Pair): { readonly escalation: number; readonly saving: number } {
  const sum = (of: Float64Array): number => of.reduce((total, it) => total + it, 0)
  const kept = Math.min(1, ((1 - RETAIN) * sum(pair.strong)) / (sum(pair.strong) - sum(pair.weak)))
  return { escalation: 1 - kept, saving: kept * (1 - sum(pair.cost.weak) / sum(pair.cost.strong)) }
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** The mean over seeds, their range, and where there are draws their middle 95 %. */
function points(values: readonly number[], draws: readonly number[] = []): string {
  const mean = values.reduce((sum, it) => sum + it, 0) / values.length
  const sorted = draws.toSorted((a, b) => a - b)
  const at = (share: number): string => percent(sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN)
  const range = `seeds ${(100 * Math.min(...values)).toFixed(1)}–${(100 * Math.max(...values)).toFixed(1)}`
  return `${percent(mean)} (${range}${draws.length > 0 ? `; 95 % ${at(0.025)}–${at(0.975)}` : ''})`
}
