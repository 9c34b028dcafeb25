import assert from 'node:assert/strict'
import test from 'node:test'
import { mediaUsageOf, together } from './media-usage.ts'
import { NO_USAGE } from './usage.ts'

const cases: readonly (readonly [about: string, usage: unknown, makes: 'image' | 'audio' | 'text', found: object])[] = [
  [
    'pictures are all of the answer where it does not say',
    {
      input_tokens: 12,
      input_tokens_details: { text_tokens: 2, image_tokens: 10 },
      output_tokens: 272,
      total_tokens: 284,
    },
    'image',
    { input: 12, imageInput: 10, output: 272, imageOutput: 272 },
  ],
  [
    'pictures and the words about them',
    { input_tokens: 2, output_tokens: 280, output_tokens_details: { text_tokens: 8, image_tokens: 272 } },
    'image',
    { input: 2, output: 280, imageOutput: 272 },
  ],
  [
    'what is spoken is sound',
    { input_tokens: 3, output_tokens: 40 },
    'audio',
    { input: 3, output: 40, audioOutput: 40 },
  ],
  [
    'what is heard is sound',
    { type: 'tokens', input_tokens: 15, input_token_details: { text_tokens: 1, audio_tokens: 14 }, output_tokens: 4 },
    'text',
    { input: 15, audioInput: 14, output: 4 },
  ],
  ['seconds', { type: 'duration', seconds: 7 }, 'text', { audioSeconds: 7 }],
  ['numbers that are none', { input_tokens: -1, output_tokens: 'x', input_tokens_details: [] }, 'image', {}],
]

for (const [about, usage, makes, found] of cases)
  test(`media usage: ${about}`, () => {
    assert.deepEqual(mediaUsageOf(usage, makes), { ...NO_USAGE, ...found })
  })

test('media usage: none where there is none', () => {
  for (const value of [undefined, null, 'x', 3, []]) assert.equal(mediaUsageOf(value, 'image'), undefined)
})

test('media usage: that of several answers is theirs together', () => {
  const one = { ...NO_USAGE, input: 2, output: 3, imageOutput: 3 }
  assert.deepEqual(together(one, undefined), one)
  assert.deepEqual(together(one, { ...NO_USAGE, input: 1, audioSeconds: 2 }), {
    ...NO_USAGE,
    input: 3,
    output: 3,
    imageOutput: 3,
    audioSeconds: 2,
  })
})
