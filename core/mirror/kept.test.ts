import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorCode } from '../errors.ts'
import type { Settled, Sink, Stream } from '../exchange.ts'
import { Kept } from './kept.ts'

/** A stream that a test drives. */
class Driven implements Stream {
  sink: Sink | undefined
  readonly #listeners: Settled[] = []
  flow(sink: Sink): void {
    this.sink = sink
  }
  resume(): void {}
  failure(): undefined {}
  settled(listener: Settled): void {
    this.#listeners.push(listener)
  }
  settle(code: ErrorCode | undefined): void {
    for (const listener of this.#listeners) listener(code)
  }
}

/** A kept stream with room for so many bytes, and what came of it. */
function kept(bytes: number) {
  let taken = 0
  const room = {
    take: (some: number) => taken + some <= bytes && ((taken += some), true),
    give: (some: number) => void (taken -= some),
  }
  const given: (string | undefined)[] = []
  const out: string[] = []
  const stream = new Driven()
  const it = new Kept(stream, room, (chunks) => given.push(chunks && Buffer.concat(chunks).toString()))
  const sink: Sink = {
    write: (chunk) => out.push(chunk.toString()) < 3,
    end: () => out.push('end'),
    fail: (code) => out.push(code),
  }
  return { it, stream, sink, given, out, taken: () => taken }
}

test('kept: what goes to the caller is what came, its back-pressure included, and is given once it has gone', () => {
  const { it, stream, sink, given, out, taken } = kept(100)
  it.flow(sink)
  assert.deepEqual(
    ['ab', 'c', 'd'].map((text) => stream.sink?.write(Buffer.from(text))),
    [true, true, false],
  )
  stream.settle(undefined)
  assert.deepEqual([given, taken()], [[], 4])
  stream.sink?.end()
  assert.deepEqual([given, out, taken()], [['abcd'], ['ab', 'c', 'd', 'end'], 0])
})

test('kept: a stream that has settled before it flows is given when it has flowed', () => {
  const { it, stream, sink, given } = kept(100)
  stream.settle(undefined)
  assert.deepEqual(given, [])
  it.flow(sink)
  stream.sink?.write(Buffer.from('abc'))
  stream.sink?.end()
  assert.deepEqual(given, ['abc'])
})

test('kept: one that fails is given once, whether or not anything has gone', () => {
  const before = kept(100)
  before.stream.settle('client_closed')
  assert.deepEqual(before.given, [''])
  const after = kept(100)
  after.it.flow(after.sink)
  after.stream.sink?.write(Buffer.from('abc'))
  after.stream.sink?.fail('idle_timeout', 'It stalled.')
  after.stream.settle('idle_timeout')
  assert.deepEqual([after.given, after.out], [['abc'], ['abc', 'idle_timeout']])
})

test('kept: what there is no room for passes all the same, and its room is for others at once', () => {
  const { it, stream, sink, given, out, taken } = kept(5)
  it.flow(sink)
  stream.sink?.write(Buffer.from('abc'))
  assert.equal(taken(), 3)
  stream.sink?.write(Buffer.from('def'))
  assert.equal(taken(), 0)
  stream.sink?.write(Buffer.from('g'))
  stream.sink?.end()
  assert.deepEqual([given, out, taken()], [[undefined], ['abc', 'def', 'g', 'end'], 0])
})

test('kept: of one answer no more than a megabyte is kept', () => {
  const { it, stream, sink, given, taken } = kept(1 << 30)
  it.flow(sink)
  for (let i = 0; i < 17; i++) stream.sink?.write(Buffer.alloc(64 * 1024))
  stream.sink?.end()
  assert.deepEqual([given, taken()], [[undefined], 0])
})
