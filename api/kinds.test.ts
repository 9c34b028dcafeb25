import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema } from '../core/schema.ts'
import { checkRules, RuleError, brokenRules } from './cel.ts'
import { crd } from './crd.ts'
import { kinds } from './kinds.ts'

/** Every schema of a kind with its path. */
function* all(schema: Schema, path: string): Generator<[path: string, schema: Schema]> {
  yield [path, schema]
  for (const [name, field] of Object.entries(schema.properties ?? {})) yield* all(field, `${path}.${name}`)
  if (schema.items) yield* all(schema.items, `${path}[]`)
  if (schema.additionalProperties) yield* all(schema.additionalProperties, `${path}{}`)
}

const schemas = kinds.flatMap(({ kind, spec, status }) => [
  ...all(spec, `${kind}.spec`),
  ...all(status, `${kind}.status`),
])

test('schema: every field has a description, which `kubectl explain` and the reference print', () => {
  // What an item is, its list may say.
  const without = schemas.filter(([path, { description }]) => !description && !/(\[\]|\{\})$/.test(path))
  assert.deepEqual(
    without.map(([path]) => path),
    [],
  )
})

test('schema: no field is named by a word that YAML 1.1 takes for a boolean or null, so that none needs quotes', () => {
  const words = /\.(y|n|yes|no|on|off|true|false|null|~)$/i
  assert.deepEqual(
    schemas.map(([path]) => path).filter((path) => words.test(path)),
    [],
  )
})

test('schema: every string, list, map and number has its bounds', () => {
  const unbounded = schemas.filter(([, { type, enum: words, ...it }]) => {
    if (type === 'string') return !words && it.maxLength === undefined
    if (type === 'array') return it.maxItems === undefined
    if (type === 'integer' || type === 'number') return it.minimum === undefined || it.maximum === undefined
    const open = it.additionalProperties ?? it['x-kubernetes-preserve-unknown-fields']
    return type === 'object' && open !== undefined && it.maxProperties === undefined
  })
  assert.deepEqual(
    unbounded.map(([path]) => path),
    [],
  )
})

test('schema: every default keeps the rules of its field', () => {
  const given = schemas.filter(([, schema]) => schema.default !== undefined)
  assert.ok(given.length > 20)
  for (const [path, schema] of given) assert.deepEqual(brokenRules(schema, schema.default, path), [], path)
})

test('cel: every rule compiles, and one that the library cannot evaluate stops the build', () => {
  for (const { spec, status } of kinds) {
    checkRules(spec)
    checkRules(status)
  }
  const holding = (rule: string): Schema => ({ type: 'string', 'x-kubernetes-validations': [{ rule, message: '' }] })
  for (const rule of ['self.format("x")', 'ip(self).isLoopback()', 'self ==', 'size(self)'])
    assert.throws(() => checkRules(holding(rule)), RuleError, rule)
})

test('crd: names, subresource and columns are there for kubectl', () => {
  for (const kind of kinds) {
    const text = JSON.stringify(crd(kind))
    assert.ok(text.includes('"categories":["tradewind"]'))
    assert.ok(text.includes('"subresources":{"status":{}}'))
    assert.ok(text.includes(`"shortNames":["${kind.shortNames[0]}"]`))
    for (const { name } of kind.columns) assert.ok(text.includes(`"name":"${name}"`))
  }
})
