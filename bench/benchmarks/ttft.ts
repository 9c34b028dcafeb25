import { type Benchmark, Notes } from '../benchmark.ts'
import { sideBySide, streamingUpstream } from '../lab.ts'
import { firstEvents } from '../load/streams.ts'
import { percentile } from '../statistics.ts'
import { streamRequest } from '../wire.ts'

/** What a proxy adds to the time to the first token. */
export const ttft: Benchmark = {
  name: 'ttft',
  about: 'added time to the first event of a stream, over no proxy in the same round',
  async run(lab) {
    const count = lab.quick ? 20 : 120
    const notes = new Notes('stream of 60 events, one each 2 ms, one stream at a time')
    await sideBySide(lab, await streamingUpstream(lab, 60, 2), async (running) => {
      for (const it of running) await firstEvents(it, streamRequest, lab.quick ? 10 : 40)
      for (let round = 1; round <= lab.rounds; round += 1) {
        let direct = { p50: 0, p99: 0 }
        for (const it of running) {
          const times = await firstEvents(it, streamRequest, count)
          const found = { p50: percentile(times, 50), p99: percentile(times, 99) }
          notes.add(it.name, 'ttft_p50', 'ms', found.p50)
          notes.add(it.name, 'ttft_p99', 'ms', found.p99)
          if (it.pid === undefined) direct = found
          else {
            notes.add(it.name, 'added_ttft_p50', 'ms', found.p50 - direct.p50)
            notes.add(it.name, 'added_ttft_p99', 'ms', found.p99 - direct.p99)
            lab.log(`round ${round} ${it.name}: ${found.p50.toFixed(3)} ms`)
          }
        }
      }
    })
    return notes.list()
  },
}
