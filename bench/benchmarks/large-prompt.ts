import { type Benchmark, Notes } from '../benchmark.ts'
import { sideBySide, streamingUpstream } from '../lab.ts'
import { wrk } from '../load/wrk.ts'
import { cpuTime } from '../proc.ts'
import { largeRequest } from '../wire.ts'

/**
 * Whether the cost of a request grows with its body more than it must. The upstream is the one that reads the body first: nginx would answer
 * at the headers, and no proxy would be through with the request.
 */
export const largePrompt: Benchmark = {
  name: 'large-prompt',
  about: 'CPU time a request with a prompt of 500 KB',
  async run(lab) {
    const seconds = lab.quick ? 2 : 6
    const notes = new Notes('chat request of 500 KB, answer of 1.5 KB, 8 connections')
    await sideBySide(lab, await streamingUpstream(lab, 1, 1), async (running) => {
      for (const it of running) await wrk(it, lab.directory, 8, lab.quick ? 1 : 3, largeRequest)
      for (let round = 1; round <= lab.rounds; round += 1)
        for (const it of running) {
          const before = it.pid === undefined ? 0 : cpuTime(it.pid)
          const load = await wrk(it, lab.directory, 8, seconds, largeRequest)
          notes.add(it.name, 'requests_per_second', '1/s', load.requests / load.seconds)
          notes.add(it.name, 'latency_p50', 'ms', load.p50)
          if (it.pid === undefined) continue
          const cost = (cpuTime(it.pid) - before) / load.requests
          notes.add(it.name, 'cpu_per_request', 'µs', cost)
          lab.log(`round ${round} ${it.name}: ${cost.toFixed(0)} µs`)
        }
    })
    return notes.list()
  },
}
