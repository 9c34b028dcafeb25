import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { rolloutOf, serve } from '../helpers/canaries.ts'
import { eventually } from '../helpers/eventually.ts'
import { halfOf, killLeaders, killModels } from '../helpers/kills.ts'
import { type FleetLab, startFleetLab } from '../helpers/lab.ts'
import { load } from '../helpers/load.ts'
import { needs } from '../helpers/needs.ts'

describe('the leader is killed while canaries move', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  let lab: FleetLab
  before(
    async () => {
      lab = await startFleetLab({ operators: 2, sidecars: 3, models: killModels })
    },
    { timeout: 120_000 },
  )
  after(() => lab?.stop())

  test('what was counted is what was sent, however often the leader is killed', async () => {
    const name = 'exact'
    await lab.apply(halfOf(name))
    const urls = lab.sidecars.map(({ url }) => url)
    await serve(urls, [name])
    await eventually(async () => assert.deepEqual([(await rolloutOf(lab, { name })).weight], [50]), { within: 30_000 })
    await eventually(async () => assert.equal((await rolloutOf(lab, { name })).waiting, 0), { within: 30_000 })
    const over = new AbortController()
    const loaded = load({ urls, model: name, perSecond: 60, signal: over.signal })
    for (let i = 0; i < 3; i++) {
      await sleep(1000 + 700 * i)
      await lab.killLeader()
      await eventually(async () => assert.ok(await lab.leader()), { within: 20_000 })
    }
    over.abort()
    const { requests, failures } = await loaded
    assert.deepEqual(failures, [])
    await eventually(
      async () => {
        const { samples } = await rolloutOf(lab, { name })
        assert.equal(samples.canary + samples.stable, requests)
      },
      { within: 30_000, every: 200 },
    )
  })

  test('each rollout ends as it would have, and no step is left out', async (t) => {
    const { kills, other, skipped, requests, failures } = await killLeaders(lab, {
      rounds: 3,
      width: 6,
      seed: 1,
      perSecond: 200,
    })
    t.diagnostic(`${kills} kills, ${requests} requests`)
    assert.deepEqual([other, skipped, failures], [[], [], []])
  })
})
