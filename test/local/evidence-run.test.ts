import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstreams } from '../helpers/upstream.ts'
import { run } from './running.ts'

interface Page {
  readonly rules: readonly {
    readonly version: string
    readonly heard: boolean
    readonly arms: readonly { readonly arm: string; readonly requests: number; readonly p95Ms: number | null }[]
  }[]
}

test('evidence: a rollout has its requests counted, from the data path to the engine, and the admin port shows them', async (t) => {
  const [stable, canary] = await upstreams(t, {}, {})
  const directory = scratch('evidence')
  t.after(() => rmSync(directory, { recursive: true }))
  const endpoint = (name: string, url: string) => ({
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelEndpoint',
    metadata: { name },
    spec: {
      provider: { type: 'OpenAICompatible' },
      address: { type: 'URL', url: `${url}/v1` },
      models: [{ name: 'm' }],
    },
  })
  const targets = ['stable', 'canary'].map((name) => ({ endpoint: { name }, weight: 1 }))
  const rollout = { canary: { name: 'canary' }, steps: [{ weight: 50 }, { weight: 100 }], dwell: '1h' }
  const route = {
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name: 'chat' },
    spec: { models: ['chat'], rules: [{ targets, rollout }] },
  }
  for (const [name, object] of Object.entries({
    route,
    stable: endpoint('stable', stable.url),
    canary: endpoint('canary', canary.url),
  }))
    writeFileSync(join(directory, `${name}.yaml`), JSON.stringify(object))
  const { url, admin } = await run(t, directory)
  const page = async () => (await (await fetch(`${admin}/evidence`)).json()) as Page
  await eventually(async () => assert.equal((await page()).rules.length, 1), { within: 20_000 })

  const body = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }] })
  for (let i = 0; i < 20; i++) {
    const headers = { 'content-type': 'application/json', 'x-request-id': `r${i}` }
    await (await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })).text()
  }
  const said = await fetch(`${url}/v1/feedback`, { method: 'POST', body: '{"request_id": "r7", "rating": "good"}' })
  assert.equal(((await said.json()) as { counted?: boolean }).counted, true)
  await eventually(
    async () => {
      const [rule] = (await page()).rules
      assert.equal(rule?.heard, true)
      assert.equal(
        rule.arms.reduce((sum, { requests }) => sum + requests, 0),
        20,
      )
      assert.deepEqual(
        rule.arms.map(({ arm }) => arm).toSorted((a, b) => (a < b ? -1 : 1)),
        ['default/canary m', 'default/stable m'],
      )
      for (const { p95Ms } of rule.arms) assert.ok((p95Ms ?? 0) > 0)
    },
    { within: 10_000 },
  )
  await eventually(async () => {
    const { rollouts } = (await (await fetch(`${admin}/v1/rollouts`)).json()) as {
      rollouts: readonly { samples: { canary: number; stable: number } }[]
    }
    assert.equal((rollouts[0]?.samples.canary ?? 0) + (rollouts[0]?.samples.stable ?? 0), 20)
  })
})
