import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Purse } from './purse.ts'

const HOUR = 3_600_000

/** One thing that happens after so many ms: a request of the rule costs something, a call is asked for, or the oldest that is open is over. */
const step = fc.record({
  after: fc.integer({ min: 0, max: 600_000 }),
  does: fc.oneof(
    fc.record({ earns: fc.integer({ min: 0, max: 100 }) }),
    fc.record({ most: fc.integer({ min: 0, max: 300 }) }),
    // What it cost of what it could: it may be all of it.
    fc.record({ part: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.constant('restart' as const),
  ),
})

test('purse: in every hour, wherever it begins and however often the sidecar starts anew, no more is spent than the budget of an hour', () => {
  const budget = { perHour: 1000, spendPercent: undefined }
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      let now = 0
      let purse = new Purse(budget, () => now)
      let open: number[] = []
      const bills: { readonly at: number; readonly cost: number }[] = []
      const bill = (most: number, part: number) => {
        bills.push({ at: now, cost: most * part })
        purse.settle(most, most * part)
      }
      for (const { after, does } of steps) {
        now += after
        if (does === 'restart') {
          // What was under way is billed in full, and a new process knows nothing of it.
          for (const most of open) bill(most, 1)
          open = []
          purse = new Purse(budget, () => now)
        } else if ('most' in does) {
          if (purse.take(does.most)) open.push(does.most)
        } else if ('part' in does) {
          const most = open.shift()
          if (most !== undefined) bill(most, does.part)
        }
      }
      for (const { at } of bills) {
        const within = bills.filter((it) => it.at >= at && it.at < at + HOUR)
        const spent = within.reduce((sum, { cost }) => sum + cost, 0)
        assert.ok(spent <= 1000 + 1e-6, `${spent} in the hour from ${at}`)
      }
    }),
    { numRuns: 2000 },
  )
})

test('purse: at no moment more is spent and set aside than the part of what the rule’s requests have cost', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 1000 }), (steps, spendPercent) => {
      let now = 0
      const purse = new Purse({ perHour: undefined, spendPercent }, () => now)
      const open: number[] = []
      let earned = 0
      let spent = 0
      for (const { after, does } of steps) {
        now += after
        if (does === 'restart') continue
        if ('earns' in does) {
          purse.earn(does.earns)
          earned += does.earns
        } else if ('most' in does) {
          if (purse.take(does.most)) open.push(does.most)
        } else {
          const most = open.shift()
          if (most === undefined) continue
          purse.settle(most, most * does.part)
          spent += most * does.part
        }
        const aside = open.reduce((sum, most) => sum + most, 0)
        assert.ok(spent + aside <= (earned * spendPercent) / 100 + 1e-6, `${spent} + ${aside} of ${earned}`)
        assert.ok(Math.abs(purse.spent - spent) < 1e-6)
      }
    }),
    { numRuns: 1000 },
  )
})

test('purse: what is not spent of what was set aside can be had again; both bounds hold where both are set', () => {
  let now = 0
  const purse = new Purse({ perHour: 400, spendPercent: 100 }, () => now)
  now = HOUR
  assert.equal(purse.take(50), false, 'nothing was earned')
  purse.earn(60)
  assert.equal(purse.take(101), false, 'more than a quarter is never there at once')
  assert.equal(purse.take(50), true)
  assert.equal(purse.take(20), false)
  purse.settle(50, 5)
  assert.equal(purse.take(55), true)
  assert.equal(purse.take(0), true, 'what costs nothing is always affordable')
})

test('purse: an edit takes away what the new budget does not let it have, and a bound that is new begins empty', () => {
  let now = 0
  const purse = new Purse({ perHour: 400, spendPercent: undefined }, () => now)
  now = HOUR
  purse.configure({ perHour: 40, spendPercent: undefined })
  assert.equal(purse.take(11), false)
  assert.equal(purse.take(10), true)
  purse.configure({ perHour: undefined, spendPercent: 100 })
  purse.earn(15)
  assert.equal(purse.take(6), false, 'ten are set aside')
  purse.settle(10, 10)
  assert.equal(purse.take(5), true)
})
