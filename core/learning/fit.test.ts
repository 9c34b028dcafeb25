import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readArtefact, writeArtefact } from './artefact.ts'
import { featureReader } from './features.ts'
import { estimate, figuresOf, oracle, randomMixing, ranking } from './figures.ts'
import { fit } from './fit.ts'
import { seeded } from './random.ts'
import { place } from './split.ts'

const SUBJECTS = ['harbours', 'glaciers', 'violins', 'bridges', 'orchards', 'lanterns', 'falcons', 'looms']
const EASY = ['Name a few', 'List some', 'What are']
const HARD = ['Prove a bound on', 'Derive the tension of', 'Optimise the layout of']

/** Prompts whose small model fails at what is hard, and whose large one hardly ever does. */
function prompts(count: number, seed: number): { texts: string[]; small: Float64Array; large: Float64Array } {
  const random = seeded(seed)
  const [texts, small, large] = [[] as string[], new Float64Array(count), new Float64Array(count)]
  const pick = (of: readonly string[]): string => of[Math.floor(random() * of.length)] ?? ''
  for (let row = 0; row < count; row++) {
    const hard = random() < 0.5
    texts.push(
      `${pick(hard ? HARD : EASY)} ${pick(SUBJECTS)} near ${pick(SUBJECTS)}, number ${Math.floor(random() * 1e6)} of row ${row}`,
    )
    small[row] = random() < (hard ? 0.2 : 0.9) ? 1 : 0
    large[row] = random() < 0.95 ? 1 : 0
  }
  return { texts, small, large }
}

const options = { seed: 1, read: featureReader(), buckets: 2 ** 14 }
const taught = prompts(700, 1)
const set = {
  texts: taught.texts,
  targets: new Map([
    ['small', taught.small],
    ['large', taught.large],
  ]),
}
const parts = {
  textRule: 'LastUser' as const,
  provenance: { data: '', date: '', version: '', rows: 700, seed: 1, bar: 0.5 },
  sections: new Map<string, Uint8Array>(),
}

test('fit: heads learn which prompts a model fails at, and their probabilities are near the shares', () => {
  const artefact = readArtefact(writeArtefact({ ...parts, ...fit(set, options) }))
  const held = prompts(400, 2)
  const said = held.texts.map((text) => artefact.quality(text))
  const hard = held.texts.map((text) => HARD.some((word) => text.startsWith(word)))
  const mean = (head: number, of: boolean): number => {
    const own = said.filter((_, row) => hard[row] === of)
    return own.reduce((sum, quality) => sum + (quality[head] ?? 0), 0) / own.length
  }
  assert.ok(Math.abs(mean(0, true) - 0.2) < 0.12 && Math.abs(mean(0, false) - 0.9) < 0.12)
  assert.ok(Math.abs(mean(1, true) - 0.95) < 0.07)
  const { apgr } = figuresOf(
    { weak: held.small, strong: held.large },
    ranking(Float64Array.from(said, ([small = 0, large = 0]) => large - small)),
  )
  assert.ok(apgr > 0.65)
})

test('fit: the same rows and seed give the same bytes, another seed others', () => {
  const bytes = (seed: number): Uint8Array => writeArtefact({ ...parts, ...fit(set, { ...options, seed }) })
  assert.deepEqual(bytes(1), bytes(1))
  assert.notDeepEqual(bytes(2), bytes(1))
})

test('fit: rows without an answer of a model teach its head nothing, and the others all the same', () => {
  const gaps = taught.large.map((q, row) => (row % 3 === 0 ? q : Number.NaN))
  const { heads } = fit({ ...set, targets: new Map([...set.targets, ['large', gaps]]) }, options)
  assert.ok(heads.every(({ weights, bias }) => Number.isFinite(bias) && weights.every((it) => Number.isFinite(it))))
})

test('split: by the prompt alone, without case and blanks; another seed is another split', () => {
  assert.equal(place('Why  is it?', 1), place('why is it? ', 1))
  assert.notEqual(place('Why is it?', 1), place('Why is it?', 2))
  const shares = taught.texts.filter((text) => place(text, 3) < 0.5).length / taught.texts.length
  assert.ok(Math.abs(shares - 0.5) < 0.08)
})

test('figures: random mixing, the oracle and the exact values of a set of four', () => {
  const weak = Float64Array.of(1, 0, 1, 0)
  const strong = Float64Array.of(1, 1, 1, 1)
  assert.equal(randomMixing({ weak, strong }).cpt50, 0.5)
  const best = figuresOf({ weak, strong }, ranking(oracle({ weak, strong })))
  // Half of the calls recover everything: area 0.25 + 0.5.
  assert.equal(best.apgr, 0.75)
  assert.equal(best.cpt50, 0.25)
  assert.ok(Math.abs(best.save98 - 0.5 * (1 - 1 / 16.67)) < 1e-12)
  const worst = figuresOf({ weak, strong }, ranking(oracle({ weak, strong }).map((it) => -it)))
  assert.equal(worst.apgr, 0.25)
  assert.equal(worst.save98, 0)
  const { apgr } = estimate({ weak, strong, score: oracle({ weak, strong }) }, seeded(1), 200)
  assert.ok(apgr.low <= apgr.value && apgr.value <= apgr.high)
})
