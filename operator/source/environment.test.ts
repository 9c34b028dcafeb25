import assert from 'node:assert/strict'
import test from 'node:test'
import { substitute } from './environment.ts'

const environment = { KEY: 'sesame', EMPTY: '', REF: '${KEY}' }
const cases: readonly [text: string, value: string][] = [
  ['plain $KEY', 'plain $KEY'],
  ['${KEY}', 'sesame'],
  ['a${KEY}b${KEY}', 'asesamebsesame'],
  ['$${KEY}', '${KEY}'],
  ['$$${KEY}', '$${KEY}'],
  // What a variable holds is not looked at again.
  ['${REF}', '${KEY}'],
  ['${', '${'],
]
for (const [text, value] of cases)
  test(`environment: ${text}`, () => assert.deepEqual(substitute(text, 'x', environment), { value, problems: [] }))

for (const [text, message] of [
  ['${NOPE}', /^The environment variable NOPE is not set/],
  ['${EMPTY}', /^The environment variable EMPTY is not set/],
  ['${KEY }', /does not name an environment variable/],
] as const)
  test(`environment: ${text} is a problem`, () => {
    const { problems } = substitute(`sesame ${text}`, 'stringData.key', environment)
    assert.equal(problems.length, 1)
    assert.equal(problems[0]?.path, 'stringData.key')
    assert.match(problems[0]?.message ?? '', message)
    assert.doesNotMatch(problems[0]?.message ?? '', /sesame/)
  })
