import { percentile } from '../statistics.ts'
import type { Row } from './data.ts'
import { served } from './served.ts'

/** Times of decisions over texts of one length, made of real prompts one after the other. */
export function times(rows: readonly Row[]): string {
  const some = rows.filter((_, row) => row % 4 === 0)
  const targets = ['mixtral-8x7b-instruct', 'gpt-4-1106-preview'].map((model): [string, Float64Array] => [
    model,
    Float64Array.from(some, ({ models }) => models[model]?.q ?? 0),
  ])
  const artefact = served({ texts: some.map(({ prompt }) => prompt), targets: new Map(targets) }, 1)
  const all = rows.map(({ prompt }) => prompt).join('\n')
  return [
    'Target: p99 ≤ 0.5 ms for a prompt of 4 KB: reading the text, all features, two heads, calibration. What else the machine does is in these times.',
    '',
    '| prompt | p50 | p99 | texts |',
    '| --- | --- | --- | --- |',
    ...(
      [
        [541, 4000],
        [4096, 2000],
        [65_536, 500],
        [1_048_576, 100],
      ] as const
    ).map(([length, texts]) => {
      const taken: number[] = []
      for (let text = 0; text < 2 * texts; text++) {
        const from = (text * 7919) % (all.length - length)
        const prompt = all.slice(from, from + length)
        const began = performance.now()
        artefact.quality(prompt)
        // The first half warms up.
        if (text >= texts) taken.push(performance.now() - began)
      }
      return `| ${length} characters | ${(1000 * percentile(taken, 50)).toFixed(0)} µs | ${(1000 * percentile(taken, 99)).toFixed(0)} µs | ${texts} |`
    }),
  ].join('\n')
}
