import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { Recorder } from '../../core/evidence/recorder.ts'
import type { Tally } from '../../core/evidence/tally.ts'
import { seeded } from '../../core/learning/random.ts'
import type { Random } from '../../core/learning/random.ts'
import { Evidence } from '../../operator/evidence.ts'
import { readMessage } from '../../operator/push/messages.ts'
import { EvidenceLink } from '../../sidecar/evidence.ts'

const OF = { route: 'ai/r', rule: '0', version: 'h.0.0' }
const [ROUTE, RULE] = [OF.route, OF.rule]

/** An operator and sidecars on one clock that stands still between `pass`es. Messages are texts, as on the wire. */
function fleet(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  let now = 0
  let names = 0
  let versions: readonly string[] = [OF.version]
  const changes: string[] = []
  const make = () => {
    const made = new Evidence({ now: () => now, versions: (route) => (route === ROUTE ? versions : []) })
    made.onChange((route, rule) => changes.push(`${route} ${rule}`))
    return made
  }
  let operator = make()
  const links: EvidenceLink[] = []

  const sidecar = (pod: string, lose = () => false) => {
    const recorder = new Recorder(() => `epoch-${names++}`)
    recorder.keep(versions.map((version) => ({ ...OF, version })))
    let tell: ((text: string) => void) | undefined
    /** What was said on this connection, which may come again. */
    const said: string[] = []
    const hear = (text: string) => {
      const message = readMessage(text)
      if (tell && message?.type === 'evidence') operator.hear(pod, message, tell)
    }
    const link = new EvidenceLink({
      recorder,
      now: () => now,
      send: (evidence) => {
        const text = JSON.stringify(evidence)
        said.push(text)
        if (!lose()) hear(text)
      },
    })
    links.push(link)
    link.start()
    const end = (stopping: boolean) => {
      link.closed()
      const was = tell
      tell = undefined
      said.length = 0
      if (was) operator.left(pod, was, stopping)
    }
    return {
      pod,
      recorder,
      link,
      connect() {
        if (tell) return
        tell = (text) => link.hear(JSON.parse(text))
        link.opened()
      },
      /** Something that was said comes once more. */
      again(random: Random) {
        const text = said[Math.floor(random() * said.length)]
        if (text !== undefined) hear(text)
      },
      /** The connection ends, and the operator sees it. */
      cut: () => end(false),
      /** As `kill -9` has it. */
      kill() {
        end(false)
        link.stop()
      },
      /** As it is asked to. */
      stop() {
        link.stop()
        end(true)
      },
    }
  }
  return {
    sidecar,
    changes,
    get operator() {
      return operator
    },
    pass: (seconds: number) => {
      for (let i = 0; i < seconds * 4; i++) {
        now += 250
        t.mock.timers.tick(250)
      }
    },
    step: (version: string) => {
      versions = [version]
    },
    /** The operator ends without a word, and another begins, to which nobody is connected yet. */
    restart: () => {
      operator.close()
      operator = make()
    },
    end: () => {
      operator.close()
      for (const link of links) link.stop()
      t.mock.timers.reset()
    },
  }
}

type Sidecar = ReturnType<ReturnType<typeof fleet>['sidecar']>

/** So many exchanges of an arm; every fifth fails. Costs are of 1/8 USD, so that their sums are exact. */
const see = ({ recorder }: Sidecar, arm: string, times: number, version = OF.version) => {
  for (let i = 0; i < times; i++)
    recorder.add(ROUTE, RULE, version, arm, { error: i % 5 === 0, latency: 10 + i, cost: 1 / 8 })
}
const plain = (totals: ReadonlyMap<string, Tally> | undefined) =>
  Object.fromEntries([...(totals ?? [])].map(([arm, { n }]) => [arm, n]))

test('evidence: what became of the requests of all sidecars is there a moment later, once', (t) => {
  const { sidecar, pass, operator, changes, end } = fleet(t)
  const [a, b, idle] = [sidecar('a'), sidecar('b'), sidecar('idle')]
  for (const it of [a, b, idle]) it.connect()
  see(a, 'stable', 30)
  see(b, 'stable', 10)
  see(b, 'canary', 5)
  pass(2)
  const totals = operator.totals(ROUTE, RULE, OF.version)
  assert.deepEqual(plain(totals), { canary: 5, stable: 40 })
  const { errors, cost, latency } = totals?.get('stable') ?? {}
  assert.deepEqual([errors, cost, latency?.count], [8, { n: 40, sum: 5, squares: 40 / 64 }, 40])
  assert.deepEqual([...operator.peers(ROUTE, RULE, OF.version)].toSorted(), ['a', 'b', 'idle'])
  assert.ok(changes.length > 0 && changes.every((it) => it === `${ROUTE} ${RULE}`))
  const before = changes.length
  pass(30)
  assert.deepEqual(plain(operator.totals(ROUTE, RULE, OF.version)), { canary: 5, stable: 40 })
  assert.equal(changes.length, before, 'nobody is told of nothing')
  end()
})

test('evidence: what comes of another version, or a rule that gathers none, is not heard; with the version goes what is known of it', (t) => {
  const { sidecar, pass, step, operator, end } = fleet(t)
  const a = sidecar('a')
  a.connect()
  see(a, 'stable', 3)
  pass(2)
  step('h.1.0')
  see(a, 'stable', 3)
  pass(4)
  assert.equal(operator.totals(ROUTE, RULE, OF.version), undefined)
  assert.equal(operator.totals(ROUTE, RULE, 'h.1.0'), undefined)
  a.recorder.keep([{ ...OF, version: 'h.1.0' }])
  see(a, 'stable', 100)
  see(a, 'stable', 7, 'h.1.0')
  pass(4)
  assert.deepEqual(plain(operator.totals(ROUTE, RULE, 'h.1.0')), { stable: 7 })
  assert.equal(operator.totals(ROUTE, RULE, OF.version), undefined)
  end()
})

test('evidence: a sidecar that is ahead of the operator tells again until it is heard', (t) => {
  const { sidecar, pass, step, operator, end } = fleet(t)
  const a = sidecar('a')
  a.recorder.keep([{ ...OF, version: 'h.1.0' }])
  a.connect()
  see(a, 'stable', 3, 'h.1.0')
  pass(5)
  step('h.1.0')
  pass(4)
  assert.deepEqual(plain(operator.totals(ROUTE, RULE, 'h.1.0')), { stable: 3 })
  end()
})

test('evidence: one that stops tells what is left to be told, and what it had counted stays when the operator is another one', (t) => {
  const fleetOf = fleet(t)
  const { sidecar, pass, restart, end } = fleetOf
  const [a, b] = [sidecar('a'), sidecar('b')]
  a.connect()
  b.connect()
  pass(2)
  see(a, 'canary', 4)
  a.stop()
  pass(2)
  assert.deepEqual(plain(fleetOf.operator.totals(ROUTE, RULE, OF.version)), { canary: 4 })
  for (let i = 0; i < 3; i++) {
    restart()
    b.cut()
    b.connect()
    pass(2)
    assert.deepEqual(plain(fleetOf.operator.totals(ROUTE, RULE, OF.version)), { canary: 4 })
  }
  end()
})

test('evidence: with many sidecars, each tells less often', (t) => {
  const { sidecar, pass, end } = fleet(t)
  const all = Array.from({ length: 500 }, (_, i) => sidecar(`p${i}`))
  for (const it of all) it.connect()
  pass(3)
  let told = 0
  const told1 = sidecar('last', () => {
    told++
    return false
  })
  told1.connect()
  pass(3)
  told = 0
  for (let i = 0; i < 20; i++) {
    see(told1, 'stable', 1)
    pass(1)
  }
  assert.ok(told >= 6 && told <= 9, `told ${told} times in 20 s`)
  end()
})

/** Things that may befall a fleet, each by its own chance; 20 to 60 of them, and then all is quiet. */
function befall(
  { sidecar, pass, restart }: ReturnType<typeof fleet>,
  random: Random,
  { kills }: { readonly kills: boolean },
) {
  const lose = () => random() < 0.3
  const all = Array.from({ length: 2 + Math.floor(random() * 4) }, (_, i) => sidecar(`p${i}`, lose))
  const exact = { stable: 0, canary: 0 }
  let next = all.length
  for (const it of all) it.connect()
  const things = 20 + Math.floor(random() * 40)
  for (let i = 0; i < things; i++) {
    const at = Math.floor(random() * all.length)
    const one = all[at]
    if (!one) continue
    const chance = random()
    if (chance < 0.4) {
      const arm = random() < 0.8 ? 'stable' : 'canary'
      const times = 1 + Math.floor(random() * 9)
      see(one, arm, times)
      exact[arm] += times
    } else if (chance < 0.55) pass(Math.floor(random() * 15))
    else if (chance < 0.65) one.cut()
    else if (chance < 0.8) one.connect()
    else if (chance < 0.88) one.again(random)
    else if (chance < 0.94) {
      restart()
      for (const it of all) it.cut()
      for (const it of all.toSorted(() => random() - 0.5)) it.connect()
    } else if (kills || all.length > 1) {
      // What was never told goes with it; and so may what one who is away carries, where others have gone on without.
      if (!kills) {
        for (const it of all) it.connect()
        pass(30)
      }
      one.kill()
      all[at] = sidecar(random() < 0.5 ? one.pod : `p${next++}`, lose)
      all[at].connect()
      if (!kills) pass(30)
    }
  }
  for (const it of all) it.connect()
  pass(60)
  return exact
}

test('evidence: whatever is lost, late or told twice, whoever begins anew, and who goes once he has told, the total is the exact count in the end', (t) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const it = fleet(t)
      const exact = befall(it, seeded(seed), { kills: false })
      const found = it.operator.totals(ROUTE, RULE, OF.version)
      it.end()
      assert.deepEqual({ stable: 0, canary: 0, ...plain(found) }, exact)
      for (const { n, latency, cost } of found?.values() ?? []) assert.deepEqual([latency.count, cost.sum], [n, n / 8])
    }),
    { numRuns: 150 },
  )
})

test('evidence: with sidecars and operators that are killed at any moment, nothing is counted twice', (t) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const it = fleet(t)
      const exact = befall(it, seeded(seed), { kills: true })
      const found = plain(it.operator.totals(ROUTE, RULE, OF.version))
      it.end()
      for (const arm of ['stable', 'canary'] as const)
        assert.ok((found[arm] ?? 0) <= exact[arm], `${arm} of seed ${seed}`)
    }),
    { numRuns: 150 },
  )
})

test('evidence: where adding up takes long, it is done less often', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  let now = 0
  let slow = 0
  // Reading the clock takes as long as adding up is to take, each time that something is added up.
  const clock = () => (now += slow)
  const operator = new Evidence({ now: clock, versions: () => [OF.version] })
  let sums = 0
  operator.onChange((route, rule) => {
    slow = 200
    operator.totals(route, rule, OF.version)
    slow = 0
    sums++
  })
  let seq = 0
  const arm = { arm: 'a', n: 1, errors: 0, truncations: 0, refusals: 0, escalations: 0 }
  const none = { cost: [0, 0, 0], quality: [0, 0, 0], size: [0, 0, 0], latency: [], firstToken: [] }
  for (let i = 0; i < 400; i++) {
    const said = { ...OF, epoch: 'e', seq: ++seq, arms: [{ ...arm, ...none, n: seq }] }
    operator.hear('p', { type: 'evidence', rules: [said] }, () => {})
    t.mock.timers.tick(50)
  }
  operator.close()
  assert.ok(sums >= 8 && sums <= 12, `${sums} times in 20 s`)
})
