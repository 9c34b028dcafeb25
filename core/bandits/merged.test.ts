import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { seeded, shuffled } from '../learning/random.ts'
import { Learner } from './learner.ts'
import { Merged } from './merged.ts'
import type { Dated, Share } from './share.ts'

const GAMMA = 0.99
const ARMS = ['cheap', 'strong']
const learner = () => new Learner(Float64Array.of(0, 1, 0), GAMMA)

/** Rewards at one place: each makes a share. */
function sharesOf(count: number, random: () => number): Share[] {
  const one = learner()
  return Array.from({ length: count }, () => {
    one.observe(ARMS[random() < 0.5 ? 0 : 1] ?? '', Float64Array.of(1, 0.5, random()), random())
    return one.share()
  })
}

const plain = (sum: ReadonlyMap<string, Dated>) =>
  [...sum].map(([arm, { evidence, clock }]) => ({ arm, clock, ...evidence })).sort((a, b) => (a.arm < b.arm ? -1 : 1))
const numbers = (sum: ReadonlyMap<string, Dated>) =>
  plain(sum).flatMap(({ clock, count, weight, matrix, vector }) => [clock, count, weight, ...matrix, ...vector])
function near(a: ReadonlyMap<string, Dated>, b: ReadonlyMap<string, Dated>, within = 1e-9): void {
  const [left, right] = [numbers(a), numbers(b)]
  assert.equal(left.length, right.length)
  for (const [at, value] of left.entries())
    assert.ok(Math.abs(value - (right[at] ?? 0)) < within, `${value} ${right[at]}`)
}
const counted = (sum: ReadonlyMap<string, Dated>) =>
  [...sum.values()].reduce((all, { evidence }) => all + evidence.count, 0)

const places = fc.record({
  seed: fc.integer(),
  counts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
})

test('merge: shares in any order, any number of times, with any lost but the last, give the same state', () => {
  fc.assert(
    fc.property(places, ({ seed, counts }) => {
      const random = seeded(seed)
      const all = counts.flatMap((count, place) =>
        sharesOf(count, random).map((share) => ({ place: `p${place}`, share })),
      )
      const inOrder = new Merged(GAMMA)
      for (const { place, share } of all) inOrder.put(place, share)
      const any = new Merged(GAMMA)
      const order = [...shuffled(all.length, random), ...shuffled(all.length, random)]
      for (const at of order) {
        const it = all[at]
        const last = it && it.share.seq === counts[Number(it.place.slice(1))]
        if (it && (last || random() < 0.7)) any.put(it.place, it.share)
      }
      assert.deepEqual(plain(any.sum()), plain(inOrder.sum()))
      assert.equal(
        counted(any.sum()),
        counts.reduce((a, b) => a + b, 0),
      )
    }),
  )
})

test('merge: places that go become part of the base, whenever they do, and the sum is the same', () => {
  fc.assert(
    fc.property(places, ({ seed, counts }) => {
      const random = seeded(seed)
      const all = counts.map((count, place) => ({ place: `p${place}`, share: sharesOf(count, random).at(-1) }))
      const [whole, folded] = [new Merged(GAMMA), new Merged(GAMMA)]
      for (const { place, share } of all) {
        if (!share) continue
        whole.put(place, share)
        folded.put(place, share)
        if (random() < 0.5) {
          folded.fold(place)
          assert.equal(folded.put(place, { ...share, seq: share.seq + 1 }), false, 'a closed name is not counted again')
          assert.equal(folded.closed(place), share.seq)
        }
      }
      near(folded.sum(), whole.sum())
    }),
  )
})

test('merge: an operator that begins anew has the same sum once the sidecars have said what they have and carry', () => {
  fc.assert(
    fc.property(places, ({ seed, counts }) => {
      const random = seeded(seed)
      const all = counts.map((count, place) => ({ place: `p${place}`, shares: sharesOf(count, random) }))
      const before = new Merged(GAMMA)
      for (const { place, shares } of all) for (const share of shares) before.put(place, share)
      const gone = new Set(all.filter(() => random() < 0.4).map(({ place }) => place))
      const bases = [before.base]
      for (const place of gone) {
        before.fold(place)
        bases.push(before.base)
      }
      const after = new Merged(GAMMA)
      // Each says its last share, and some carry an older base; in any order.
      const said = [
        ...bases.map((base) => () => void after.adopt(base)),
        ...all
          .filter(({ place }) => !gone.has(place))
          .map(({ place, shares: [...list] }) => () => {
            for (const share of list.slice(-1)) after.put(place, share)
          }),
      ]
      for (const at of shuffled(said.length, random)) said[at]?.()
      near(after.sum(), before.sum())
      assert.equal(
        counted(after.sum()),
        counts.reduce((a, b) => a + b, 0),
      )
    }),
  )
})

test('merge: bases with nothing in common are added up, once', () => {
  const [a, b] = [1, 2].map((seed) => sharesOf(5, seeded(seed)).at(-1))
  assert.ok(a && b)
  const [one, other] = [new Merged(GAMMA), new Merged(GAMMA)]
  one.put('a', a)
  one.fold('a')
  other.put('b', b)
  other.fold('b')
  const apart = one.base
  assert.equal(one.adopt(other.base), true)
  assert.equal(one.adopt(other.base), false)
  assert.equal(one.adopt(apart), false)
  assert.equal(counted(one.sum()), 10)
})

test('merge: of two bases that grew apart one stands, and nothing is counted twice', () => {
  const [a, b, c] = [1, 2, 3].map((seed) => sharesOf(5 + seed, seeded(seed)).at(-1))
  assert.ok(a && b && c)
  const based = (...shares: readonly (readonly [string, Share])[]) => {
    const made = new Merged(GAMMA)
    for (const [place, share] of shares) made.put(place, share)
    for (const [place] of shares) made.fold(place)
    return made
  }
  const [one, other] = [based(['a', a], ['b', b]), based(['b', b], ['c', c])]
  const before = one.base
  one.adopt(other.base)
  other.adopt(before)
  assert.equal(counted(one.sum()), 15, 'b and c: the one with more')
  assert.equal(counted(other.sum()), 15)
})

test('fleet: learners that are merged after every reward know what one learner knows', () => {
  const random = seeded(7)
  const [one, fleet, merged] = [learner(), Array.from({ length: 5 }, learner), new Merged(GAMMA)]
  for (let i = 0; i < 400; i++) {
    const arm = ARMS[random() < 0.3 ? 0 : 1] ?? ''
    const x = Float64Array.of(1, 0.5, random())
    const reward = random() < (arm === 'cheap' ? 0.4 : 0.8) ? 1 : 0
    one.observe(arm, x, reward)
    fleet[i % fleet.length]?.observe(arm, x, reward)
    for (const [at, it] of fleet.entries()) if (it.news > 0) merged.put(`p${at}`, it.share())
    for (const [at, it] of fleet.entries()) it.take(merged.sum(), merged.seqOf(`p${at}`))
  }
  const x = Float64Array.of(1, 0.5, 0.3)
  for (const arm of ARMS)
    for (const it of fleet) {
      assert.equal(it.count(arm), one.count(arm))
      assert.ok(Math.abs(it.belief(arm, x).mean - one.belief(arm, x).mean) < 0.02)
      assert.ok(Math.abs(it.belief(arm, x).width - one.belief(arm, x).width) < 0.02)
    }
})

test('fleet: what was seen between a share and its return is neither lost nor counted twice', () => {
  const [one, merged] = [learner(), new Merged(GAMMA)]
  const x = Float64Array.of(1, 0.5, 0)
  const see = (times: number) => {
    for (let i = 0; i < times; i++) one.observe('cheap', x, 1)
  }
  see(5)
  merged.put('p', one.share())
  const early = { sum: merged.sum(), seq: merged.seqOf('p') }
  see(3)
  merged.put('p', one.share())
  see(2)
  one.take(early.sum, early.seq)
  assert.equal(one.count('cheap'), 10)
  one.take(merged.sum(), merged.seqOf('p'))
  assert.equal(one.count('cheap'), 10)
  one.take(early.sum, early.seq)
  assert.equal(one.count('cheap'), 10, 'an answer that comes late is not heard')
})

test('fleet: one whose name was closed goes on under another with what it has seen since, and counts nothing twice', () => {
  const [one, merged] = [learner(), new Merged(GAMMA)]
  const x = Float64Array.of(1, 0.5, 0)
  for (let i = 0; i < 4; i++) one.observe('cheap', x, 1)
  merged.put('old', one.share())
  merged.fold('old')
  for (let i = 0; i < 3; i++) one.observe('cheap', x, 1)
  assert.equal(merged.put('old', one.share()), false)
  one.rename(merged.closed('old') ?? 0)
  one.take(merged.sum(), 0)
  assert.equal(one.count('cheap'), 7)
  one.observe('cheap', x, 1)
  merged.put('new', one.share())
  one.take(merged.sum(), merged.seqOf('new'))
  assert.equal(one.count('cheap'), 8)
  assert.equal(counted(merged.sum()), 8)
  one.rename(999)
  assert.equal(one.count('cheap'), 4, 'after a share that it does not remember nothing can be told apart')
})

test('learner: what is long ago counts for less, soon where the arm is asked, slowly where it is not', () => {
  const one = learner()
  const x = Float64Array.of(1, 0.5, 0)
  for (let i = 0; i < 500; i++) one.observe('cheap', x, 1)
  for (let i = 0; i < 500; i++) one.observe('strong', x, 1)
  const before = one.belief('cheap', x).mean
  for (let i = 0; i < 100; i++) one.observe('cheap', x, 0)
  assert.ok(before > 0.9)
  assert.ok(one.belief('cheap', x).mean < 0.5)
  assert.ok(one.belief('strong', x).mean > 0.9)
})

test('learner: a reward that is taken back has its place taken by the right one', () => {
  const [wrong, right] = [learner(), learner()]
  const x = Float64Array.of(1, 0.5, 0.2)
  wrong.observe('cheap', x, 1)
  wrong.correct('cheap', x, -1)
  right.observe('cheap', x, 0)
  assert.deepEqual(wrong.belief('cheap', x), right.belief('cheap', x))
})
