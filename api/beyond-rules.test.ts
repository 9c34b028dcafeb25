import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from './parse.ts'
import { API_VERSION } from './resource.ts'

const problems = (spec: object, rules: boolean) => {
  const targets = [{ endpoint: { name: 'e' } }]
  const whole = { models: ['m'], rules: [{ targets }], ...spec }
  const parsed = parse({ apiVersion: API_VERSION, kind: 'ModelRoute', metadata: { name: 'r' }, spec: whole }, { rules })
  return parsed.ok ? [] : parsed.problems.map(({ path }) => path)
}
const targets = [{ endpoint: { name: 'e' } }]
const bad: readonly (readonly [spec: object, path: string])[] = [
  [{ tasks: [{ name: 'a', patterns: ['b', '(c'] }] }, 'spec.tasks[0].patterns[1]'],
  [{ rules: [{ targets, matches: [{ text: { pattern: '(?=a)' } }] }] }, 'spec.rules[0].matches[0].text.pattern'],
  [{ rules: [{ targets, matches: [{ text: { pattern: '.{900}' } }] }] }, 'spec.rules[0].matches[0].text.pattern'],
  [
    { rules: [{ targets, matches: [{ not: { text: { pattern: '\\1' } } }] }] },
    'spec.rules[0].matches[0].not.text.pattern',
  ],
  [
    { rules: [{ targets, matches: [{ schedule: { timeZone: 'Mars' } }] }] },
    'spec.rules[0].matches[0].schedule.timeZone',
  ],
  [
    { rules: [{ targets, adjust: [{ when: { schedule: { timeZone: 'Mars' } }, minRank: 1 }] }] },
    'spec.rules[0].adjust[0].when.schedule.timeZone',
  ],
]

for (const [spec, path] of bad)
  test(`beyond rules: ${path} is found, once, whether the rules are evaluated here or the API server has done so`, () => {
    assert.deepEqual(problems(spec, true), [path])
    assert.deepEqual(problems(spec, false), [path])
  })

test('beyond rules: patterns that only RE2 takes are good', () => {
  for (const pattern of ['(?i)a', '(?-i)A', '\\pL+', '[[:alpha:]]', '\\Qa.b\\E', '(?P<name>a)', '\\p{Greek}'])
    assert.deepEqual(problems({ tasks: [{ name: 'a', patterns: [pattern] }] }, true), [])
})
