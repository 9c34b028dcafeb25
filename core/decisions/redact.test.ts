import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redacted } from './redact.ts'

const cases: readonly (readonly [string, string])[] = [
  ['Mail ann.smith+x@mail.example.org, please', 'Mail [redacted], please'],
  ['my key is sk-proj-abcDEF0123456789abcdef', 'my key is [redacted]'],
  ['ghp_0123456789abcdefghijABCDEFGHIJ and AKIAIOSFODNN7EXAMPLE', '[redacted] and [redacted]'],
  ['Authorization: Bearer abc.def-ghi_jklmnop', 'Authorization: [redacted]'],
  ['password: hunter22!', '[redacted]'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-DEF', '[redacted]'],
  ['card 4111 1111 1111 1111, exp 12/30', 'card [redacted], exp 12/30'],
  ['order 4111 1111 1111 1112', 'order 4111 1111 1111 1112'],
  ['call +49 (30) 1234-5678 now', 'call [redacted] now'],
  ['IBAN DE89 3704 0044 0532 0130 00.', 'IBAN [redacted].'],
  ['SSN 078-05-1120', 'SSN [redacted]'],
  ['-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- done', '[redacted] done'],
  ['What is 12 + 30, and 2026-11-21?', 'What is 12 + 30, and 2026-11-21?'],
  ['function sum(a, b) { return a + b }', 'function sum(a, b) { return a + b }'],
]

for (const [text, safe] of cases)
  test(`redact: ${JSON.stringify(text.slice(0, 40))}`, () => assert.equal(redacted(text, []), safe))

test('redact: a route’s own come first', () => {
  const own = [(text: string) => text.replaceAll('Zebra', '[redacted]')]
  assert.equal(redacted('Project Zebra of bob@example.org', own), 'Project [redacted] of [redacted]')
})

test('redact: what nobody wrote for people takes no longer than its length', () => {
  for (const text of [
    'a'.repeat(100_000),
    '1 '.repeat(50_000),
    'a@'.repeat(50_000),
    '+1'.repeat(50_000),
    '-'.repeat(100_000),
  ])
    assert.equal(typeof redacted(text, []), 'string')
})
