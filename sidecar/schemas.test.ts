import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemas } from './schemas.ts'

const fits = async (schema: Readonly<Record<string, unknown>>, value: unknown) => (await schemas(schema))?.(value)

test('schemas: a value holds, or does not', async () => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer' } },
    required: ['n'],
    additionalProperties: false,
  }
  assert.equal(await fits(schema, { n: 1 }), true)
  assert.equal(await fits(schema, { n: 'one' }), false)
  assert.equal(await fits(schema, {}), false)
  assert.equal(await fits(schema, { n: 1, m: 2 }), false)
  const list = { $defs: { n: { type: 'object', properties: { next: { $ref: '#/$defs/n' } } } }, $ref: '#/$defs/n' }
  assert.equal(await fits(list, { next: { next: { next: {} } } }), true)
  assert.equal(await fits(list, { next: { next: 1 } }), false)
  const named = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://example.com/s',
    type: 'string',
  }
  for (let i = 0; i < 2; i++) assert.equal(await fits({ ...named, title: `${i}` }, 'a'), true, 'ids may come again')
})

test('schemas: what cannot be read checks nothing', async () => {
  const large = { enum: Array.from({ length: 10_000 }, (_, i) => `word${i}`) }
  const properties = { a: { anyOf: [{ type: 'text' }] } }
  for (const schema of [{ type: 'nonsense' }, { type: ['string', 7] }, { properties }, large])
    assert.equal(await schemas(schema), undefined, JSON.stringify(schema).slice(0, 60))
  for (const schema of [{ $ref: 'https://example.com/elsewhere' }, { $ref: '#/$defs/none' }, { pattern: '(' }])
    assert.equal(await fits(schema, 'a'), true, JSON.stringify(schema))
  assert.notEqual(await fits({ allOf: 7 }, 'a'), false)
})

test('schemas: nullable, as OpenAPI has it, lets null in, and the caller’s own schema stays as it is', async () => {
  const schema = { properties: { a: { type: 'string', nullable: true }, b: { $ref: '#/properties/a' } } }
  const before = structuredClone(schema)
  assert.equal(await fits(schema, { a: null, b: null }), true)
  assert.equal(await fits(schema, { a: 1 }), false)
  assert.deepEqual(schema, before)
})

test('schemas: what a caller sends does not hold up the others', async () => {
  const fields = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`p${i}`, { type: 'string' }]))
  const twice = (name: string) => ({ allOf: [{ $ref: `#/$defs/${name}` }, { $ref: `#/$defs/${name}` }] })
  const doubling = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i}`, i < 39 ? twice(`d${i + 1}`) : {}]))
  const hostile = [
    [
      {
        $defs: { fields: { properties: fields } },
        anyOf: Array.from({ length: 200 }, () => ({ $ref: '#/$defs/fields' })),
      },
      {},
    ],
    [{ $defs: doubling, $ref: '#/$defs/d0' }, 1],
    [{ type: 'string', pattern: `(?:${'a'.repeat(20_000)}){1000}` }, 'a'],
    [{ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}b`],
    [{ type: 'array', uniqueItems: true }, Array.from({ length: 20_000 }, (_, i) => ({ i }))],
    [{ type: 'string', pattern: '(?=look)ahead' }, 'ahead'],
    [{ oneOf: Array.from({ length: 2000 }, (_, i) => ({ const: i })) }, 1],
    [{ allOf: Array.from({ length: 1500 }, (_, i) => ({ pattern: `(a|b){${i % 900}}` })) }, 'abab'],
    [
      { allOf: Array.from({ length: 1000 }, (_, i) => ({ contains: { const: i } })) },
      Array.from({ length: 5000 }, (_, i) => -i),
    ],
    [Array.from({ length: 3000 }).reduce<Record<string, unknown>>((inner) => ({ not: inner }), {}), 1],
  ] as const
  for (const [schema, value] of hostile) {
    const started = performance.now()
    const check = await schemas(schema)
    check?.(value)
    assert.ok(performance.now() - started < 1000, JSON.stringify(schema).slice(0, 60))
  }
})

test('schemas: one that took too long, or refers to itself without end, holds for all', async () => {
  const twice = { $ref: '#/$defs/twice' }
  const endless = { $defs: { twice: { allOf: [twice] } }, ...twice }
  assert.equal(await fits(endless, 1), true)
  assert.equal(await schemas(endless), undefined, 'it is not tried again')
})

test('schemas: an id in the schema of one caller means nothing to another', async () => {
  assert.equal(await fits({ properties: { a: { $id: 'https://example.com/a', type: 'string' } } }, { a: 1 }), false)
  assert.equal(await fits({ properties: { b: { $id: 'https://example.com/a', type: 'number' } } }, { b: 1 }), true)
  assert.equal(await fits({ properties: { b: { $ref: 'https://example.com/a' } } }, { b: 'any' }), true)
})
