import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { upstream } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { chat, sidecar, to } from './setting.ts'

const asked = { path: '/v1/messages', fields: { max_tokens: 10 } }

/** What a simulated Anthropic gets of a chat in OpenAI's dialect, and of one in its own, with such settings. */
async function headersOf(t: TestContext, settings: object | undefined, headers: Readonly<Record<string, string>> = {}) {
  const mock = await upstream(t, { provider: 'anthropic' })
  const provider = { type: 'Anthropic', ...(settings ? { anthropic: settings } : {}) }
  const endpoint = { provider, address: { type: 'URL', url: mock.url }, models: [{ name: 'm' }] }
  const { ask } = await sidecar(t, { endpoints: { e: endpoint }, routes: { chat: chat([to('e')]) } })
  assert.equal((await ask()).status, 200)
  assert.equal((await ask({ ...asked, headers })).status, 200)
  return mock.requests().map(({ headers: got }) => [got['anthropic-version'], got['anthropic-beta']])
}

export const anthropic: Coverage = {
  'ModelEndpoint spec.provider.anthropic.version': async (t) => {
    assert.deepEqual(await headersOf(t, undefined), [
      ['2023-06-01', undefined],
      ['2023-06-01', undefined],
    ])
    const version = '2026-10-21'
    assert.deepEqual(await headersOf(t, { version }), [
      [version, undefined],
      [version, undefined],
    ])
    // A request in Anthropic's own words is of the version that its caller names.
    const [, own] = await headersOf(t, { version }, { 'anthropic-version': '2023-06-01' })
    assert.deepEqual(own, ['2023-06-01', undefined])
  },

  'ModelEndpoint spec.provider.anthropic.beta[]': async (t) => {
    const [said, passed] = await headersOf(t, { beta: ['one', 'two'] }, { 'anthropic-beta': 'three' })
    assert.deepEqual(said, ['2023-06-01', 'one,two'])
    assert.deepEqual(String(passed?.[1]).split(/,\s*/).toSorted(), ['one', 'three', 'two'])
  },
}
