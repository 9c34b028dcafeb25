import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needs } from '../helpers/needs.ts'
import { soak } from '../helpers/soak.ts'

const SEED = 20_261_121

test(
  'soak: edits, kills and faults at random, and no request fails',
  {
    skip: needs('kube-apiserver', 'etcd', 'kubectl'),
    timeout: 290_000,
  },
  async (t) => {
    const { requests, failed, failures, done, memory } = await soak({
      seconds: 180,
      seed: SEED,
      sidecars: 3,
      perSecond: 30,
      did: (what) => t.diagnostic(what),
    })
    t.diagnostic(JSON.stringify({ requests, failed, done, memory }))
    assert.deepEqual(failures, [])
    assert.equal(failed, 0)
    assert.ok(requests > 3000, `${requests} requests`)
    for (const [name, [early, late]] of Object.entries(memory))
      assert.ok(late < 1.25 * early, `${name}: ${early.toFixed(0)} MiB, and ${late.toFixed(0)} MiB in the end`)
  },
)
