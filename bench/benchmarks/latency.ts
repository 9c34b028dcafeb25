import { type Benchmark, Notes } from '../benchmark.ts'
import { leanUpstream, sideBySide } from '../lab.ts'
import { wrk } from '../load/wrk.ts'

/** What a proxy adds to a request that has it for itself. */
export const latency: Benchmark = {
  name: 'latency',
  about: 'added latency with one connection, over no proxy in the same round',
  async run(lab) {
    const notes = new Notes('chat request of 0.3 KB, answer of 1.5 KB, 1 connection')
    await sideBySide(lab, await leanUpstream(lab), async (running) => {
      for (const it of running) await wrk(it, lab.directory, 8, lab.quick ? 1 : 4)
      for (let round = 1; round <= lab.rounds; round += 1) {
        let direct = { p50: 0, p99: 0 }
        for (const it of running) {
          const load = await wrk(it, lab.directory, 1, lab.quick ? 1 : 5)
          notes.add(it.name, 'latency_p50', 'ms', load.p50)
          notes.add(it.name, 'latency_p99', 'ms', load.p99)
          if (it.pid === undefined) direct = load
          else {
            notes.add(it.name, 'added_p50', 'ms', load.p50 - direct.p50)
            notes.add(it.name, 'added_p99', 'ms', load.p99 - direct.p99)
            lab.log(`round ${round} ${it.name}: ${load.p50.toFixed(3)} ms`)
          }
        }
      }
    })
    return notes.list()
  },
}
