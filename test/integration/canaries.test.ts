import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { canaryEndpoints, canaryModels, cases, rollOut } from '../helpers/canaries.ts'
import { type FleetLab, startFleetLab } from '../helpers/lab.ts'
import { needs } from '../helpers/needs.ts'

const SIDECARS = 20

describe('canaries over 20 sidecars', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  let lab: FleetLab
  before(
    async () => {
      lab = await startFleetLab({
        operators: 2,
        sidecars: SIDECARS,
        models: canaryModels,
        endpoints: canaryEndpoints,
      })
    },
    { timeout: 180_000 },
  )
  after(() => lab?.stop())

  for (const it of cases)
    test(`${it.about}: ${it.outcome}, and no request fails`, async (t) => {
      const run = await rollOut(lab, it, 150, 150_000)
      const { rollout, seconds, back, requests, canary } = run
      t.diagnostic(
        `${it.outcome} after ${seconds.toFixed(1)} s, ${requests} requests, ${canary} of them the canary’s, ${rollout.harmed} harmed; back in ${back.toFixed(0)} ms. ${rollout.message}`,
      )
      assert.deepEqual(run.failures, [])
      assert.equal(rollout.phase, it.outcome, rollout.message)
      if (it.outcome === 'RolledBack') {
        assert.equal(rollout.reason, 'GuardrailBroken')
        assert.equal(rollout.weight, 0)
        assert.equal(run.after, 0)
      }
    })
})
