import assert from 'node:assert/strict'
import test from 'node:test'
import * as s from './schema.ts'

test('schema: a field is required unless it is optional or has a default', () => {
  const schema = s.object({
    must: s.string({ maxLength: 5 }),
    may: s.optional(s.integer({ minimum: 0, maximum: 9 })),
    has: s.boolean({ default: true }),
  })
  assert.deepEqual(schema.required, ['must'])
  const value: s.Static<typeof schema> = { must: 'x', has: false }
  assert.ok(value)
  // @ts-expect-error: what has a default is there once validated
  const lacks: s.Static<typeof schema> = { must: 'x' }
  assert.ok(lacks)
  assert.equal('required' in s.object({ may: s.optional(s.boolean()) }), false)
})

test('schema: lists say how server-side apply merges them, and rules become the CRD’s keyword', () => {
  const named = s.object({ name: s.string({ maxLength: 9 }) })
  assert.deepEqual(
    {
      ...s.array(named, { maxItems: 3, key: 'name', rules: [{ rule: 'true', message: 'Never.' }] }),
    },
    {
      type: 'array',
      items: named,
      maxItems: 3,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-validations': [{ rule: 'true', message: 'Never.' }],
    },
  )
  assert.equal(s.array(s.boolean(), { maxItems: 1, set: true })['x-kubernetes-list-type'], 'set')
})

test('schema: a map and a free object tell their bounds', () => {
  assert.deepEqual(
    { ...s.map(s.boolean(), { maxProperties: 2 }) },
    { type: 'object', additionalProperties: { type: 'boolean' }, maxProperties: 2 },
  )
  assert.equal(s.free({ maxProperties: 2 })['x-kubernetes-preserve-unknown-fields'], true)
})

test('schema: durations in milliseconds', () => {
  for (const [text, ms] of [
    ['0s', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['1h30m', 5_400_000],
    ['1m500ms', 60_500],
    ['1h1m1s1ms', 3_661_001],
  ] as const)
    assert.equal(s.milliseconds(text), ms, text)
  const pattern = new RegExp(s.duration({}).pattern ?? '(?!)')
  for (const good of ['1s', '99999h', '1h1m1s1ms']) assert.match(good, pattern)
  for (const bad of ['', '1', 's', '1.5s', '-1s', '1d', '1s ', '100000s', '1h1m1s1ms1s'])
    assert.doesNotMatch(bad, pattern)
})
