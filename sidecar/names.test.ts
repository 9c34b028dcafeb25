import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { counted, measured } from './families.ts'
import { ATTRIBUTE, LABEL, METRIC } from './names.ts'

const page = readFileSync(join(import.meta.dirname, '../docs/observability.md'), 'utf8')

test('names: every metric has its family, and every family its type and help', () => {
  const families = [...counted, ...measured]
  assert.deepEqual(families.map(({ name }) => name).sort(), Object.values(METRIC).sort())
  for (const { name, type, help } of families) {
    assert.match(help, /^[A-Z1].*\.$/, name)
    assert.equal(name.endsWith('_total'), type === 'counter', name)
  }
})

test('names: the page that describes them has each metric, and none that is not there', () => {
  const described = new Set(
    page.match(
      /\b(?:tradewind|gen_ai)_(?:client|server|[a-z]+)_[a-z_]*(?:seconds|usage|total|state|addresses|in_flight|info|connected|generation|ratio|threshold|evidence|index|active)\b/g,
    ),
  )
  assert.deepEqual([...described].sort(), Object.values(METRIC).sort())
  for (const label of Object.values(LABEL)) assert.ok(page.includes(`\`${label}\``), label)
})

test('names: each is written once', () => {
  for (const names of [METRIC, LABEL, ATTRIBUTE]) {
    const values: readonly string[] = Object.values(names)
    assert.equal(new Set(values).size, values.length)
  }
})
