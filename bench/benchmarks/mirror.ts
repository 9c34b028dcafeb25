import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { seeded } from '../../core/learning/random.ts'
import { type Benchmark, Notes } from '../benchmark.ts'
import { ask, leanUpstream, sideBySide } from '../lab.ts'
import { paced } from '../load/paced.ts'
import { wrk } from '../load/wrk.ts'
import { cpuTime } from '../proc.ts'
import { percentile } from '../statistics.ts'
import { mirroring, tradewind } from '../systems/tradewind.ts'
import { answers, requestNamed } from '../wire.ts'

/** By the model that is asked for: one process serves all of them, so that nothing else differs. */
const ways = {
  'no mirror': 'mirror-none',
  'mirror of 0 %': 'mirror-0',
  '100 % to a fast candidate': 'mirror-fast',
  '100 % to a slow one (2 s)': 'mirror-slow',
  '100 % to a hanging one': 'mirror-hanging',
} as const
/** What the others are compared with, in the same round. */
const base = 'mirror of 0 %'

/** Candidates that take their time, or do not answer at all. */
async function candidate(after: number | undefined): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume()
    if (after !== undefined)
      setTimeout(() => response.setHeader('content-type', 'application/json').end(answers.openai), after)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port // it listens on a port

/** What is asked of each way at a stretch; then comes the next one, so that all meet the same machine. */
const STRETCH = 200

/** What a mirror adds to the answers of callers, and what it costs. */
export const mirror: Benchmark = {
  name: 'mirror',
  about:
    'what a mirror adds to the latency of answers and to CPU time, by how its candidate fares: 200 requests a second that come at random, in turns of one second',
  async run(lab) {
    const [slow, hanging] = [await candidate(2000), await candidate(undefined)]
    const system = mirroring({ slow: portOf(slow), hanging: portOf(hanging) })
    const systems = lab.systems.filter((it) => it.system === tradewind).map((it) => ({ ...it, system }))
    const notes = new Notes('chat request of 0.3 KB, answer of 1.5 KB, 200 requests/s at random times')
    const random = seeded(1)
    const turns = lab.quick ? 3 : 10
    try {
      await sideBySide({ ...lab, systems }, await leanUpstream(lab), async ([running]) => {
        if (!running) return
        const { pid = 0 } = running
        for (const model of Object.values(ways)) {
          await ask(running, requestNamed(model, 0))
          await wrk(running, lab.directory, 8, lab.quick ? 1 : 3, requestNamed(model, 0))
        }
        for (let round = 1; round <= lab.rounds; round += 1) {
          const found = new Map(Object.keys(ways).map((way) => [way, { times: [] as number[], cpu: 0 }]))
          for (let turn = 0; turn < turns; turn += 1)
            for (const [way, model] of Object.entries(ways)) {
              const before = cpuTime(pid)
              const times = await paced(running, requestNamed(model, 0), { count: STRETCH, perSecond: 200, random })
              const of = found.get(way)
              of?.times.push(...times)
              if (of) of.cpu += cpuTime(pid) - before
            }
          const { times: own = [] } = found.get(base) ?? {}
          for (const [way, { times, cpu }] of found) {
            for (const p of [50, 99]) {
              notes.add(way, `latency_p${p}`, 'ms', percentile(times, p))
              if (way !== base) notes.add(way, `added_p${p}`, 'ms', percentile(times, p) - percentile(own, p))
            }
            notes.add(way, 'cpu_per_request', 'µs', cpu / times.length)
            const [p50, p99] = [percentile(times, 50), percentile(times, 99)]
            lab.log(
              `round ${round}, ${way}: p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms, ${(cpu / times.length).toFixed(0)} µs`,
            )
          }
        }
      })
    } finally {
      for (const server of [slow, hanging]) {
        server.closeAllConnections()
        server.close()
      }
    }
    return notes.list()
  },
}
