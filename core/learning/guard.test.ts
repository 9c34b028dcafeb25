import assert from 'node:assert/strict'
import test from 'node:test'
import { readArtefact, writeArtefact } from './artefact.ts'
import { CERTIFY_DEFAULTS } from './certificate.ts'
import { DENSE } from './dense.ts'
import type { Features } from './features.ts'
import { featureReader, standardOf } from './features.ts'
import { Guard } from './guard.ts'
import { Guards } from './guards.ts'
import { familiarity, noveltyOf, writeNovelty } from './novelty.ts'
import { pairScore, promisesOf, readPromises, writePromises } from './promises.ts'
import type { Promises, PromiseRow } from './promises.ts'
import { seeded } from './random.ts'
import type { Random } from './random.ts'

const MODELS = ['cheap', 'strong']
const read = featureReader()
const taken = (text: string): Features => {
  const { ngrams, dense } = read(text)
  const { size, index, value } = ngrams
  return { ngrams: { ...ngrams, index: index.slice(0, size), value: value.slice(0, size) }, dense: dense.slice() }
}

const SYLLABLES = ['ka', 'mo', 'ri', 'ten', 'sul', 'va', 'no', 'ber', 'il', 'da']
/** A question of the kind that was trained on. */
const question = (random: Random): string => {
  const name = (): string => Array.from({ length: 3 }, () => SYLLABLES[Math.floor(random() * 10)] ?? '').join('')
  return `Where did ${name()} of ${name()} live in ${Math.floor(1800 + 200 * random())}, and with whom?`
}

const random = seeded(3)
const trained = Array.from({ length: 300 }, () => taken(question(random)))
const standard = standardOf(trained.map(({ dense }) => dense))
const novelty = noveltyOf(
  trained,
  Array.from({ length: 200 }, () => taken(question(random))),
  standard,
)

/** Rows of a segment. The strong model is right; the cheap one is wrong at the chance that its head says, but never where the head is sure; `worst` is the most. */
function rows(segment: string, count: number, worst: number): readonly PromiseRow[] {
  return Array.from({ length: count }, () => {
    const wrong = worst * random() ** 4
    return {
      segment,
      familiar: familiarity(novelty, standard, taken(question(random))),
      quality: [1 - wrong, 0.99],
      outcome: [random() < wrong ? 0 : 1, 1],
    }
  })
}

const OPTIONS = {
  ...CERTIFY_DEFAULTS,
  issued: '2026-11-21',
  models: MODELS,
  strong: 'strong',
  weak: ['cheap'],
  field: 'task',
  floor: novelty.floor,
}
const promises = promisesOf(
  [...rows('chat', 3000, 0.5), ...rows('maths', 3000, 1.9), ...rows('law', 300, 0.1)],
  [...rows('chat', 500, 0.5), ...rows('maths', 500, 1.9), ...rows('law', 100, 0.1)],
  OPTIONS,
)

function bytesOf(made: Promises): Uint8Array {
  const head = {
    model: '',
    weights: new Float32Array(2 ** 10),
    dense: new Float32Array(DENSE.length),
    bias: 0,
    calibration: { kind: 'platt', a: 1, b: 0 } as const,
  }
  return writeArtefact({
    textRule: 'LastUser',
    provenance: { data: '', date: '2026-11-21', version: '', rows: 0, seed: 1, bar: 0.5 },
    standard,
    heads: MODELS.map((model) => ({ ...head, model })),
    sections: new Map([
      ['novelty', writeNovelty(novelty)],
      ['promises', writePromises(made)],
    ]),
  })
}

function guardOf(made: Promises): Guard {
  const guard = Guard.of(readArtefact(bytesOf(made)))
  assert.ok(guard)
  return guard
}

const NOW = Date.parse('2026-12-01')
/** A question that the guard knows its like of. */
const known = (): string => {
  for (;;) {
    const text = question(random)
    if (familiarity(novelty, standard, taken(text)) > 0.5) return text
  }
}

test('promises: a segment each: a certificate, a far pair, too few rows', () => {
  const of = (segment: string): string => {
    const made = promises.made.find((it) => it.made.segment === segment)?.made
    return made?.kind === 'Refusal' ? made.reason : (made?.kind ?? 'none')
  }
  assert.deepEqual([of('chat'), of('maths'), of('law')], ['Certificate', 'far-pair', 'too-few-rows'])
})

test('promises: several cheap models share delta, and rows that lack an answer are left out', () => {
  const all = rows('chat', 1200, 0.5).map((row, i): PromiseRow => ({
    ...row,
    quality: [...Array.from(row.quality), 0.9],
    outcome: [...Array.from(row.outcome), i < 700 ? 1 : NaN],
  }))
  const { made } = promisesOf(all, all.slice(0, 300), {
    ...OPTIONS,
    models: [...MODELS, 'other'],
    weak: ['cheap', 'other'],
  })
  assert.deepEqual(
    made.map((it) => [it.weak, it.made.n, it.made.delta]),
    [
      ['cheap', 1200, 0.025],
      ['other', 700, 0.025],
    ],
  )
})

test('guard: a sure request of a certified segment goes to the cheap model, an unsure one to the strong', () => {
  const guard = guardOf(promises)
  assert.deepEqual(guard.route('chat', known(), [0.99, 0.99], NOW).model, 'cheap')
  const unsure = guard.route('chat', known(), [0.4, 0.99], NOW)
  assert.deepEqual([unsure.model, unsure.reason], ['strong', 'unsure'])
  assert.equal(unsure.score, pairScore(0.4, 0.99))
})

test('guard: what is refused, unknown, novel or expired goes to the strong model, with the reason', () => {
  const guard = guardOf(promises)
  const reason = (segment: string, text: string, now = NOW) => guard.route(segment, text, [0.99, 0.99], now).reason
  assert.equal(reason('maths', known()), 'uncertified')
  assert.equal(reason('nothing of the kind', known()), 'uncertified')
  assert.equal(reason('chat', known(), Date.parse('2027-03-01')), 'expired')
  assert.equal(reason('chat', 'def f(xs):\n    return [x ** 2 for x in xs]\nassert f([1]) == ??'), 'novel')
  assert.equal(guard.route('chat', 'SELECT * FROM t WHERE a = 1;', [0.99, 0.99], NOW).audit, 'novel')
})

test('guard: where prompts are no longer like those certified, all go to the strong model until they are again', () => {
  const guard = guardOf(promises)
  const serve = (texts: () => string, count: number): string | undefined => {
    let last
    for (let at = 0; at < count; at++) last = guard.route('chat', texts(), [0.95 + 0.05 * random(), 0.99], NOW).reason
    return last
  }
  serve(() => `x = ${Math.floor(1000 * random())}; y = f(x) // ${'z'.repeat(Math.floor(20 * random()))}`, 200)
  assert.equal(guard.route('chat', known(), [0.99, 0.99], NOW).reason, 'prompts-shifted')
  serve(() => question(random), 400)
  assert.notEqual(guard.route('chat', known(), [0.99, 0.99], NOW).reason, 'prompts-shifted')
})

test('guard: where scores have shifted, the certificate is void', () => {
  const guard = guardOf(promises)
  for (let at = 0; at < 400; at++) guard.route('chat', question(random), [0.6, 0.99], NOW)
  assert.equal(guard.route('chat', known(), [0.99, 0.99], NOW).reason, 'scores-shifted')
})

test('guard: audits that find losses step back to surer requests, and to the strong model where those fail too', () => {
  const guard = guardOf(promises)
  const text = known()
  const { score, threshold } = guard.route('chat', text, [0.99, 0.99], NOW)
  const lose = (at: number): void =>
    void Array.from({ length: 200 }, (_, i) => guard.audited('chat', at, i % 3 === 0 ? 1 : 0))
  lose(score)
  const back = guard.route('chat', text, [0.99, 0.99], NOW)
  assert.deepEqual([back.model, back.reason, back.threshold > threshold], ['strong', 'unsure', true])
  lose(1)
  assert.equal(guard.route('chat', text, [1, 0], NOW).reason, 'alarmed')
  assert.equal(guard.audited('maths', score, 1), undefined)
})

test('promises: the same after writing and reading; what is no section is refused', () => {
  assert.deepEqual(readPromises(writePromises(promises)), promises)
  const text = Buffer.from(writePromises(promises)).toString()
  for (const changed of [
    '[]',
    '{',
    text.replace(/"threshold":[\d.]+/, '"threshold":null'),
    text.replace('"strong":"strong"', '"strong":1'),
  ])
    assert.throws(() => readPromises(Buffer.from(changed)), /certificates/)
})

test('guards: one for all that name an artefact; what is only asked about is not counted, and what was found outlives its guard', () => {
  const guards = new Guards()
  const [first, again] = [readArtefact(bytesOf(promises)), readArtefact(bytesOf(promises))]
  const guard = guards.of(first)
  assert.ok(guard)
  assert.equal(guards.of(again), guard)
  const strange = (): string =>
    `x = ${Math.floor(1000 * random())}; y = f(x) // ${'z'.repeat(Math.floor(20 * random()))}`
  for (let at = 0; at < 300; at++) guards.hold(() => guard.route('chat', strange(), [0.99, 0.99], NOW))
  assert.equal(guard.psi, 0)
  for (let at = 0; at < 200; at++) guard.route('chat', strange(), [0.99, 0.99], NOW)
  assert.ok(guard.psi > 0.2)

  let changes = 0
  guards.onChange = () => changes++
  for (let at = 0; at < 5; at++) guard.audited('chat', 1, 0.1)
  assert.equal(changes, 5)
  const later = new Guards()
  later.restore(JSON.parse(JSON.stringify(guards.states)) as typeof guards.states)
  assert.deepEqual(later.of(again)?.state, guard.state)
})
