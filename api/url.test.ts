import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isForbidden } from '../sidecar/forbidden.ts'
import { urls } from '../test/helpers/urls.ts'
import { parse } from './parse.ts'

const accepted = (url: string): boolean =>
  parse({
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelEndpoint',
    metadata: { name: 'e' },
    spec: { provider: { type: 'OpenAI' }, models: [{ name: 'm' }], address: { type: 'URL', url }, proxy: { url } },
  }).ok

test('url: what the rules admit is a URL for the sidecar too, and in no notation a forbidden address', () => {
  let admitted = 0
  fc.assert(
    fc.property(urls, (text) => {
      if (!accepted(text)) return
      admitted++
      assert.ok(URL.canParse(text), 'it is a URL')
      const { protocol, hostname, username, password, search, hash } = new URL(text)
      assert.match(protocol, /^https?:$/)
      assert.deepEqual([username, password, search, hash], ['', '', '', ''])
      const bare = hostname.replace(/^\[|\]$/g, '')
      assert.ok(!isForbidden(bare), `${bare} is forbidden`)
      assert.doesNotMatch(bare, /^metadata\.(google\.internal|goog)\.?$/)
    }),
    { numRuns: 10_000 },
  )
  assert.ok(admitted > 500, `${admitted} admitted`)
})
