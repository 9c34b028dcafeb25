import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { array, choice, integer, map, object, optional, string } from '../core/schema.ts'
import { withoutRepetition } from './repeated.ts'
import { options } from './validators.ts'
import type { Validator } from './validators.ts'

const header = object({ name: string({ maxLength: 5, minLength: 1 }), type: choice(['Exact', 'Prefix']) })
const headers = array(header, { maxItems: 2 })
const tokens = object({
  min: optional(integer({ minimum: 0, maximum: 9 })),
  max: optional(integer({ minimum: 0, maximum: 9 })),
})
const conditions = { headers, tokens: optional(tokens), labels: map(string({ maxLength: 3 }), { maxProperties: 2 }) }
const match = object({ ...conditions, not: optional(object(conditions)) })
const schema = object({ matches: array(match, { maxItems: 3 }), when: optional(match), turns: optional(tokens) })

const good = { headers: [{ name: 'x', type: 'Exact' }], labels: {} }
const bodies: readonly unknown[] = [
  { matches: [] },
  { matches: [good, { ...good, not: good }], when: good, turns: { min: 1 } },
  { matches: [{ ...good, headers: [{ name: '', type: 'Exact' }] }] },
  { matches: [good, { ...good, not: { ...good, headers: [{ name: 'x', type: 'Other' }] } }] },
  { matches: [], when: { ...good, tokens: { min: -1 } } },
  { matches: [], when: { ...good, not: { ...good, tokens: { max: '1' } } } },
  { matches: [], turns: { max: 10 } },
  { matches: [{ ...good, labels: { a: 'long' } }] },
  { matches: [{ headers: [] }] },
  { matches: [good, good, good, good] },
  { matches: 7 },
  {},
]

test('repeated: a schema says the same of everything with what is repeated and without', () => {
  const short = withoutRepetition(schema)
  const plain: Validator = new Ajv(options).compile(schema)
  const shared: Validator = new Ajv(options).compile(short)
  for (const body of bodies) {
    assert.equal(shared(body), plain(body), JSON.stringify(body))
    const said = ({ errors }: Validator) => errors?.map(({ instancePath, message }) => `${instancePath} ${message}`)
    assert.deepEqual(said(shared), said(plain))
  }
  assert.equal(bodies.filter((body) => plain(body)).length, 2)
})

test('repeated: what stands in several places stands there once', () => {
  const text = JSON.stringify(withoutRepetition(schema))
  assert.equal(text.split('"Prefix"').length, 2)
  assert.equal(text.split('"min"').length, 2)
  assert.equal(JSON.stringify(schema).split('"Prefix"').length, 5)
})
