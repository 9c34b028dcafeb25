import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { useApiServer } from '../helpers/envtest.ts'
import { needs } from '../helpers/needs.ts'
import { apply, connectSidecar, endpoint, prepare, route, runningPod, startOperator } from '../helpers/operators.ts'
import type { OperatorProcess, SidecarClient } from '../helpers/operators.ts'
import { accessible } from './accessible.ts'
import { startBrowser } from './browser.ts'
import { open } from './open.ts'

/** Who may see, and who may promote too; each in one namespace. */
const PEOPLE = {
  nobody: [],
  viewer: [
    { apiGroups: ['tradewind.dev'], resources: ['sidecars'], verbs: ['list'] },
    { apiGroups: ['tradewind.dev'], resources: ['rollouts'], verbs: ['list', 'watch'] },
  ],
  half: [{ apiGroups: ['tradewind.dev'], resources: ['sidecars'], verbs: ['list'] }],
}

describe('the dashboard of a cluster', { skip: needs('chromium', 'kube-apiserver', 'etcd', 'kubectl') }, () => {
  const server = useApiServer()
  const replicas: OperatorProcess[] = []
  let sidecar: SidecarClient
  let browser: Browser
  let stopBrowser: () => Promise<void>

  const targets = (weight: number) => [
    { endpoint: { name: 'models' }, weight },
    { endpoint: { name: 'others' }, weight: 100 - weight },
  ]
  const plain = (weight: number) => route('ai', 'plain', { models: ['plain'], rules: [{ targets: targets(weight) }] })
  const chat = route('ai', 'chat', {
    models: ['chat'],
    rules: [{ name: 'all', targets: targets(50), rollout: { canary: { name: 'others' } } }],
  })

  before(async () => {
    await prepare(server())
    await server().namespace('ai')
    await apply(server(), endpoint('ai', 'models'), endpoint('ai', 'others'), chat, plain(60))
    for (const [name, rules] of Object.entries(PEOPLE)) {
      await server().kubectl(['create', 'serviceaccount', name, '-n', 'ai'])
      const metadata = { name: `dashboard-${name}`, namespace: 'ai' }
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name }
      const subjects = [{ kind: 'ServiceAccount', name, namespace: 'ai' }]
      const apiVersion = 'rbac.authorization.k8s.io/v1'
      await apply(
        server(),
        { apiVersion, kind: 'Role', metadata, rules },
        { apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects },
      )
    }
    for (let i = 0; i < 2; i++) replicas.push(await startOperator(server()))
    await runningPod(server(), 'ai', 'app')
    sidecar = await connectSidecar(server(), replicas[0]?.ports.push ?? 0, 'ai', 'app')
    ;({ browser, stop: stopBrowser } = await startBrowser())
  })
  after(async () => {
    await stopBrowser?.()
    sidecar?.stop()
    await Promise.all(replicas.map((it) => it.stop()))
  })

  const address = (replica: number) => `https://localhost:${replicas[replica]?.ports.push}/`
  async function signIn(page: Page, token: string, namespace = ''): Promise<void> {
    await page.getByLabel('Bearer token').fill(token)
    await page.getByLabel('Namespace', { exact: true }).fill(namespace)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  test('it asks for a token, says which right is missing, and shows what its bearer may see', async (t) => {
    const { page, asked } = await open(t, browser, address(0), { ignoreHTTPSErrors: true })
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await accessible(page, 'sign in')
    await signIn(page, 'not-a-token')
    await page.getByText('The API server does not know the token.').waitFor()
    await signIn(page, await server().token('ai', 'nobody'))
    await page.getByText('You may not list sidecars.tradewind.dev in all namespaces.').waitFor()
    await signIn(page, await server().token('ai', 'viewer'), 'ai')
    await page.getByText('60 % models · 40 % others').waitFor()
    await page.getByRole('row').filter({ hasText: 'plain' }).getByText('1/1').waitFor()
    // An edit of the resource shows.
    const begun = performance.now()
    await apply(server(), plain(55))
    await page.getByText('55 % models · 45 % others').waitFor()
    t.diagnostic(`kubectl apply showed after ${(performance.now() - begun).toFixed(0)} ms`)
    // Nothing of the token is kept but in the tab, nor sent elsewhere or in an address.
    assert.deepEqual(await page.context().cookies(), [])
    assert.equal(await page.evaluate('localStorage.length'), 0)
    assert.deepEqual(
      asked.filter((it) => new URL(it).origin !== new URL(address(0)).origin || it.includes('token=')),
      [],
    )
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Bearer token').waitFor()
    assert.equal(await page.evaluate('sessionStorage.length'), 0)
  })

  test('what may be seen and not be done is said where it is tried; what may be done is done', async (t) => {
    // By the other replica: one of the two does not lead, and passes on.
    const { page } = await open(t, browser, address(1), { ignoreHTTPSErrors: true })
    await signIn(page, await server().token('ai', 'viewer'), 'ai')
    await page.getByRole('link', { name: 'Rollouts' }).click()
    const card = page.getByRole('region', { name: 'ai/chat rule all' })
    const promote = async () => {
      await card.getByRole('button', { name: 'Promote' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Promote' }).click()
    }
    await promote()
    await page.getByText('You may not promote rollouts.tradewind.dev chat in namespace ai.').waitFor()
    const name = 'dashboard-promoter'
    const rules = [{ apiGroups: ['tradewind.dev'], resources: ['rollouts'], verbs: ['promote'] }]
    const apiVersion = 'rbac.authorization.k8s.io/v1'
    const metadata = { name, namespace: 'ai' }
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
    const subjects = [{ kind: 'ServiceAccount', name: 'viewer', namespace: 'ai' }]
    await apply(
      server(),
      { apiVersion, kind: 'Role', metadata, rules },
      { apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects },
    )
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await promote()
    await page.getByText('Promote: done.').waitFor()
    await card.getByText('Promoted', { exact: true }).waitFor()
    await card.getByText('system:serviceaccount:ai:viewer').first().waitFor()
  })

  test('who may see no rollouts sees the rest, and is told what is missing', async (t) => {
    const { page } = await open(t, browser, address(0), { ignoreHTTPSErrors: true })
    await signIn(page, await server().token('ai', 'half'), 'ai')
    await page.getByRole('link', { name: 'ai/chat' }).waitFor()
    await page.getByText('Rollouts are not shown: You may not watch rollouts.tradewind.dev in namespace ai.').waitFor()
  })
})
