// What evidence costs a request, a telling, and the replica that adds it up: `node bench/evidence.ts`. In one process, without sockets: CPU time.
import { Bytes } from '../core/bytes.ts'
import type { Deps } from '../core/deps.ts'
import { Recorder } from '../core/evidence/recorder.ts'
import { tallies } from '../core/evidence/merged.ts'
import { readArms } from '../core/evidence/wire.ts'
import type { WireArm } from '../core/evidence/wire.ts'
import { Exchange } from '../core/exchange.ts'
import type { Facts, Reply } from '../core/exchange.ts'
import { evidence } from '../core/layers/evidence.ts'
import { seeded } from '../core/learning/random.ts'
import { Merged } from '../core/merging/merged.ts'
import type { Handler } from '../core/pipeline.ts'
import type { Rule, Target } from '../core/target.ts'
import { chat } from '../core/surfaces/chat.ts'
import { newFacts } from '../sidecar/door.ts'
import { median } from './statistics.ts'

const REQUESTS = 50_000
const ROUNDS = 15
const OF = { route: 'ai/chat', rule: '0', version: 'hash.0.0' }
const random = seeded(1)
const recorder = new Recorder(() => 'epoch')
recorder.keep([OF])
let clock = 0

// Of targets, rules and what is around a request, the layer looks at these alone.
const targets = ['stable', 'canary'].map(
  (name) => ({ id: `ai/${name} m`, endpoint: { name: `ai/${name}` }, model: { name: 'm' } }) as unknown as Target,
)
const deps = { evidence: recorder, now: () => clock } as unknown as Deps
const rule = (version: string | undefined) =>
  ({ route: OF.route, name: OF.rule, ...(version ? { evidence: { version } } : {}) }) as unknown as Rule

const reply: Reply = { status: 200, headers: [], body: Buffer.alloc(0) }
const answered: Handler = (exchange) => {
  const target = targets[random() < 0.05 ? 1 : 0]
  const facts: Facts = exchange.facts
  exchange.drawn = exchange.target = target
  const attempt = {
    why: 'chosen',
    endpoint: target?.endpoint.name,
    model: 'm',
    status: 200,
    code: undefined,
    cost: 35e9,
  }
  facts.attempts.push(attempt as unknown as Facts['attempts'][number])
  clock += 100 + 900 * random() ** 3
  return Promise.resolve(reply)
}

const incoming = {
  surface: chat,
  found: { path: '/v1/chat/completions', method: 'POST' as const },
  method: 'POST',
  query: '',
  headers: [],
  body: new Bytes([]),
}

const door = (requestId: string) => ({
  length: 0,
  encoding: undefined,
  requestId,
  traceparent: undefined,
  tracestate: undefined,
  userAgent: undefined,
})

async function round(handle: Handler): Promise<number> {
  const { user, system } = process.cpuUsage()
  for (let i = 0; i < REQUESTS; i++) {
    const exchange = new Exchange(incoming, newFacts(incoming, door(`${i}`), clock, clock))
    await handle(exchange)
  }
  const after = process.cpuUsage()
  return ((after.user + after.system - user - system) * 1000) / REQUESTS
}

const [without, counted] = [undefined, OF.version].map((version) => evidence(rule(version), deps)(answered))
if (!without || !counted) throw new Error('there are two handlers')
const times: { readonly before: number; readonly after: number }[] = []
for (let i = 0; i <= ROUNDS; i++) {
  const both = { before: await round(without), after: await round(counted) }
  if (i > 0) times.push(both)
}
const ns = (values: readonly number[]) => `${Math.round(median(values))} ns`
console.log(`layer handler is the same without evidence: ${without === answered}`)
console.log(
  `a request with evidence: ${ns(times.map(({ before, after }) => after - before))} more (${ns(times.map(({ before }) => before))} without, of this stub)`,
)

const book = recorder.find(OF)
if (!book) throw new Error('it is in force')
const cpu = <T>(times: number, work: (i: number) => T): readonly [µs: number, last: T] => {
  const start = process.cpuUsage()
  let last = work(0)
  for (let i = 1; i < times; i++) last = work(i)
  const { user, system } = process.cpuUsage(start)
  return [Math.round((user + system) / times), last]
}
const [told, text] = cpu(200, () => JSON.stringify(book.share().arms))
const buckets = [...book.arms.values()].map(({ latency }) => latency.buckets().length).join(' and ')
console.log(`a telling of 2 arms with ${buckets} buckets: ${told} µs, ${text.length} bytes`)

const SIDECARS = 2000
const few = Array.from({ length: SIDECARS }, () => {
  const own = new Recorder(() => 'epoch')
  own.keep([OF])
  for (let i = 0; i < 50; i++)
    own.add(OF.route, OF.rule, OF.version, i % 20 === 0 ? 'canary' : 'stable', { latency: 100 + 900 * random() ** 3 })
  return JSON.stringify(own.find(OF)?.share().arms ?? [])
})
const merged = new Merged(tallies)
const [heard] = cpu(SIDECARS, (i) => {
  const arms = readArms(JSON.parse(few[i] ?? '[]') as WireArm[]) // what was just written
  if (arms) merged.put(`p${i}`, { seq: 1, arms })
})
const [summed, sum] = cpu(20, () => merged.sum())
const n = [...sum.values()].reduce((all, tally) => all + tally.n, 0)
console.log(`${SIDECARS} sidecars, ${n} requests: ${heard} µs to hear each, ${summed} µs to add them all up`)
