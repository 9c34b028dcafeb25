import assert from 'node:assert/strict'
import { test } from 'node:test'
import { annotationFault, readRolloutAnnotation, rulesWithRollout } from './rollout-annotation.ts'

for (const [value, verb, rule, note] of [
  ['promote', 'promote', undefined, undefined],
  ['abort:chat', 'abort', 'chat', undefined],
  ['retry:0', 'retry', '0', undefined],
  ['pause@2026-11-21T10:00:00Z', 'pause', undefined, '2026-11-21T10:00:00Z'],
  ['resume:chat@ticket 7: me@example.test', 'resume', 'chat', 'ticket 7: me@example.test'],
] as const)
  test(`rollout annotation: ${value}`, () => {
    assert.deepEqual(readRolloutAnnotation(value), { verb, rule, note })
  })

for (const [value, why] of [
  ['', /begins with one of pause, resume, promote, abort, retry\.$/],
  ['Promote', /begins with one of/],
  ['promote now', /begins with one of/],
  ['@promote', /begins with one of/],
  ['promote:', /colon is the name of a rule/],
  ['promote:Chat', /colon is the name of a rule/],
  [`promote:${'r'.repeat(64)}`, /colon is the name of a rule/],
  ['promote@', /a note of 1 to 128/],
  ['promote@a\nb', /a note of 1 to 128/],
  [`promote@${'n'.repeat(129)}`, /a note of 1 to 128/],
] as const)
  test(`rollout annotation: ${JSON.stringify(value)} is none`, () => {
    const read = readRolloutAnnotation(value)
    assert.ok('wrong' in read)
    assert.match(read.wrong, why)
    assert.match(read.wrong, /VERB\[:RULE\]\[@NOTE\]/)
  })

test('rollout annotation: what it asks for has to be there', () => {
  const rules = rulesWithRollout([{ name: 'all', rollout: {} }, { rollout: {} }, { name: 'rest' }])
  assert.deepEqual(rules, ['all', '1'])
  for (const value of ['promote', 'abort:all@x', 'pause:1']) assert.equal(annotationFault(value, rules), undefined)
  assert.match(
    annotationFault('promote:rest', rules) ?? '',
    /rule rest has no rollout; those that have one are all, 1\.$/,
  )
  assert.match(annotationFault('promote', []) ?? '', /no rule of the route has a rollout\.$/)
  assert.match(annotationFault('go', rules) ?? '', /begins with one of/)
})
