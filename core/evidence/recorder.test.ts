import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Merged } from '../merging/merged.ts'
import { Book } from './book.ts'
import { tallies } from './merged.ts'
import { Recorder } from './recorder.ts'
import { LAST } from './sketch.ts'
import type { Tally } from './tally.ts'
import { readArms } from './wire.ts'

const names = () => {
  let count = 0
  return () => `e${count++}`
}
const OF = { route: 'ai/r', rule: '0', version: 'h.0.0' }
const counts = (arms: Iterable<readonly [string, Tally]> = []) =>
  Object.fromEntries([...arms].map(([arm, { n, errors, latency }]) => [arm, [n, errors, latency.count]]))
const read = ({ seq, arms }: ReturnType<Book['share']>) => ({ seq, arms: readArms(arms) ?? new Map<string, Tally>() })
const add = (recorder: Recorder, arm: string, id?: string, version = OF.version) =>
  recorder.add(OF.route, OF.rule, version, arm, { error: arm === 'bad', latency: 12 }, id)

test('recorder: only versions in force are counted, and those that are not any more are forgotten', () => {
  const recorder = new Recorder(names())
  add(recorder, 'a')
  assert.equal(recorder.find(OF), undefined)
  recorder.keep([OF])
  add(recorder, 'a')
  add(recorder, 'bad')
  add(recorder, 'a', undefined, 'h.1.0')
  assert.deepEqual(counts(recorder.find(OF)?.arms), { a: [1, 0, 1], bad: [1, 1, 1] })
  const first = recorder.find(OF)
  recorder.keep([OF, { ...OF, version: 'h.1.0' }])
  assert.equal(recorder.find(OF), first, 'one that stays goes on')
  recorder.keep([{ ...OF, version: 'h.1.0' }])
  add(recorder, 'a')
  assert.equal([...recorder.all()].length, 1)
  recorder.keep([OF])
  assert.deepEqual(counts(recorder.find(OF)?.arms), {}, 'one that comes back begins anew')
  assert.notEqual(recorder.find(OF)?.epoch, first?.epoch)
})

test('recorder: quality comes to the arm of the request that it is said of, and a later word stands in the place of the one before', () => {
  const recorder = new Recorder(names())
  recorder.keep([OF])
  add(recorder, 'a', 'one')
  add(recorder, 'b', 'two')
  add(recorder, 'b')
  assert.equal(recorder.rate('one', 0.25), true)
  assert.equal(recorder.rate('one', 0.75), true)
  assert.equal(recorder.rate('two', 1), true)
  assert.equal(recorder.rate('three', 1), false)
  const arms = recorder.find(OF)?.arms
  assert.deepEqual({ ...arms?.get('a')?.quality }, { n: 1, sum: 0.75, squares: 0.5625 })
  assert.deepEqual({ ...arms?.get('b')?.quality }, { n: 1, sum: 1, squares: 1 })
})

test('recorder: memory stays bounded, whatever arms, durations and requests come', () => {
  const recorder = new Recorder(names())
  recorder.keep([OF])
  for (let i = 0; i < 100_000; i++)
    recorder.add(OF.route, OF.rule, OF.version, `arm-${i % 1000}`, { latency: 1.0002 ** i, firstToken: i }, `${i}`)
  const book = recorder.find(OF)
  assert.equal(book?.arms.size, 128)
  for (const { latency, firstToken } of book?.arms.values() ?? [])
    assert.ok(latency.buckets().length <= LAST + 1 && firstToken.buckets().length <= LAST + 1)
  const known = Array.from({ length: 100_000 }, (_, i) => recorder.rate(`${i}`, 1)).filter(Boolean).length
  assert.ok(known > 0 && known <= 16_384, `${known}`)
})

test('book: one whose name was closed goes on under another with what it has counted since', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 16 }), fc.nat(), fc.nat(5), (told, at, untold) => {
      const book = new Book(names())
      const merged = new Merged(tallies)
      const see = (times: number) => {
        for (let i = 0; i < times; i++) book.add('a', { latency: 5 + i, cost: 0.5 })
      }
      const shares = told.map((times) => {
        see(times)
        return read(book.share())
      })
      const last = shares[at % shares.length]
      assert.ok(last)
      merged.put('old', last)
      merged.fold('old')
      see(untold)
      assert.equal(merged.put('old', read(book.share())), false)
      const { epoch } = book
      book.rename(merged.closed('old') ?? -1)
      assert.notEqual(book.epoch, epoch)
      merged.put('new', read(book.share()))
      const all = told.reduce((sum, times) => sum + times, untold)
      const sum = merged.sum().get('a')
      assert.deepEqual([sum?.n ?? 0, sum?.latency.count ?? 0, sum?.cost.sum ?? 0], [all, all, all / 2])
    }),
  )
})

test('book: after a share that it does not remember some is let go, and nothing counts twice', () => {
  const book = new Book(names())
  for (let i = 0; i < 40; i++) {
    book.add('a', {})
    book.share()
  }
  book.add('a', {})
  book.rename(3)
  assert.equal(book.arms.get('a')?.n, 41 - 25, 'all after the oldest share that is remembered, the 25th')
  book.rename(9)
  assert.equal(book.arms.get('a')?.n, 0)
  book.add('a', {})
  book.rename(0)
  assert.equal(book.arms.get('a')?.n, 1, 'of which nothing was counted')
})
