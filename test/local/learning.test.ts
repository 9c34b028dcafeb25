import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { formOf } from '../../core/bandits/form.ts'
import { Memories } from '../../core/bandits/memory.ts'
import type { Memory } from '../../core/bandits/memory.ts'
import { Learning } from '../../operator/learning.ts'
import { LearningLink } from '../../sidecar/learning.ts'

const form = formOf('Thompson', 10_000)
const RULE = { route: 'ai/r', rule: '0', form }

/** An operator and sidecars on one clock that stands still between `pass`es. Messages are texts, as on the wire. */
function fleet(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let now = 0
  let names = 0
  const make = () => new Learning({ now: () => now, form: (route) => (route === 'ai/r' ? form : undefined) })
  let operator = make()
  t.after(() => operator.close())

  const sidecar = (pod: string) => {
    const memories = new Memories(() => `epoch-${names++}`)
    const memory = memories.of(RULE)
    let tell: ((text: string) => void) | undefined
    const link = new LearningLink({
      memories,
      now: () => now,
      send: (learned) => {
        // What has left the sidecar may still be lost.
        if (tell) operator.hear(pod, JSON.parse(JSON.stringify(learned)), tell)
      },
    })
    link.start()
    return {
      memory,
      connect() {
        tell = (text) => link.hear(JSON.parse(text))
        link.opened()
      },
      /** The connection ends, and the operator sees it. */
      cut() {
        link.closed()
        const was = tell
        tell = undefined
        if (was) operator.left(pod, was, false)
      },
      /** As `kill -9` has it. */
      kill() {
        this.cut()
        link.stop()
      },
      stop: () => link.stop(),
    }
  }
  return {
    sidecar,
    /** Sidecars of these pods, connected. */
    connected: <const Pods extends readonly string[]>(...pods: Pods) => {
      const made = pods.map(sidecar)
      for (const it of made) it.connect()
      return made as { -readonly [Pod in keyof Pods]: ReturnType<typeof sidecar> } // one for each
    },
    pass: (seconds: number) => {
      for (let i = 0; i < seconds * 2; i++) {
        now += 500
        t.mock.timers.tick(500)
      }
    },
    /** The operator ends without a word, and another begins, to which nobody is connected yet. */
    restart: () => {
      operator.close()
      operator = make()
    },
  }
}

const see = ({ memory }: { memory: Memory }, arm: string, times: number, reward = 1) => {
  for (let i = 0; i < times; i++) memory.observe(arm, Float64Array.of(1), Number.NaN, reward)
}
const counts = ({ memory }: { memory: Memory }) =>
  Object.fromEntries(memory.learner.arms().map(({ arm, count }) => [arm, count] as const))

test('learning: what each sidecar has seen, all of them know', (t) => {
  const { connected, pass } = fleet(t)
  const [a, b, c] = connected('a', 'b', 'c')
  see(a, 'cheap', 30, 1)
  see(b, 'cheap', 10, 0)
  see(b, 'strong', 5, 1)
  pass(12)
  for (const it of [a, b, c]) {
    assert.deepEqual(counts(it), { cheap: 40, strong: 5 })
    const mean = it.memory.learner.arms().find(({ arm }) => arm === 'cheap')?.mean ?? 0
    assert.ok(Math.abs(mean - 0.75) < 0.01, `${mean}`)
  }
  pass(60)
  for (const it of [a, b, c]) assert.deepEqual(counts(it), { cheap: 40, strong: 5 }, 'telling it again changes nothing')
})

test('learning: one that comes later knows a second later what the others do', (t) => {
  const { sidecar, pass } = fleet(t)
  const [a, late] = [sidecar('a'), sidecar('late')]
  a.connect()
  see(a, 'cheap', 30)
  pass(12)
  late.connect()
  pass(1)
  assert.deepEqual(counts(late), { cheap: 30 })
})

test('learning: two hundred rewards are not waited with', (t) => {
  const { connected, pass } = fleet(t)
  const [a, b] = connected('a', 'b')
  pass(10)
  see(a, 'cheap', 250)
  pass(2)
  assert.deepEqual(counts(b), { cheap: 250 })
})

test('learning: a sidecar that is killed and begins again counts nothing twice, and what it had told is kept', (t) => {
  const { sidecar, connected, pass } = fleet(t)
  const [a, b] = connected('a', 'b')
  see(a, 'cheap', 30)
  pass(12)
  see(a, 'cheap', 3)
  a.kill()
  const again = sidecar('a')
  again.connect()
  see(again, 'cheap', 7)
  pass(30)
  // The three that were never told have gone with it.
  for (const it of [again, b]) assert.deepEqual(counts(it), { cheap: 37 })
})

test('learning: a connection that breaks and comes back loses nothing, however long it took', (t) => {
  for (const seconds of [2, 60]) {
    const { connected, pass } = fleet(t)
    const [a, b] = connected('a', 'b')
    see(a, 'cheap', 30)
    pass(12)
    a.cut()
    see(b, 'cheap', 5)
    see(a, 'cheap', 4)
    pass(seconds)
    a.connect()
    see(a, 'cheap', 2)
    pass(30)
    for (const it of [a, b]) assert.deepEqual(counts(it), { cheap: 41 }, `after ${seconds} s`)
    t.mock.timers.reset()
  }
})

test('learning: an operator that begins anew is told all again, what the gone had seen included', (t) => {
  const { sidecar, connected, pass, restart } = fleet(t)
  const [a, b, gone] = connected('a', 'b', 'gone')
  see(a, 'cheap', 30)
  see(gone, 'strong', 20)
  pass(12)
  gone.kill()
  pass(30)
  for (let i = 0; i < 3; i++) {
    restart()
    b.cut()
    a.cut()
    b.connect()
    a.connect()
    see(b, 'cheap', 1)
    pass(30)
    for (const it of [a, b]) assert.deepEqual(counts(it), { cheap: 31 + i, strong: 20 })
  }
  const late = sidecar('late')
  late.connect()
  pass(1)
  assert.deepEqual(counts(late), { cheap: 33, strong: 20 })
})

test('learning: one that was taken for gone, and is back before those that carry what it had seen, loses nothing either', (t) => {
  const { connected, pass, restart } = fleet(t)
  const [a, b] = connected('a', 'b')
  see(a, 'cheap', 30)
  pass(12)
  a.cut()
  see(a, 'cheap', 4)
  pass(30)
  restart()
  b.cut()
  a.connect()
  pass(3)
  b.connect()
  pass(30)
  for (const it of [a, b]) assert.deepEqual(counts(it), { cheap: 34 })
})

test('learning: what is of another form, another rule or no number is not heard', (t) => {
  const { connected, pass } = fleet(t)
  const [a] = connected('a', 'b')
  see(a, 'cheap', 4)
  pass(12)
  const operator = new Learning({ now: () => 0, form: () => form })
  t.after(() => operator.close())
  const told: string[] = []
  const arms = [{ arm: 'x', count: 1, weight: 1, clock: 0, numbers: 'AAAA' }]
  const said = { route: 'ai/r', rule: '0', form: form.name, epoch: 'e', seq: 1, arms }
  operator.hear('p', { type: 'learned', rules: [said, { ...said, form: 'other', arms: [] }] }, (text) =>
    told.push(text),
  )
  assert.deepEqual(told, [])
})
