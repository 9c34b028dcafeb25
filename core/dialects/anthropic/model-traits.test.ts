import assert from 'node:assert/strict'
import test from 'node:test'
import { traitsOf } from './model-traits.ts'

/** By the name of the model: how thought is asked for, what turns it off, sampling, schemas, forced calls, prefill, the most tokens by default. */
const cases: [model: string, ...told: unknown[]][] = [
  ['claude-3-haiku-20240307', 'none', 'disabled', 'all', false, true, true, 4096],
  ['claude-3-5-sonnet-20241022', 'none', 'disabled', 'all', false, true, true, 8192],
  ['claude-3-7-sonnet-latest', 'budget', 'disabled', 'all', false, true, true, 64_000],
  ['claude-sonnet-4-20250514', 'budget', 'disabled', 'all', false, true, true, 64_000],
  ['claude-sonnet-4-0', 'budget', 'disabled', 'all', false, true, true, 64_000],
  ['claude-opus-4@20250514', 'budget', 'disabled', 'all', false, true, true, 32_000],
  ['claude-opus-4-1-20250805', 'budget', 'disabled', 'one', false, true, true, 32_000],
  ['claude-haiku-4-5-20251001', 'budget', 'disabled', 'one', true, true, true, 64_000],
  ['anthropic.claude-sonnet-4-5-20250929-v1:0', 'budget', 'disabled', 'one', true, true, true, 64_000],
  ['claude-opus-4-6', 'both', 'disabled', 'one', true, true, false, 64_000],
  ['claude-opus-4-7', 'adaptive', 'disabled', 'none', true, true, false, 64_000],
  ['us.anthropic.claude-opus-4-8', 'adaptive', 'disabled', 'none', true, true, false, 64_000],
  ['claude-sonnet-5', 'adaptive', 'disabled', 'none', true, true, false, 64_000],
  ['claude-opus-5', 'adaptive', 'disabled', 'none', true, true, false, 64_000],
  ['claude-haiku-5-5', 'adaptive', 'disabled', 'none', true, true, false, 64_000],
  ['claude-sonnet-5-5', 'adaptive', 'between_tools', 'none', true, false, false, 64_000],
  ['claude-opus-5-5', 'adaptive', undefined, 'none', true, false, false, 64_000],
  ['claude-fable-5-1', 'adaptive', undefined, 'none', true, false, false, 64_000],
  ['claude-mythos-preview', 'both', undefined, 'one', true, false, false, 64_000],
  ['kimi-k2', 'budget', 'disabled', 'all', false, true, true, 8192],
]

for (const [model, ...told] of cases)
  test(`traits: ${model}`, () => {
    const { budget, adaptive, off, sampling, schemas, forced, prefill, maxTokens } = traitsOf(model)
    const thinking = budget && adaptive ? 'both' : budget ? 'budget' : adaptive ? 'adaptive' : 'none'
    assert.deepEqual([thinking, off, sampling, schemas, forced, prefill, maxTokens], told)
  })
