import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import { Recorder } from '../../core/evidence/recorder.ts'
import { seeded } from '../../core/learning/random.ts'
import { Tokens } from '../../operator/authenticate.ts'
import { Evidence } from '../../operator/evidence.ts'
import { NO_FLEET } from '../../operator/fleet.ts'
import { Learning } from '../../operator/learning.ts'
import { Merge } from '../../operator/merge.ts'
import { EvidenceLink } from '../../sidecar/evidence.ts'
import { authority } from '../helpers/authority.ts'
import { eventually } from '../helpers/eventually.ts'

const OF = { route: 'ai/r', rule: '0', version: 'h.0.0' }
const USER = 'system:serviceaccount:tradewind:operator'
const log = pino({ level: 'silent' })

/** Replicas of the operator that bring the leader what their sidecars tell, by real connections. */
async function replicas(t: TestContext, count: number) {
  const { ca, of } = await authority('operator.test')
  let epoch = 0
  const make = async () => {
    const evidence = new Evidence({ now: () => performance.now(), versions: () => [OF.version] })
    const learning = new Learning({ now: () => performance.now(), form: () => undefined })
    const sidecars = new Set<() => void>()
    const merge = new Merge({
      own: () => NO_FLEET,
      tokens: new Tokens(() => Promise.resolve({ user: USER, expires: Infinity })),
      user: USER,
      token: () => Promise.resolve('token'),
      trusted: () => ca,
      serverName: 'operator.test',
      changed: () => {},
      learning,
      evidence,
      retell: () => {
        for (const retell of sidecars) retell()
      },
      log,
    })
    const server = createServer(of['operator.test'])
    server.on('upgrade', (request, socket, head) => void merge.upgrade(request, socket, head))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo // it listens on a port
    const stop = async () => {
      evidence.close()
      learning.close()
      await merge.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    t.after(stop)
    return { evidence, merge, sidecars, address: `127.0.0.1:${port}` }
  }
  const all = await Promise.all(Array.from({ length: count }, make))
  return {
    all,
    /** Another one leads from now on. */
    lead: (at: number) => {
      epoch++
      const address = all[at]?.address
      for (const [i, { merge }] of all.entries()) merge.lead({ leading: i === at, epoch, address })
    },
  }
}

type Replica = Awaited<ReturnType<typeof replicas>>['all'][number]

function sidecar(t: TestContext, pod: string) {
  const recorder = new Recorder(() => crypto.randomUUID())
  recorder.keep([OF])
  let at: { readonly replica: Replica; readonly tell: (text: string) => void } | undefined
  const link = new EvidenceLink({
    recorder,
    now: () => performance.now(),
    send: (told) => at?.replica.merge.counted(pod, told, at.tell),
  })
  link.start()
  t.after(() => link.stop())
  const retell = () => link.hear({ type: 'retell' })
  return {
    see(arm: string, times: number) {
      for (let i = 0; i < times; i++) recorder.add(OF.route, OF.rule, OF.version, arm, { latency: 10 })
    },
    /** Connects to a replica, in the place of the one before. */
    connect(replica: Replica) {
      if (at) {
        link.closed()
        at.replica.sidecars.delete(retell)
        at.replica.merge.left(pod, at.tell, false)
      }
      at = { replica, tell: (text) => link.hear(JSON.parse(text)) }
      replica.sidecars.add(retell)
      link.opened()
    },
  }
}

test('evidence: replicas bring it to the one that leads, whoever that is, and wherever sidecars are; it is exact in the end', async (t) => {
  const random = seeded(11)
  const pick = <T>(list: readonly T[]): T => {
    const found = list[Math.floor(random() * list.length)]
    assert.ok(found !== undefined)
    return found
  }
  const { all, lead } = await replicas(t, 3)
  const sidecars = Array.from({ length: 6 }, (_, i) => sidecar(t, `p${i}`))
  for (const it of sidecars) it.connect(pick(all))
  const exact: Record<string, number> = { stable: 0, canary: 0 }
  const found = (replica: Replica | undefined) =>
    Object.fromEntries(
      [...(replica?.evidence.totals(OF.route, OF.rule, OF.version) ?? [])].map(([arm, { n }]) => [arm, n]),
    )
  for (let round = 0; round < 6; round++) {
    const leader = round % all.length
    lead(leader)
    for (let i = 0; i < 40; i++) {
      const arm = random() < 0.9 ? 'stable' : 'canary'
      const times = 1 + Math.floor(random() * 20)
      pick(sidecars).see(arm, times)
      exact[arm] = (exact[arm] ?? 0) + times
      if (random() < 0.2) pick(sidecars).connect(pick(all))
      if (random() < 0.1) await new Promise((resolve) => setTimeout(resolve, 50))
      // It counts for nothing what one who no longer leads has.
      if (random() < 0.05) lead(leader)
    }
    if (round % 2 === 1) await eventually(() => assert.deepEqual(found(all[leader]), exact))
    for (const [i, replica] of all.entries()) if (i !== leader) assert.deepEqual(found(replica), {})
  }
  const last = all[5 % all.length]
  await eventually(() => {
    assert.deepEqual(found(last), exact)
    assert.equal(last?.evidence.peers(OF.route, OF.rule, OF.version).size, sidecars.length)
  })
})
