import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinQuery } from './query.ts'

const cases: [about: string, path: string, query: string, joined: string][] = [
  ['without a query the path stays', '/chat', '', '/chat'],
  ['a query goes on as it came', '/chat', '?a=1&b=%20', '/chat?a=1&b=%20'],
  ['the provider’s own parameter wins', '/chat?api-version=2', '?api-version=1&x=y', '/chat?api-version=2&x=y'],
  ['a key goes nowhere', '/m:generate', '?key=secret', '/m:generate'],
  ['nor one that is written otherwise', '/m:generate', '?%6bey=secret&alt=sse', '/m:generate?alt=sse'],
]

for (const [about, path, query, joined] of cases)
  test(`query: ${about}`, () => assert.equal(joinQuery(path, query), joined))
