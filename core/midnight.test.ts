import assert from 'node:assert/strict'
import test from 'node:test'
import { untilMidnight } from './midnight.ts'

const cases = [
  ['in summer', '2026-06-01T12:00:00-07:00', '2026-06-02T00:00:00-07:00'],
  ['in winter', '2026-12-31T23:59:59.250-08:00', '2027-01-01T00:00:00-08:00'],
  ['at midnight itself', '2026-06-01T00:00:00-07:00', '2026-06-02T00:00:00-07:00'],
  ['as the clock is put forward', '2026-03-08T01:00:00-08:00', '2026-03-09T00:00:00-07:00'],
  ['as the clock is put back', '2026-11-01T00:30:00-07:00', '2026-11-02T00:00:00-08:00'],
] as const

for (const [when, from, to] of cases)
  test(`midnight: ${when}`, () =>
    assert.equal(untilMidnight(Date.parse(from), 'America/Los_Angeles'), Date.parse(to) - Date.parse(from)))
