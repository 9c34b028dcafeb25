import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Bytes, NO_BYTES, Window } from './bytes.ts'
import { InvalidJson, requestFields, scan, splice } from './json-fields.ts'

/** The bytes cut at these places, as shares of the whole. */
function cut(bytes: Buffer, places: readonly number[]): Bytes {
  const at = [0, ...places.map((share) => Math.floor(share * bytes.length)).toSorted((a, b) => a - b), bytes.length]
  return new Bytes(at.slice(1).map((end, i) => bytes.subarray(at[i], end)))
}
const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 })
const outcome = (body: Bytes): unknown => {
  try {
    return requestFields(body)
  } catch (error) {
    assert.ok(error instanceof InvalidJson)
    return error.message
  }
}
const joined = (bytes: Bytes) => Buffer.concat(bytes.pieces).toString('latin1')

test('bytes: what is looked for is found across pieces', () => {
  const letters = fc.array(fc.constantFrom(1, 2), { maxLength: 40 })
  fc.assert(
    fc.property(
      letters,
      places,
      fc.array(fc.constantFrom(1, 2), { minLength: 1, maxLength: 6 }),
      fc.nat(45),
      (array, at, needle, from) => {
        const whole = Buffer.from(array)
        assert.equal(
          cut(whole, at).find(Buffer.from(needle), from),
          from > whole.length ? -1 : whole.indexOf(Buffer.from(needle), from),
        )
      },
    ),
    { numRuns: 5000 },
  )
})

test('bytes: whatever the pieces, the parts are the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), places, fc.nat(60), fc.nat(60), (array, at, a, b) => {
      const whole = Buffer.from(array)
      const bytes = cut(whole, at)
      assert.equal(bytes.length, whole.length)
      const [start, end] = [Math.min(a, b), Math.max(a, b)]
      assert.deepEqual(Buffer.from(bytes.slice(start, end)), whole.subarray(start, end))
      assert.deepEqual(Buffer.concat(bytes.between(start, end)), whole.subarray(start, end))
      const characters = new Window(bytes.pieces)
      const text = whole.toString('latin1')
      assert.equal(characters.charCodeAt(a), text.charCodeAt(a))
      assert.equal(characters.charCodeAt(b), text.charCodeAt(b))
      assert.equal(characters.indexOf('"', a), text.indexOf('"', a))
    }),
    { numRuns: 2000 },
  )
  assert.equal(NO_BYTES.slice(0, 0).length, 0)
})

test('bytes: whatever the pieces, a body has the same fields and the same faults', () => {
  const word = fc.constantFrom(
    ...Array.from('{}[],:"\\ \n019.-+eE'),
    'true',
    'null',
    '"a"',
    '"b":',
    '{"a":',
    '"model":',
  )
  const text = fc.oneof(
    fc.json().map((json) => `{"model":"m","x":${json},"n":2}`),
    fc.array(word, { maxLength: 12 }).map((parts) => `{"k":${parts.join('')}}`),
  )
  fc.assert(
    fc.property(text, places, (json, at) => {
      const whole = Buffer.from(json)
      assert.deepEqual(outcome(cut(whole, at)), outcome(new Bytes([whole])))
    }),
    { numRuns: 5000 },
  )
})

test('bytes: long strings end where they end, whatever stands at the edges of what is looked at together', () => {
  for (const filler of ['x', '\\"', '\\\\', 'é', '\\\\\\"', 'word \\"quoted\\" '])
    for (const size of [4080, 4096, 8190, 70_000, 200_000])
      for (const shift of [0, 1, 2, 3]) {
        const content = 'y'.repeat(shift) + filler.repeat(Math.ceil(size / filler.length))
        const whole = Buffer.from(`{"messages":[{"content":"${content}"}],"model":"m","last":"${content}"}`)
        for (const bytes of [new Bytes([whole]), cut(whole, [0.3, 0.300001, 0.6])]) {
          const fields = scan(bytes)
          assert.deepEqual(
            fields.map(({ name }) => name),
            ['messages', 'model', 'last'],
          )
          assert.equal(fields[2]?.end, whole.length - 1)
          const edited = splice(bytes, fields, [{ name: 'model', json: '"other"' }])
          assert.equal(joined(edited), whole.toString('latin1').replace('"model":"m"', '"model":"other"'))
        }
        const endless = whole.subarray(0, whole.length - 2)
        assert.throws(() => scan(cut(endless, [0.5])), { name: 'InvalidJson', message: /string without an end/ })
      }
})

test('bytes: an edit copies nothing of the body', () => {
  const whole = Buffer.from(`{"model":"m","x":"${'x'.repeat(100_000)}"}`)
  const bytes = cut(whole, [0.5])
  const edited = splice(bytes, scan(bytes), [{ name: 'model', json: '"other"' }])
  const own = edited.pieces.filter((piece) => piece.buffer !== whole.buffer)
  assert.deepEqual(own.map(String), ['"other"'])
})
