import assert from 'node:assert/strict'
import test from 'node:test'
import { fromOpenApi, toOpenApi } from './schema.ts'

const cases: readonly (readonly [about: string, from: object, to: object, lost?: readonly string[]])[] = [
  ['plain types stay', { type: 'string', minLength: 1 }, { type: 'string', minLength: 1 }],
  ['null is a flag', { type: ['string', 'null'] }, { nullable: true, type: 'string' }],
  ['null alone is a flag alone', { type: 'null' }, { nullable: true }],
  [
    'several types are alternatives',
    { type: ['string', 'integer'] },
    { anyOf: [{ type: 'string' }, { type: 'integer' }] },
  ],
  [
    'alternatives with null are the other, and a flag',
    { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }] },
    { nullable: true, type: 'integer', minimum: 1 },
  ],
  [
    'oneOf is anyOf',
    { oneOf: [{ type: 'string' }, { type: 'integer' }] },
    { anyOf: [{ type: 'string' }, { type: 'integer' }] },
  ],
  [
    'allOf is all of them together',
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
        { properties: { b: { type: 'string' } }, required: ['b'] },
      ],
    },
    { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a', 'b'] },
  ],
  ['a constant is a list of one', { const: 'a' }, { type: 'string', enum: ['a'] }],
  ['a list of words with null', { enum: ['a', null] }, { nullable: true, type: 'string', enum: ['a'] }],
  ['a list of numbers cannot be said', { type: 'integer', enum: [1, 2] }, { type: 'integer' }, ['enum']],
  [
    'a reference is followed, with what stands beside it',
    { $defs: { 'a/b': { type: 'string' } }, properties: { x: { $ref: '#/$defs/a~1b', description: 'd' } } },
    { properties: { x: { type: 'string', description: 'd' } } },
  ],
  ['a reference to nowhere is any object', { $ref: '#/$defs/none' }, { type: 'object' }, ['$ref']],
  ['a reference elsewhere is any object', { $ref: 'https://example.com/s.json' }, { type: 'object' }, ['$ref']],
  [
    'what has no word is told',
    { type: 'string', contentEncoding: 'base64', format: 'uri' },
    { type: 'string' },
    ['contentEncoding', 'format'],
  ],
  [
    'a map cannot be said',
    { type: 'object', additionalProperties: { type: 'string' } },
    { type: 'object' },
    ['additionalProperties'],
  ],
  ['a closed object is the rule', { type: 'object', additionalProperties: false }, { type: 'object' }],
]

for (const [about, from, to, lost = []] of cases)
  test(`schema: ${about}`, () => {
    const told = new Set<string>()
    assert.deepEqual(toOpenApi({ ...from }, told), to)
    assert.deepEqual([...told].sort(), [...lost].sort())
  })

test('schema: what names itself in many places ends soon', () => {
  const names = Array.from({ length: 20 }, (_, i) => `p${i}`)
  const node = { type: 'object', properties: Object.fromEntries(names.map((name) => [name, { $ref: '#/$defs/node' }])) }
  const lost = new Set<string>()
  const text = JSON.stringify(toOpenApi({ $defs: { node }, $ref: '#/$defs/node' }, lost))
  assert.ok(text.length < 1_000_000)
  assert.ok(lost.has('$ref'))
})

const back: readonly (readonly [about: string, from: object, to: object])[] = [
  ['types are in lower case', { type: 'STRING', format: 'enum', enum: ['a'] }, { type: 'string', enum: ['a'] }],
  ['a flag is null', { type: 'INTEGER', nullable: true }, { type: ['integer', 'null'] }],
  [
    'a flag is null among words too',
    { type: 'STRING', enum: ['a'], nullable: true },
    { type: ['string', 'null'], enum: ['a', null] },
  ],
  [
    'numbers that came as text are numbers',
    { type: 'ARRAY', max_items: '3', items: { type: 'NUMBER' } },
    { type: 'array', maxItems: 3, items: { type: 'number' } },
  ],
  [
    'names of properties are the caller’s',
    { type: 'OBJECT', properties: { some_name: { type: 'STRING' } }, propertyOrdering: ['some_name'] },
    { type: 'object', properties: { some_name: { type: 'string' } } },
  ],
  ['an example is one of several', { type: 'STRING', example: 'a' }, { type: 'string', examples: ['a'] }],
]

for (const [about, from, to] of back) test(`schema back: ${about}`, () => assert.deepEqual(fromOpenApi(from), to))
