import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OpenAIReader } from '../dialects/openai/read-answer.ts'
import { OpenAIStream } from '../openai-stream.ts'

/** Words as servers write them: plain JSON, JSON in ASCII alone, and with spaces. */
const writers = [
  (value: unknown) => JSON.stringify(value),
  (value: unknown) =>
    JSON.stringify(value).replace(/[^ -~]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`),
  (value: unknown) => JSON.stringify(value, undefined, 1).replaceAll('\n', ''),
]
const event = (words: string, write: (value: unknown) => string) =>
  `data: ${write({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: words }, finish_reason: null }] })}\n\n`

test('kept: what has gone on of a stream is known to the letter, however it was written and cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '\n', '\\"')), {
        maxLength: 150,
      }),
      fc.constantFrom(...writers),
      fc.integer({ min: 1, max: 400 }),
      (words, write, step) => {
        const stream = new OpenAIStream({
          hideUsage: false,
          choices: 1,
          keep: { reader: new OpenAIReader(''), refusesEmpty: () => false },
        })
        const bytes = Buffer.from(words.map((word) => event(word, write)).join(''))
        for (let at = 0; at < bytes.length; at += step) stream.push(bytes.subarray(at, at + step))
        const text = words.join('')
        assert.equal(stream.transcript?.lost, false)
        assert.deepEqual(stream.transcript?.pieces, text === '' ? [] : [{ type: 'text', choice: 0, text }])
        assert.equal(stream.transcript?.tokens, words.filter((word) => word !== '').length)
      },
    ),
  )
})
