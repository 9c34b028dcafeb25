// One size of the growth benchmark, as a process of its own so that its memory is its own:
// `node --expose-gc bench/control/growth-step.ts ROUTES SIDECARS NAMESPACES EDITS`. Prints one JSON line.
import { setImmediate as turn } from 'node:timers/promises'
import { CAPABILITIES, PROTOCOL } from '../../api/protocol.ts'
import { RELEASE } from '../../api/release.ts'
import type { Channel } from '../../operator/channel.ts'
import { Push } from '../../operator/push.ts'
import { statuses } from '../../operator/statuses.ts'
import type { Touched } from '../../operator/world.ts'
import { TestWorld } from '../../test/local/fleet.ts'
import { median, percentile } from '../statistics.ts'

const [routes = 0, sidecars = 0, namespaces = 1, edits = 0] = process.argv.slice(2).map(Number)

/** What one size comes to: times are medians over the edits, ms. */
export interface Step {
  /** All of it, from nothing. */
  readonly whole: number
  readonly compile: number
  readonly push: number
  readonly acknowledge: number
  readonly status: number
  readonly slowest: number
  readonly bytes: number
  readonly pushes: number
  /** MiB. */
  readonly heap: number
  readonly resident: number
}

const world = new TestWorld()
const home = (i: number) => `team-${i % namespaces}`
const split = (weight: number) => ({ 'model-0': weight, 'model-1': 100 - weight })
for (let i = 0; i < namespaces; i++) for (const name of ['model-0', 'model-1']) world.endpoint(`${home(i)}/${name}`)
for (let i = 0; i < routes; i++) world.route(`${home(i)}/route-${i}`, `model-${i}`, split(90))
for (let i = 0; i < sidecars; i++) world.pod(`${home(i)}/app-${i}`, { app: `app-${i % 5}` })

const push = new Push({ now: () => performance.now(), checkEvery: 3_600_000 })
const start = performance.now()
let compiled = world.compiler.compile(world)
push.publish(compiled)
const whole = performance.now() - start

// The sidecar's end costs nothing here: it takes the nonce and the digest out of the text, and says that it has it.
let bytes = 0
let pushes = 0
let answers: (() => void)[] = []
const update = /^\{"type":"update","nonce":(\d+),.*"digest":"([0-9a-f]{32})"\}$/s
for (let i = 0; i < sidecars; i++) {
  let hear: (text: string) => void = () => {}
  const channel: Channel = {
    send(text) {
      const [, nonce, digest] = update.exec(text) ?? []
      if (nonce === undefined) return
      bytes += text.length
      pushes += 1
      answers.push(() => hear(JSON.stringify({ type: 'ack', nonce: Number(nonce), digest })))
    },
    close: (_, reason) => {
      throw new Error(reason)
    },
    buffered: () => 0,
    onMessage: (listener) => (hear = listener),
    onClose: () => {},
  }
  const pod = world.pods.get(`${home(i)}/app-${i}`)
  if (!pod) throw new Error('no such pod')
  push.attach(channel, {
    namespace: pod.namespace,
    pod: pod.name,
    uid: pod.uid,
    labels: pod.labels,
    serviceAccount: '',
  })
  hear(JSON.stringify({ type: 'hello', protocol: PROTOCOL, version: RELEASE, capabilities: CAPABILITIES, have: {} }))
}
/** Every sidecar that was sent something answers. */
function answer(): void {
  while (answers.length > 0) {
    const now = answers
    answers = []
    for (const say of now) say()
  }
}
answer()
bytes = 0
pushes = 0

const took = { compile: [] as number[], push: [] as number[], acknowledge: [] as number[], status: [] as number[] }
for (let edit = 0; edit < edits; edit++) {
  // Far apart, so that no cache has the route from the edit before.
  const i = (edit * 7919) % routes
  world.route(`${home(i)}/route-${i}`, `model-${i}`, split(edit % 2 ? 90 : 50))
  const touched: Touched[] = [{ kind: 'ModelRoute', name: `${home(i)}/route-${i}` }]
  const at = [performance.now()]
  compiled = world.compiler.compile(world, touched)
  at.push(performance.now())
  push.publish(compiled)
  at.push(performance.now())
  answer()
  at.push(performance.now())
  const made = statuses(compiled, push.fleet(), compiled.changes.objects)
  at.push(performance.now())
  const [first] = made.values()
  if (!first || !('programmed' in first.status)) throw new Error('the edit changed no status')
  for (const [n, name] of (['compile', 'push', 'acknowledge', 'status'] as const).entries())
    took[name].push((at[n + 1] ?? Number.NaN) - (at[n] ?? Number.NaN))
  await turn()
}

globalThis.gc?.()
const memory = process.memoryUsage()
const total = took.compile.map((_, i) => Object.values(took).reduce((sum, values) => sum + (values[i] ?? 0), 0))
const step: Step = {
  whole,
  compile: median(took.compile),
  push: median(took.push),
  acknowledge: median(took.acknowledge),
  status: median(took.status),
  slowest: percentile(total, 99),
  bytes: bytes / edits,
  pushes: pushes / edits,
  heap: memory.heapUsed / 2 ** 20,
  resident: memory.rss / 2 ** 20,
}
console.log(JSON.stringify(step))
process.exit()
