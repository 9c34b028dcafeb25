import assert from 'node:assert/strict'
import test from 'node:test'
import { ArtefactError } from './artefact-error.ts'
import type { Features } from './features.ts'
import { featureReader, standardOf } from './features.ts'
import { familiarity, noveltyOf, readNovelty, writeNovelty } from './novelty.ts'
import { seeded } from './random.ts'

const random = seeded(21)
const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? ''
const PLACES = ['Lisbon', 'Oslo', 'Quito', 'Cairo', 'Hanoi', 'Perth', 'Turin', 'Riga']
const THINGS = ['capital', 'river', 'climate', 'population', 'harbour', 'history', 'currency', 'cuisine']
const ASKS = [
  'What is the',
  'Tell me about the',
  'Describe the',
  'Who wrote about the',
  'How large is the',
  'Why is the',
]

const name = (): string =>
  Array.from({ length: 3 }, () => pick(['ka', 'mo', 'ri', 'ten', 'sul', 'va', 'no', 'ber', 'il', 'da'])).join('')
const travel = (): string =>
  `${pick(ASKS)} ${pick(THINGS)} of ${pick(PLACES)} and of ${pick(PLACES)}, where ${name()} lived in ${Math.floor(1800 + 200 * random())}?`
const code = (): string =>
  `def f_${Math.floor(random() * 1000)}(xs):\n    return [x ** ${Math.floor(random() * 9)} for x in xs]\nassert f([1]) == ??`

const read = featureReader()
const taken = (text: string): Features => {
  const { ngrams, dense } = read(text)
  const { size, index, value } = ngrams
  return { ngrams: { ...ngrams, index: index.slice(0, size), value: value.slice(0, size) }, dense: dense.slice() }
}

const trained = Array.from({ length: 400 }, () => taken(travel()))
const standard = standardOf(trained.map(({ dense }) => dense))
const novelty = noveltyOf(
  trained,
  Array.from({ length: 200 }, () => taken(travel())),
  standard,
)
const novelShare = (next: () => string): number =>
  Array.from({ length: 300 }, next).filter((text) => familiarity(novelty, standard, taken(text)) < novelty.floor)
    .length / 300

test('novelty: about a tenth of prompts like those trained on are taken for novel', () => {
  const share = novelShare(travel)
  assert.ok(share > 0.02 && share < 0.2, String(share))
})

test('novelty: prompts of another kind, and of another language, are novel', () => {
  assert.equal(novelShare(code), 1)
  assert.equal(
    novelShare(() => `東京の人口は${Math.floor(random() * 100)}万人ですか`),
    1,
  )
  assert.equal(familiarity(novelty, standard, taken('')) < novelty.floor, true)
})

test('novelty: known words in the shape of another kind are novel by their shape', () => {
  const list = (): string => Array.from({ length: 60 }, () => `${pick(THINGS)} of ${pick(PLACES)}`).join('\n')
  assert.ok(novelShare(list) > 0.95)
})

test('novelty: it is the same after writing and reading, and what is no section is refused', () => {
  const again = readNovelty(writeNovelty(novelty))
  for (const text of [travel(), code(), travel()])
    assert.equal(familiarity(again, standard, taken(text)), familiarity(novelty, standard, taken(text)))
  assert.equal(again.floor, novelty.floor)
  for (const bytes of [
    new Uint8Array(10),
    new Uint8Array(40_000),
    Buffer.concat([new Uint8Array(32768), Buffer.from('{}')]),
  ])
    assert.throws(() => readNovelty(bytes), ArtefactError)
})
