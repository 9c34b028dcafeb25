import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { upstream } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { LABELS, selector } from './selectors.ts'
import { at, chat, sidecar } from './setting.ts'

/** Whether a caller in namespace `other` is answered by an endpoint of namespace `ai` with such policies and a credential of its own. */
async function shared(t: TestContext, policies: object): Promise<boolean> {
  const mock = await upstream(t)
  const { ask } = await sidecar(t, {
    endpoints: { e: at(mock.url, { credentials: { type: 'Secret', secret: { name: 'key' } }, ...policies }) },
    routes: { 'other/chat': chat([{ endpoint: { name: 'e', namespace: 'ai' } }]) },
    secrets: { key: { 'api-key': 'secret' } },
    namespaces: { other: LABELS },
    me: { namespace: 'other' },
  })
  return (await ask()).status === 200
}

const open = { namespaces: { from: 'All' } }
const to = (selector: object) => ({ namespaces: { from: 'Selector', selector } })

export const sharing: Coverage = {
  'ModelEndpoint spec.allowedRoutes.namespaces.from': async (t) => {
    assert.equal(await shared(t, { allowCredentialUse: open, allowedRoutes: open }), true)
    assert.equal(await shared(t, { allowCredentialUse: open }), false)
  },
  ...selector('ModelEndpoint spec.allowedRoutes.namespaces.selector', (t, selector) =>
    shared(t, { allowCredentialUse: open, allowedRoutes: to(selector) }),
  ),
  'ModelEndpoint spec.allowCredentialUse.namespaces.from': async (t) => {
    assert.equal(await shared(t, { allowedRoutes: open, allowCredentialUse: open }), true)
    assert.equal(await shared(t, { allowedRoutes: open }), false)
  },
  ...selector('ModelEndpoint spec.allowCredentialUse.namespaces.selector', (t, selector) =>
    shared(t, { allowedRoutes: open, allowCredentialUse: to(selector) }),
  ),
}
