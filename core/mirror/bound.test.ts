import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bytes } from '../bytes.ts'
import { costOf } from '../cost.ts'
import { priceOf } from '../price.ts'
import { NO_USAGE } from '../usage.ts'
import { boundOf } from './bound.ts'
import { Skipped } from './skip.ts'

const bytes = (body: object) => new Bytes([Buffer.from(JSON.stringify(body))])
/** Picodollars of a token, at a dollar for a million. */
const TOKEN = 1e6
const price = priceOf({ input: '1', output: '4' })
const skipped = (reason: string) => (error: unknown) => error instanceof Skipped && error.reason === reason

test('bound: no answer within the limit that is sent costs more, whatever of prompt and answer is cached, written, heard, seen or thought', () => {
  const dear = priceOf({
    ...{ input: '1', output: '4', cacheRead: '0.1', cacheWrite: '1.25', audioInput: '10', audioOutput: '30' },
    ...{ imageInput: '2', request: '5', tiers: [{ above: 200, input: '2', output: '6' }] },
  })
  const part = fc.nat(1000)
  fc.assert(
    fc.property(part, part, part, part, part, fc.integer({ min: 1, max: 4 }), (size, limit, a, b, c, n) => {
      const body = bytes({ n, max_tokens: limit, messages: [{ content: 'x'.repeat(size) }] })
      const input = body.length + 1024
      const output = limit * n
      const most = boundOf(body, dear, 'chat')
      for (const usage of [
        { ...NO_USAGE, input, output },
        { ...NO_USAGE, input, output, cacheWrite1h: Math.min(a, input) },
        { ...NO_USAGE, input, output, audioInput: Math.min(a, input), audioOutput: Math.min(b, output) },
        { ...NO_USAGE, input, output, cached: Math.min(a, input), imageInput: Math.min(c, input) },
      ])
        assert.ok((costOf(usage, dear) ?? Infinity) <= most)
    }),
  )
})

test('bound: the limit is read wherever a dialect has it, and the largest counts', () => {
  const most = (body: object) => (boundOf(bytes(body), price, 'chat') / TOKEN - (bytes(body).length + 1024)) / 4
  assert.equal(most({ max_tokens: 7 }), 7)
  assert.equal(most({ max_completion_tokens: 8, max_tokens: 7 }), 8)
  assert.equal(most({ max_output_tokens: 9 }), 9)
  assert.equal(most({ generationConfig: { maxOutputTokens: 10, candidateCount: 3 } }), 30)
  assert.equal(most({ inferenceConfig: { maxTokens: 11 } }), 11)
  assert.equal(most({ max_tokens: 7, n: 2 }), 14)
  assert.equal(most({ max_tokens: 7, best_of: 5, n: 2 }), 35)
})

test('bound: what has no limit or no price is not sent; vectors need no limit', () => {
  assert.throws(() => boundOf(bytes({ messages: [] }), price, 'chat'), skipped('unbounded'))
  assert.throws(() => boundOf(bytes({ max_tokens: 'many' }), price, 'chat'), skipped('unbounded'))
  assert.throws(() => boundOf(bytes({ max_tokens: 5 }), undefined, 'chat'), skipped('unpriced'))
  assert.throws(() => boundOf(bytes({ max_tokens: 5 }), priceOf({ input: '1' }), 'chat'), skipped('unpriced'))
  assert.throws(() => boundOf(bytes({ max_tokens: 5 }), priceOf({ request: '1' }), 'chat'), skipped('unpriced'))
  assert.equal(boundOf(bytes({ input: 'a' }), priceOf({ input: '2' }), 'embeddings'), (13 + 1024) * 2 * TOKEN)
})
