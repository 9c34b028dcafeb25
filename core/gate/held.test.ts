import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Due } from '../deps.ts'
import type { ErrorCode } from '../errors.ts'
import type { Settled, Sink, Stream } from '../exchange.ts'
import { Held } from './held.ts'

/** A stream whose pieces come when the test says so. */
class Tap implements Stream {
  sink: Sink | undefined
  resumed = 0
  private readonly listeners: Settled[] = []

  flow(sink: Sink): void {
    this.sink = sink
  }
  resume(): void {
    this.resumed++
  }
  failure(): undefined {}
  settled(listener: Settled): void {
    this.listeners.push(listener)
  }
  settle(code?: ErrorCode): void {
    for (const listener of this.listeners) listener(code)
  }
}

/** Takes what comes, and no more once it is full. */
class Basin implements Sink {
  readonly heard: string[] = []
  full = false

  write(chunk: Buffer): boolean {
    this.heard.push(chunk.toString())
    return !this.full
  }
  end(): void {
    this.heard.push('END')
  }
  fail(code: ErrorCode): void {
    this.heard.push(`FAIL ${code}`)
  }
}

function held(enough: () => boolean = () => false) {
  const tap = new Tap()
  const due = new Set<Due>()
  const deadlines = { add: (item: Due) => void due.add(item), remove: (item: Due) => void due.delete(item) }
  const made = new Held(tap, { deadlines, now: () => 1000, within: 500, enough })
  let judgeable = false
  void made.judgeable.then(() => (judgeable = true))
  return {
    tap,
    due,
    made,
    isJudgeable: () => new Promise<boolean>((resolve) => setImmediate(() => resolve(judgeable))),
  }
}

test('held: it can be judged when enough has come, when the time is up, when it has ended, and when it has failed', async () => {
  let enough = false
  const pieces = held(() => enough)
  pieces.tap.sink?.write(Buffer.from('a'))
  assert.equal(await pieces.isJudgeable(), false)
  enough = true
  pieces.tap.sink?.write(Buffer.from('b'))
  assert.equal(await pieces.isJudgeable(), true)
  assert.equal(pieces.due.size, 0)

  const late = held()
  assert.equal(late.made.due, 1500)
  late.made.expire()
  assert.equal(await late.isJudgeable(), true)

  const ended = held()
  ended.tap.sink?.end()
  assert.equal(await ended.isJudgeable(), true)

  const failed = held()
  failed.tap.settle('idle_timeout')
  assert.equal(await failed.isJudgeable(), true)
})

test('held: what came is given in its order, then what comes, and the end', () => {
  const { tap, made } = held()
  const basin = new Basin()
  tap.sink?.write(Buffer.from('a'))
  tap.sink?.write(Buffer.from('b'))
  made.flow(basin)
  assert.deepEqual(basin.heard, ['a', 'b'])
  tap.sink?.write(Buffer.from('c'))
  tap.sink?.end()
  assert.deepEqual(basin.heard, ['a', 'b', 'c', 'END'])
})

test('held: one that has ended, or failed, before it was taken says so after what came', () => {
  for (const [last, word] of [
    [(sink: Sink) => sink.end(), 'END'],
    [(sink: Sink) => sink.fail('upstream_truncated', ''), 'FAIL upstream_truncated'],
  ] as const) {
    const { tap, made } = held()
    const basin = new Basin()
    tap.sink?.write(Buffer.from('a'))
    if (tap.sink) last(tap.sink)
    made.flow(basin)
    assert.deepEqual(basin.heard, ['a', word])
  }
})

test('held: no more than a megabyte is held back; who takes it lets the rest come', () => {
  const { tap, made } = held()
  const piece = Buffer.alloc(256 * 1024)
  assert.deepEqual(
    [1, 2, 3, 4].map(() => tap.sink?.write(piece)),
    [true, true, true, false],
  )
  made.flow(new Basin())
  assert.equal(tap.resumed, 1)

  const slow = held()
  const full = new Basin()
  full.full = true
  for (let i = 0; i < 4; i++) slow.tap.sink?.write(piece)
  slow.made.flow(full)
  assert.equal(slow.tap.resumed, 0, 'not before it can take more')
  slow.made.resume()
  assert.equal(slow.tap.resumed, 1)
  assert.equal(slow.tap.sink?.write(Buffer.from('x')), false, 'it is the taker that holds back now')
})
