import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NONE, ago, count, counted, evidence, milliseconds, perSecond, percent, signed, span, usd } from './format.js'

const cases: readonly (readonly [string, string])[] = [
  [count(1234567), '1,234,567'],
  [perSecond(0), '0'],
  [perSecond(0.2), '0.2'],
  [perSecond(48.27), '48.3'],
  [perSecond(1234.5), '1,235'],
  [percent(0.9), '90 %'],
  [percent(0.0014), '0.14 %'],
  [percent(1 / 3), '33.3 %'],
  [percent(0), '0 %'],
  [milliseconds(4.26), '4.3 ms'],
  [milliseconds(923.4), '923 ms'],
  [milliseconds(1234), '1.23 s'],
  [milliseconds(123_400), '123 s'],
  [usd(0), '$0'],
  [usd(0.00131), '$0.0013'],
  [usd(12.3), '$12.30'],
  [usd(12_345.6), '$12,346'],
  [ago(900), 'now'],
  [ago(12_400), '12 s ago'],
  [ago(600_000), '10 min ago'],
  [span(85_000), '1 min 25 s'],
  [span(3_700_000), '1 h 1 min'],
  [span(200_000_000), '2 d 7 h'],
  [signed(1.23456), '+1.23'],
  [signed(-0.046), '-0.046'],
  [evidence(3.16228), '3.16'],
  [evidence(8100), '8.1e3'],
  [evidence(0.0021), '2.1e-3'],
  [evidence(Number.POSITIVE_INFINITY), '∞'],
  [counted(1, 'route'), '1 route'],
  [counted(1000, 'route'), '1,000 routes'],
  ...[perSecond, percent, milliseconds, usd].map((format) => [format(null), NONE] as const),
]

for (const [shown, expected] of cases)
  test(`format: ${expected}`, () => {
    assert.equal(shown, expected)
  })
