import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { gatheringsIn, versionsOf } from '../../api/gatherings.ts'
import { Recorder } from '../../core/evidence/recorder.ts'
import type { InForce } from '../../core/rollout/in-force.ts'
import type { Channel } from '../../operator/channel.ts'
import type { Compiled } from '../../operator/compile/index.ts'
import { Evidence } from '../../operator/evidence.ts'
import { Push } from '../../operator/push.ts'
import { Acknowledgements } from '../../operator/rollout/sidecars.ts'
import { EvidenceLink } from '../../sidecar/evidence.ts'
import { Follower } from '../../sidecar/follower.ts'
import { eventually } from '../helpers/eventually.ts'
import { TestWorld } from './fleet.ts'

class World extends TestWorld {
  readonly rollouts = new Map<string, readonly InForce[]>()
}

const step = (version: string, weight: number): InForce => ({
  rule: '0',
  canary: 'ai/new',
  version,
  weight,
  gathers: true,
})

/** The operator's end in this process: what it compiles is pushed, what sidecars tell is added up. */
function operator(t: TestContext, world: World) {
  let compiled: Compiled
  const versions = (route: string, rule: string) => {
    const found = compiled.routes.get(route)?.body.rules.find(({ name }) => name === rule)
    return found ? versionsOf(found) : []
  }
  const evidence = new Evidence({ now: () => performance.now(), versions })
  const push = new Push(
    { now: () => performance.now() },
    {
      evidence: ({ identity, tell }, said) => evidence.hear(identity.uid, said, tell),
      left: ({ identity, tell }, stopping) => evidence.left(identity.uid, tell, stopping),
    },
  )
  t.after(() => {
    push.close()
    evidence.close()
  })
  const publish = () => {
    compiled = world.compiler.compile(world)
    push.publish(compiled)
  }
  publish()
  return { push, evidence, publish, acknowledgements: () => new Acknowledgements(compiled, push.fleet()) }
}

/** A sidecar's end, which counts what a test has it see. */
function sidecar(t: TestContext, name: string, old = false) {
  const recorder = new Recorder(() => crypto.randomUUID())
  const link = new EvidenceLink({ recorder, now: () => performance.now(), send: (told) => follower.report(told) })
  const follower = new Follower({
    apply: (config) => {
      recorder.keep(gatheringsIn(config))
      return []
    },
    wall: () => 1,
    evidence: (message) => link.hear(message),
    opened: () => link.opened(),
    closed: () => link.closed(),
  })
  link.start()
  t.after(() => link.stop())
  let close = (_code: number) => {}
  return {
    recorder,
    see(version: string, arm: string, times: number) {
      for (let i = 0; i < times; i++) recorder.add('ai/r', '0', version, arm, { latency: 20 })
    },
    connect(push: Push) {
      let heard: (text: string) => void = () => {}
      let open = true
      const [namespace = '', pod = ''] = name.split('/')
      const end = (code: number) => {
        if (!open) return
        open = false
        follower.close()
        close(code)
      }
      const channel: Channel = {
        send: (text) => (open ? follower.hear(text) : undefined),
        close: end,
        buffered: () => 0,
        onMessage: (listener) => (heard = listener),
        onClose: (listener) => (close = (code) => listener(code, '')),
      }
      push.attach(channel, { namespace, pod, uid: name, labels: {}, serviceAccount: 'default' })
      const sent = (text: string) => (old ? text.replace(',"evidence"', '') : text)
      follower.open((text) => (open ? heard(sent(text)) : undefined))
      return { cut: () => end(1006), stop: () => (link.stop(), end(1000)) }
    },
  }
}

function worldWith(...pods: readonly string[]): World {
  const world = new World()
  for (const name of pods) world.pod(name)
  for (const name of ['ai/old', 'ai/new']) world.endpoint(name)
  const target = (name: string, weight: number) => ({ endpoint: { name }, weight })
  const rollout = { canary: { name: 'new' } }
  world.put('ModelRoute', 'ai/r', {
    models: ['chat'],
    rules: [{ targets: [target('old', 9), target('new', 1)], rollout }],
  })
  world.rollouts.set('ai/r', [step('h.0.0', 1)])
  return world
}

const plain = (evidence: Evidence, version: string) =>
  Object.fromEntries([...(evidence.totals('ai/r', '0', version) ?? [])].map(([arm, { n }]) => [arm, n]))

test('evidence: it comes by the protocol from every sidecar that serves the route, and begins anew with each step', async (t) => {
  const world = worldWith('ai/a', 'ai/b', 'ai/c')
  const { push, evidence, publish } = operator(t, world)
  const [a, b, c] = [sidecar(t, 'ai/a'), sidecar(t, 'ai/b'), sidecar(t, 'ai/c')]
  for (const it of [a, b, c]) it.connect(push)
  a.see('h.0.0', 'ai/old m', 40)
  b.see('h.0.0', 'ai/old m', 50)
  b.see('h.0.0', 'ai/new m', 1)
  await eventually(() => assert.deepEqual(plain(evidence, 'h.0.0'), { 'ai/new m': 1, 'ai/old m': 90 }))
  assert.deepEqual([...evidence.peers('ai/r', '0', 'h.0.0')].toSorted(), ['ai/a', 'ai/b', 'ai/c'])
  world.rollouts.set('ai/r', [step('h.1.0', 5)])
  publish()
  a.see('h.0.0', 'ai/old m', 7)
  c.see('h.1.0', 'ai/new m', 3)
  await eventually(() => assert.deepEqual(plain(evidence, 'h.1.0'), { 'ai/new m': 3 }))
  await eventually(() => assert.equal(evidence.totals('ai/r', '0', 'h.0.0'), undefined))
})

test('evidence: sidecars that break off, stop and begin anew, under an operator that does, are counted once', async (t) => {
  const world = worldWith('ai/a', 'ai/b')
  const first = operator(t, world)
  const [a, b] = [sidecar(t, 'ai/a'), sidecar(t, 'ai/b')]
  let link = a.connect(first.push)
  const other = b.connect(first.push)
  a.see('h.0.0', 'ai/old m', 10)
  await eventually(() => assert.deepEqual(plain(first.evidence, 'h.0.0'), { 'ai/old m': 10 }))
  link.cut()
  a.see('h.0.0', 'ai/old m', 5)
  link = a.connect(first.push)
  await eventually(() => assert.deepEqual(plain(first.evidence, 'h.0.0'), { 'ai/old m': 15 }))
  a.see('h.0.0', 'ai/new m', 2)
  link.stop()
  // Its last words are in; it has gone for good, and the other carries what it had counted.
  await eventually(() => assert.deepEqual(plain(first.evidence, 'h.0.0'), { 'ai/new m': 2, 'ai/old m': 15 }))
  const again = sidecar(t, 'ai/a')
  again.connect(first.push)
  again.see('h.0.0', 'ai/new m', 4)
  b.see('h.0.0', 'ai/old m', 1)
  const all = { 'ai/new m': 6, 'ai/old m': 16 }
  await eventually(() => assert.deepEqual(plain(first.evidence, 'h.0.0'), all))
  other.cut()
  const second = operator(t, world)
  b.connect(second.push)
  again.connect(second.push)
  await eventually(() => assert.deepEqual(plain(second.evidence, 'h.0.0'), all))
})

test('evidence: one that is too old for it serves the route, is not asked for any, and is named', async (t) => {
  const world = worldWith('ai/a', 'ai/z')
  const { push, evidence, acknowledgements } = operator(t, world)
  const [a, z] = [sidecar(t, 'ai/a'), sidecar(t, 'ai/z', true)]
  a.connect(push)
  z.connect(push)
  assert.deepEqual([...z.recorder.all()], [])
  a.see('h.0.0', 'ai/old m', 4)
  await eventually(() => assert.deepEqual(plain(evidence, 'h.0.0'), { 'ai/old m': 4 }))
  const { connected, behind, mute } = acknowledgements().of('ai/r')
  assert.deepEqual({ connected, behind, mute }, { connected: 2, behind: [], mute: ['ai/z'] })
})

test('evidence: a sidecar tells of routes that it serves alone', async (t) => {
  const world = worldWith('ai/a', 'ml/x')
  const { push, evidence } = operator(t, world)
  const [a, stranger] = [sidecar(t, 'ai/a'), sidecar(t, 'ml/x')]
  a.connect(push)
  stranger.connect(push)
  stranger.recorder.keep([{ route: 'ai/r', rule: '0', version: 'h.0.0' }])
  stranger.see('h.0.0', 'ai/new m', 1000)
  a.see('h.0.0', 'ai/new m', 1)
  await eventually(() => assert.deepEqual(plain(evidence, 'h.0.0'), { 'ai/new m': 1 }))
  await new Promise((resolve) => setTimeout(resolve, 1500))
  assert.deepEqual(plain(evidence, 'h.0.0'), { 'ai/new m': 1 })
  assert.deepEqual([...evidence.peers('ai/r', '0', 'h.0.0')], ['ai/a'])
})
