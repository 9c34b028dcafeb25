import { seeded } from '../../core/learning/random.ts'
import { place } from '../../core/learning/split.ts'
import { percentile } from '../statistics.ts'
import { textbook } from './baselines.ts'
import type { TierRow } from './data.ts'
import { served } from './served.ts'

const SEEDS = [1, 2, 3, 4, 5]
const RESAMPLES = 500

/** Agreement on a fifth by a hash of the prompt, at each seed, and on the set's own splits, whose test rows are mostly of languages that no other row has. */
export function tiers(rows: readonly TierRow[]): string {
  const lines = [
    'Target: ≥ 92 % on rows held back.',
    '',
    '| held back | router | seed | agreement |',
    '| --- | --- | --- | --- |',
  ]
  const known = new Set(rows.filter(({ split }) => split !== 'test').map(({ lang }) => lang))
  for (const seed of SEEDS) {
    const out = (row: TierRow): boolean => place(row.prompt, seed) < 0.2
    lines.push(
      ...tierRouters(
        rows.filter((row) => !out(row)),
        [['a fifth by hash', rows.filter(out)]],
        seed,
      ),
    )
  }
  const part = (...names: readonly string[]): readonly TierRow[] => rows.filter(({ split }) => names.includes(split))
  const test = part('test')
  for (const seed of SEEDS) {
    lines.push(...tierRouters(part('train'), [['the set’s dev rows', part('dev')]], seed))
    lines.push(
      ...tierRouters(
        part('train', 'dev'),
        [
          ['the set’s test rows, all', test],
          ['the set’s test rows, languages trained on', test.filter(({ lang }) => known.has(lang))],
          ['the set’s test rows, other languages', test.filter(({ lang }) => !known.has(lang))],
        ],
        seed,
      ),
    )
  }
  return lines.join('\n')
}

function tierRouters(
  train: readonly TierRow[],
  held: readonly (readonly [string, readonly TierRow[]])[],
  seed: number,
): readonly string[] {
  const names = [...new Set(train.map(({ expected_tier }) => expected_tier))].sort()
  const targets = new Map(
    names.map((name) => [name, Float64Array.from(train, ({ expected_tier }) => (expected_tier === name ? 1 : 0))]),
  )
  const texts = train.map(({ prompt }) => prompt)
  const best = (of: ArrayLike<number>): string | undefined =>
    names[[...names.keys()].reduce((a, b) => ((of[b] ?? 0) > (of[a] ?? 0) ? b : a), 0)]
  const book = textbook(texts, [...targets.values()], seed)
  const artefact = served({ texts, targets }, seed)
  return held.flatMap(([part, rows]) =>
    [
      { name: 'textbook TF-IDF + LR', guess: (prompt: string) => best(book(prompt)) },
      { name: '**classifier**', guess: (prompt: string) => best(artefact.quality(prompt)) },
    ].map(({ name, guess }) => {
      const right = Float64Array.from(rows, ({ prompt, expected_tier }) => (guess(prompt) === expected_tier ? 100 : 0))
      const random = seeded(1)
      const means = Array.from({ length: RESAMPLES }, () => {
        let sum = 0
        for (let draw = 0; draw < right.length; draw++) sum += right[Math.floor(random() * right.length)] ?? 0
        return sum / right.length
      })
      const value = right.reduce((sum, it) => sum + it, 0) / right.length
      return `| ${part}, ${rows.length} | ${name} | ${seed} | ${value.toFixed(1)} % (${percentile(means, 2.5).toFixed(1)}–${percentile(means, 97.5).toFixed(1)}) |`
    }),
  )
}
