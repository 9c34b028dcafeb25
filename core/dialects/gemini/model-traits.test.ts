import assert from 'node:assert/strict'
import test from 'node:test'
import { traitsOf } from './model-traits.ts'

const cases: readonly (readonly [
  model: string,
  thinking: 'level' | 'budget' | undefined,
  signs: boolean,
  quiet: boolean,
])[] = [
  ['gemini-1.5-flash', undefined, false, false],
  ['gemini-2.0-flash', undefined, false, false],
  ['gemini-2.5-flash', 'budget', false, true],
  ['gemini-2.5-flash-lite', 'budget', false, true],
  ['gemini-2.5-pro', 'budget', false, false],
  ['google/gemini-2.5-pro', 'budget', false, false],
  ['gemini-2.5-flash-image', undefined, false, false],
  ['gemini-2.5-flash-preview-tts', undefined, false, false],
  ['gemini-3-pro-preview', 'level', true, false],
  ['gemini-3.1-flash-lite-preview', 'level', true, false],
  ['gemini-3-pro-image-preview', 'level', false, false],
  ['gemini-flash-latest', 'level', true, false],
  ['gemini-10-pro', 'level', true, false],
  ['gemma-3-27b-it', undefined, false, false],
  ['tunedModels/mine', undefined, false, false],
]

for (const [model, thinking, signs, quiet] of cases)
  test(`traits: ${model}`, () => {
    const traits = traitsOf(model)
    assert.deepEqual([traits.thinking, traits.signs, traits.quiet], [thinking, signs, quiet])
  })

test('traits: only models before 2.5 need schemas in the older form', () => {
  assert.deepEqual(
    ['gemini-2.0-flash', 'gemini-2.5-flash', 'gemini-3-pro', 'gemini-pro-latest', 'tunedModels/mine'].map(
      (model) => traitsOf(model).jsonSchema,
    ),
    [false, true, true, true, true],
  )
})
