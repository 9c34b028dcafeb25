import { type Benchmark, Notes } from '../benchmark.ts'
import { type Running, sideBySide, streamingUpstream } from '../lab.ts'
import { wrk } from '../load/wrk.ts'
import { cpuTime } from '../proc.ts'
import { largeRequestOf, native } from '../wire.ts'

/** Kilobytes. */
const sizes = [500, 5000]

/** The bodies are the largest there are: few at once keep what is in flight within a proxy's memory. */
const connections = 8

/**
 * Whether the cost of a request grows with its body more than it must. The upstream is the one that reads the body first: nginx would answer
 * at the headers, and no proxy would be through with the request.
 */
export const largePrompt: Benchmark = {
  name: 'large-prompt',
  about: `CPU time a request with a prompt of 500 KB and of 5 MB, the same API on both ends; answers of 1.5 KB, ${connections} connections`,
  // It copies such a body several times over in Python, at some requests a second.
  without: ['litellm'],
  async run(lab) {
    const seconds = lab.quick ? 2 : 6
    const works = sizes.flatMap((kilobytes) =>
      native.map((passage) => ({
        passage,
        body: largeRequestOf(passage.caller, kilobytes * 1000),
        notes: new Notes(`${passage.caller}, ${kilobytes} KB`),
      })),
    )
    await sideBySide(lab, await streamingUpstream(lab, 1, 1), async (running) => {
      for (let round = 0; round <= lab.rounds; round += 1)
        for (const { passage, body, notes } of works)
          for (const it of running) {
            const to = it.for(passage)
            if (!to) continue
            const before = used(it)
            const load = await wrk(to, lab.directory, connections, round === 0 ? Math.max(3, seconds) : seconds, body)
            if (round === 0) continue // for compilers to warm up in
            notes.add(it.name, 'requests_per_second', '1/s', load.requests / load.seconds)
            notes.add(it.name, 'latency_p50', 'ms', load.p50)
            if (it.pid === undefined) continue
            const cost = (used(it) - before) / load.requests
            notes.add(it.name, 'cpu_per_request', 'µs', cost)
            lab.log(`round ${round} ${passage.caller}, ${body.length} bytes, ${it.name}: ${cost.toFixed(0)} µs`)
          }
    })
    return works.flatMap(({ notes }) => notes.list())
  },
}

const used = ({ pid }: Running): number => (pid === undefined ? 0 : cpuTime(pid))
