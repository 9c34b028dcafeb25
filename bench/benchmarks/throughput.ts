import { type Benchmark, Notes } from '../benchmark.ts'
import { leanUpstream, sideBySide } from '../lab.ts'
import { wrk } from '../load/wrk.ts'
import { cpuTime, resident } from '../proc.ts'

/** CPU time a request, and requests a second, of a proxy that has one core for itself. */
export const throughput: Benchmark = {
  name: 'throughput',
  about: 'CPU time a request, requests a second, latency and memory at 32 connections on one core',
  async run(lab) {
    const seconds = lab.quick ? 2 : 8
    const notes = new Notes('chat request of 0.3 KB, answer of 1.5 KB, 32 connections')
    await sideBySide(lab, await leanUpstream(lab), async (running) => {
      // A just-in-time compiler needs its time; the others get the same.
      for (const it of running) await wrk(it, lab.directory, 32, lab.quick ? 2 : 6)
      for (let round = 1; round <= lab.rounds; round += 1)
        for (const it of running) {
          const before = it.pid === undefined ? 0 : cpuTime(it.pid)
          const load = await wrk(it, lab.directory, 32, seconds)
          if (it.pid !== undefined) {
            const cost = (cpuTime(it.pid) - before) / load.requests
            notes.add(it.name, 'cpu_per_request', 'µs', cost)
            notes.add(it.name, 'resident', 'MiB', resident(it.pid))
            lab.log(
              `round ${round} ${it.name}: ${cost.toFixed(1)} µs, ${Math.round(load.requests / load.seconds)} requests/s`,
            )
          }
          notes.add(it.name, 'requests_per_second', '1/s', load.requests / load.seconds)
          notes.add(it.name, 'latency_p50', 'ms', load.p50)
          notes.add(it.name, 'latency_p99', 'ms', load.p99)
        }
    })
    return notes.list()
  },
}
