import assert from 'node:assert/strict'
import test from 'node:test'
import { fits } from './schema-fit.ts'

const closed = (properties: object, more: object = {}) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required: Object.keys(properties),
  ...more,
})

const cases: [about: string, schema: Readonly<Record<string, unknown>>, fits: boolean][] = [
  ['a closed object', closed({ a: { type: 'string' }, b: { type: ['integer', 'null'] } }), true],
  ['an object that is open', { type: 'object', properties: { a: { type: 'string' } } }, false],
  ['a map', { type: 'object', additionalProperties: { type: 'string' } }, false],
  ['a list of closed objects', { type: 'array', items: closed({ a: { enum: ['x', 1, null] } }), minItems: 1 }, true],
  ['a list with a bound', { type: 'array', items: { type: 'string' }, maxItems: 3 }, false],
  ['a number with a bound', closed({ a: { type: 'integer', minimum: 1 } }), false],
  ['an enum of objects', closed({ a: { enum: [{ b: 1 }] } }), false],
  ['a format that is known', closed({ a: { type: 'string', format: 'date-time' } }), true],
  ['a format that is not', closed({ a: { type: 'string', format: 'phone' } }), false],
  ['a choice', closed({ a: { anyOf: [{ type: 'string' }, closed({ b: { const: 1 } })] } }), true],
  ['a definition', closed({ a: { $ref: '#/$defs/b' } }, { $defs: { b: closed({ c: { type: 'string' } }) } }), true],
  ['a definition that is not there', closed({ a: { $ref: '#/$defs/b' } }), false],
  ['a definition elsewhere', closed({ a: { $ref: 'https://example.com/b' } }), false],
  [
    'a definition that contains itself',
    closed({ a: { $ref: '#/$defs/b' } }, { $defs: { b: closed({ c: { $ref: '#/$defs/b' } }) } }),
    false,
  ],
  ['a word that is not known', closed({ a: { type: 'string', if: {} } }), false],
]

for (const [about, schema, expected] of cases)
  test(`schema: ${about} ${expected ? 'fits' : 'does not fit'}`, () => assert.equal(fits(schema), expected))
