import { type Benchmark, Notes } from '../benchmark.ts'
import { launch, leanUpstream } from '../lab.ts'

/** From the start of the process to the first request answered. */
export const start: Benchmark = {
  name: 'start',
  about: 'time from the start of the process to the first answer, with 100 routes',
  without: ['direct'],
  async run(lab) {
    const notes = new Notes('100 routes (portkey: it has none), polled each ms; taskset and setpriv start it')
    const upstream = await leanUpstream(lab)
    try {
      for (let round = 1; round <= Math.max(lab.rounds, lab.quick ? 2 : 9); round += 1)
        for (const installed of lab.systems) {
          const running = await launch(lab, installed, upstream.targets, 100)
          await running.stop()
          notes.add(running.name, 'start', 'ms', running.startedIn)
          lab.log(`round ${round} ${running.name}: ${running.startedIn.toFixed(0)} ms`)
        }
    } finally {
      await upstream.stop()
    }
    return notes.list()
  },
}
