import { type Benchmark, Notes } from '../benchmark.ts'
import { ask, leanUpstream, sideBySide } from '../lab.ts'
import { wrk } from '../load/wrk.ts'
import { cpuTime } from '../proc.ts'
import { deciding, tradewind } from '../systems/tradewind.ts'
import { request, requestNamed } from '../wire.ts'

/** What each way of choosing costs, by the model that is asked for: one process serves all of them, so that nothing else differs. */
const ways = {
  'weighted split': undefined,
  'rules by tier, header and tokens; weighted split': 'rules',
  'rules by task and a pattern in the text besides': 'content',
  'the same, and least cost with an adjustment': 'least-cost',
  'classifier, two heads': 'classifier',
} as const

/** CPU time and throughput of the sidecar by how it chooses its targets. */
export const decisions: Benchmark = {
  name: 'decisions',
  about:
    'what it costs to choose by rules and least cost, and by a trained classifier, beside a weighted split: prompts of 0.3 and 4 KB, 32 connections on one core',
  async run(lab) {
    const own = lab.systems.filter(({ system }) => system === tradewind)
    const systems = own.map((it) => ({ ...it, system: deciding }))
    const sizes = (
      [
        ['0.3 KB', 0],
        ['4 KB', 4096],
      ] as const
    ).map(([size, bytes]) => ({
      size,
      bytes,
      notes: new Notes(`chat request of ${size}, answer of 1.5 KB, 32 connections`),
    }))
    await sideBySide({ ...lab, systems }, await leanUpstream(lab), async ([running]) => {
      if (!running) return
      // The round before the first is for compilers to warm up in.
      for (let round = 0; round <= lab.rounds; round += 1)
        for (const { size, bytes, notes } of sizes)
          for (const [way, model] of Object.entries(ways)) {
            const body = model === undefined && bytes === 0 ? request : requestNamed(model ?? 'gpt-4o-mini', bytes)
            if (round === 0) await ask(running, body)
            const before = cpuTime(running.pid ?? 0)
            const load = await wrk(running, lab.directory, 32, lab.quick ? 2 : 5, body)
            if (round === 0) continue
            const cost = (cpuTime(running.pid ?? 0) - before) / load.requests
            notes.add(way, 'cpu_per_request', 'µs', cost)
            notes.add(way, 'requests_per_second', '1/s', load.requests / load.seconds)
            notes.add(way, 'latency_p99', 'ms', load.p99)
            lab.log(
              `round ${round}, ${size}, ${way}: ${cost.toFixed(1)} µs, ${Math.round(load.requests / load.seconds)} requests/s`,
            )
          }
    })
    return sizes.flatMap(({ notes }) => notes.list())
  },
}
