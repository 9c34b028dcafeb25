import assert from 'node:assert/strict'
import { test } from 'node:test'
import { betaBelow } from './beta.ts'
import fc from 'fast-check'
import { isNear, nearness, sketchOf } from './sketch.ts'
import { Traits } from './traits.ts'
import type { Kinship } from './traits.ts'
import { Upgrades } from './upgrades.ts'
import type { UpgradeSettings } from './upgrades.ts'
import type { Signals } from '../signals/signals.ts'

const HOUR = 3_600_000
const settings: UpgradeSettings = {
  within: HOUR,
  halfLife: 5 * HOUR,
  bar: 0.2,
  similar: new Set<Kinship>(['Text', 'Conversation', 'Near', 'Task']),
  nearness: 0.6,
}

/** A request with that text, alone in its conversation unless that is given. */
function request(text: string, { conversation, task = text }: { conversation?: string; task?: string } = {}): Traits {
  const turns = [{ role: 'user', text }]
  return new Traits({ text, turns, task, systemHash: '' } as unknown as Signals, conversation) // all that traits look at
}

const kept = (traits: Traits, of = settings) => traits.kept(of.similar)

test('beta: the chance below a value is that of tables and of closed forms', () => {
  for (const x of [0.05, 0.2, 0.5, 0.9]) {
    assert.ok(Math.abs(betaBelow(x, 1, 1) - x) < 1e-9)
    assert.ok(Math.abs(betaBelow(x, 2, 1) - x * x) < 1e-9)
    assert.ok(Math.abs(betaBelow(x, 1, 3) - (1 - (1 - x) ** 3)) < 1e-9)
  }
  // I_x(2, 3) = 6x² − 8x³ + 3x⁴.
  assert.ok(Math.abs(betaBelow(0.4, 2, 3) - (6 * 0.16 - 8 * 0.064 + 3 * 0.0256)) < 1e-9)
  assert.ok(Math.abs(betaBelow(0.5, 30.5, 30.5) - 0.5) < 1e-9)
})

test('sketch: near texts are near, others are not, and equal ones are the same', () => {
  const one = sketchOf('Where is the parcel that I ordered on Monday last week?')
  assert.equal(nearness(one, sketchOf('WHERE is the parcel  that I ordered on Monday last week?')), 1)
  assert.ok(nearness(one, sketchOf('Where is the parcel that I ordered on Tuesday last week?')) > 0.6)
  assert.ok(nearness(one, sketchOf('Write a poem about the sea in winter, with rhymes.')) < 0.2)
})

test('sketch: whether texts are near is what their nearness says', () => {
  const words = fc.array(fc.constantFrom('parcel', 'Monday', 'order', 'late', 'where', 'poem', 'sea'), {
    maxLength: 40,
  })
  fc.assert(
    fc.property(words, words, fc.double({ min: 0.01, max: 1, noNaN: true }), (a, b, least) => {
      const [one, other] = [sketchOf(a.join(' ')), sketchOf(b.join(' '))]
      assert.equal(isNear(one, other, least), nearness(one, other) >= least)
    }),
  )
})

test('upgrades: one bad rating is enough, for requests that are like it and for no others', () => {
  const upgrades = new Upgrades()
  const rated = request('Where is the parcel that I ordered on Monday last week?', {
    conversation: 'c1',
    task: 'support',
  })
  assert.equal(upgrades.rate(kept(rated), 1, 0, 1, settings, 0), true)
  const least = (traits: Traits) => upgrades.minRank(traits, settings, 1)
  assert.equal(least(request('where is the parcel that I ordered on monday last week?')), 2, 'the same text')
  assert.equal(least(request('And now?', { conversation: 'c1' })), 2, 'the same conversation')
  assert.equal(least(request('Where is the parcel that I ordered on Tuesday last week?')), 2, 'near it')
  assert.equal(least(request('Anything', { task: 'support' })), 2, 'the same task')
  assert.equal(least(request('Write a poem about the sea.', { conversation: 'c2' })), undefined)
  const text = { ...settings, similar: new Set<Kinship>(['Text']) }
  assert.equal(upgrades.minRank(request('And now?', { conversation: 'c1' }), text, 1), undefined, 'not looked at')
})

test('upgrades: they end after their time, by their half-life, and by a good rating', () => {
  const rated = request('What is the capital of Australia?')
  const after = (ms: number, of: UpgradeSettings, more: (upgrades: Upgrades) => void = () => {}) => {
    const upgrades = new Upgrades()
    upgrades.rate(kept(rated, of), 1, 0, 1, of, 0)
    more(upgrades)
    return upgrades.minRank(rated, of, ms)
  }
  assert.equal(after(HOUR, settings), 2)
  assert.equal(after(HOUR + 1, settings), undefined)
  assert.equal(after(HOUR / 2, { ...settings, halfLife: HOUR }), undefined)
  assert.equal(
    after(1, settings, (upgrades) => upgrades.rate(kept(rated), 1, 1, 1, settings, 0)),
    undefined,
  )
  // What is better at a stronger model says nothing of the weaker one.
  assert.equal(
    after(1, settings, (upgrades) => upgrades.rate(kept(rated), 2, 1, 1, settings, 0)),
    2,
  )
  assert.equal(
    after(1, settings, (upgrades) => upgrades.rate(kept(rated), 2, 0, 1, settings, 0)),
    3,
  )
  assert.equal(after(1, { ...settings, bar: 0.25 }), undefined, 'one is not enough for a higher bar')
})

test('upgrades: an answer has one rating, however often it is said; other answers have theirs', () => {
  const twice = { ...settings, bar: 0.25, similar: new Set<Kinship>(['Text', 'Near']) }
  const asked = request('What is the capital of Australia?')
  const upgrades = new Upgrades()
  const [one, other] = [kept(asked, twice), kept(asked, twice)]
  for (let i = 0; i < 10; i++) assert.equal(upgrades.rate(one, 1, 0, 1, twice, i), false)
  assert.equal(upgrades.rate(other, 1, 0, 1, twice, 10), true, 'two are enough for that bar')
  for (let i = 0; i < 10; i++) upgrades.rate(one, 1, i % 2, 1, twice, 11)
  assert.equal(upgrades.rate(one, 1, 0, 1, twice, 12), true, 'the last that was said of it counts')
  assert.equal(upgrades.rate(one, 1, 0, 0.5, twice, 13), true, 'a hint takes nothing back')
  assert.equal(upgrades.rate(one, 1, 1, 1, twice, 14), false)
})

test('upgrades: a good rating of what was never rated badly leaves nothing behind, and clusters are bounded', () => {
  const upgrades = new Upgrades()
  upgrades.rate(kept(request('Hello there')), 1, 1, 1, settings, 0)
  assert.equal(upgrades.active, false)
  const text = { ...settings, similar: new Set<Kinship>(['Text']) }
  for (let i = 0; i < 1500; i++) upgrades.rate(kept(request(`Question ${i}`), text), 1, 0, 1, text, i)
  assert.equal(upgrades.minRank(request('Question 10'), text, 1500), undefined)
  assert.equal(upgrades.minRank(request('Question 1490'), text, 1500), 2)
})
