import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compiledMatch } from '../../api/compiled.ts'
import { CAPABILITIES } from '../../api/protocol.ts'
import { compileMatch, matchWords } from './match.ts'

test('match: a sidecar must know the words of its conditions, and of what it excludes', () => {
  const text = { contains: ['a'], in: 'LastUser', ignoreCase: true } as const
  const match = compileMatch({
    model: 'gpt-*',
    tools: false,
    not: { text, headers: [{ name: 'X-A', type: 'Present' }] },
  })
  assert.deepEqual(matchWords(match).toSorted(), [
    'match:headers',
    'match:model',
    'match:not',
    'match:text',
    'match:tools',
  ])
  assert.deepEqual(matchWords(compileMatch({ path: { type: 'Prefix', value: '/a' } })), ['match:path'])
})

test('match: sidecars of this build know the word of each condition that there is', () => {
  const words = Object.keys(compiledMatch.properties ?? {}).map((name) => `match:${name}`)
  assert.ok(words.length > 10)
  assert.deepEqual(
    words.filter((word) => !CAPABILITIES.includes(word)),
    [],
  )
})
