import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { Loop } from '../../operator/loop.ts'
import type { Source } from '../../operator/world.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePorts } from '../helpers/ports.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstreams } from '../helpers/upstream.ts'
import { worldOf } from './fleet.ts'
import type { TestWorld } from './fleet.ts'
import { serve } from './operator.ts'
import { startSidecar } from './sidecar.ts'

/** What a sidecar knows of a rule. */
interface Known {
  readonly rewards: number
  readonly carries: number
}

/** An operator on a real port, which takes a pod's token for its name. */
async function operator(t: TestContext, world: TestWorld, port = 0) {
  const source: Source = { start: async () => {}, world: () => world, stop: async () => {} }
  const loop = new Loop(source, { now: () => performance.now(), allowLoopback: true })
  await loop.start()
  return serve(
    t,
    (channel, { authorization = '' }) => {
      const pod = authorization.slice('Bearer '.length)
      loop.push.attach(channel, { namespace: 'ai', pod, uid: `uid-${pod}`, labels: {}, serviceAccount: 'default' })
    },
    { port, ended: () => loop.stop() },
  )
}

test('bandit: sidecars learn together; one that is killed, and an operator that is, count nothing twice and lose nothing that was told', async (t) => {
  const folder = scratch('bandit')
  t.after(() => rmSync(folder, { recursive: true }))
  const [a, b] = await upstreams(t, {}, {})
  const world = worldOf({ a, b })
  const rule = {
    targets: [{ endpoint: { name: 'a' } }, { endpoint: { name: 'b' } }],
    strategy: { type: 'Bandit', bandit: { lambda: '0.5' } },
    // Every answer that is not wanting is a reward of 1.
    gate: { mode: 'Audit' },
  }
  world.put('ModelRoute', 'ai/r', { models: ['chat'], rules: [rule] })
  const first = await operator(t, world)

  const sidecar = async (pod: string) => {
    const [traffic = 0, admin = 0, metrics = 0] = await freePorts(3)
    writeFileSync(join(folder, pod), pod)
    const child = startSidecar(t, {
      ports: [traffic, admin, metrics],
      operator: first.port,
      tokenFile: join(folder, pod),
      log: join(folder, `${pod}.log`),
    })
    const body = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }] })
    const ask = async () => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`http://127.0.0.1:${traffic}/v1/chat/completions`, { method: 'POST', headers, body })
      assert.equal(answer.status, 200, await answer.text())
    }
    const page = async (): Promise<Known> => {
      const { rules } = (await (await fetch(`http://127.0.0.1:${admin}/learning`)).json()) as {
        rules: readonly Known[]
      } // our own page
      return rules[0] ?? { rewards: 0, carries: 0 }
    }
    await eventually(async () => assert.equal((await fetch(`http://127.0.0.1:${metrics}/readyz`)).status, 200), {
      within: 30_000,
      every: 100,
    })
    return {
      page,
      times: async (count: number) => {
        for (let i = 0; i < count; i++) await ask()
      },
      kill: async () => {
        process.kill(child.pid, 'SIGKILL')
        await child.ended
      },
      stop: () => child.stop(10_000),
    }
  }
  const all = (rewards: number, ...sidecars: readonly Awaited<ReturnType<typeof sidecar>>[]) =>
    eventually(
      async () => {
        for (const { page } of sidecars) assert.equal((await page()).rewards, rewards)
      },
      { within: 30_000, every: 200 },
    )

  const [one, two] = await Promise.all([sidecar('one'), sidecar('two')])
  await one.times(30)
  await two.times(20)
  await all(50, one, two)

  await one.kill()
  const again = await sidecar('one')
  await all(50, again, two)
  await again.times(10)
  await all(60, again, two)

  // A pod that leaves in peace says what it has not said yet.
  const third = await sidecar('third')
  await third.times(5)
  await third.stop()
  await all(65, again, two)
  // What the two that have gone had seen is in the hands of others.
  await eventually(async () => assert.equal((await two.page()).carries, 2), { within: 30_000, every: 100 })

  await first.kill()
  await again.times(4)
  await operator(t, world, first.port)
  await all(69, again, two)
})
