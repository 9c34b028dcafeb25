import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Match } from '../target.ts'
import { compileMatches } from './index.ts'

const asked = (model: string, path = '/v1/chat/completions', headers: Record<string, string> = {}) => ({
  model,
  path,
  wall: 0,
  signals: undefined,
  header: (name: string) => headers[name],
})
const match = (part: Partial<Match>): Match => ({ headers: [], ...part })

const cases: [name: string, matches: Match[], asked: ReturnType<typeof asked>, expected: boolean][] = [
  ['no matches match all', [], asked('a'), true],
  ['the model as it is', [match({ model: { value: 'a', prefix: false } })], asked('a'), true],
  ['another model', [match({ model: { value: 'a', prefix: false } })], asked('ab'), false],
  ['the beginning of a model', [match({ model: { value: 'gpt-', prefix: true } })], asked('gpt-4o'), true],
  ['another beginning', [match({ model: { value: 'gpt-', prefix: true } })], asked('o1'), false],
  ['an exact path', [match({ path: { type: 'Exact', value: '/a' } })], asked('', '/a'), true],
  ['an exact path takes nothing below it', [match({ path: { type: 'Exact', value: '/a' } })], asked('', '/a/b'), false],
  ['a prefix itself', [match({ path: { type: 'Prefix', value: '/v2' } })], asked('', '/v2'), true],
  ['below a prefix', [match({ path: { type: 'Prefix', value: '/v2' } })], asked('', '/v2/models'), true],
  ['a prefix is of whole elements', [match({ path: { type: 'Prefix', value: '/v2' } })], asked('', '/v20'), false],
  ['a prefix with a slash at its end', [match({ path: { type: 'Prefix', value: '/v2/' } })], asked('', '/v2'), true],
  ['the root is a prefix of all', [match({ path: { type: 'Prefix', value: '/' } })], asked('', '/x'), true],
  [
    'a header as it is',
    [match({ headers: [{ name: 'x-tier', type: 'Exact', value: 'gold' }] })],
    asked('a', '/', { 'x-tier': 'gold' }),
    true,
  ],
  [
    'another value',
    [match({ headers: [{ name: 'x-tier', type: 'Exact', value: 'gold' }] })],
    asked('a', '/', { 'x-tier': 'golden' }),
    false,
  ],
  [
    'the beginning of a value',
    [match({ headers: [{ name: 'x-tier', type: 'Prefix', value: 'gold' }] })],
    asked('a', '/', { 'x-tier': 'golden' }),
    true,
  ],
  [
    'a header that is there',
    [match({ headers: [{ name: 'x-tier', type: 'Present', value: '' }] })],
    asked('a', '/', { 'x-tier': '' }),
    true,
  ],
  [
    'a header that is not there',
    [match({ headers: [{ name: 'x-tier', type: 'Present', value: '' }] })],
    asked('a'),
    false,
  ],
  [
    'conditions are all asked for',
    [
      match({
        model: { value: 'a', prefix: false },
        headers: [{ name: 'x', type: 'Present', value: '' }],
      }),
    ],
    asked('a'),
    false,
  ],
  [
    'one match of several is enough',
    [match({ model: { value: 'b', prefix: false } }), match({ model: { value: 'a', prefix: false } })],
    asked('a'),
    true,
  ],
]

for (const [name, matches, request, expected] of cases)
  test(`match: ${name}`, () => assert.equal(compileMatches(matches)(request), expected))
