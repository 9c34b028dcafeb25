import { setTimeout as sleep } from 'node:timers/promises'
import { type Benchmark, Notes } from '../benchmark.ts'
import { type Running, sideBySide, streamingUpstream } from '../lab.ts'
import { Connection, encode } from '../load/client.ts'
import { cpuTime, resident } from '../proc.ts'
import { percentile } from '../statistics.ts'
import { streamRequest } from '../wire.ts'

const gap = 20

interface Outcome {
  readonly delays: readonly number[]
  readonly broken: number
  /** MiB before the streams, and at the end of the time with all of them open. */
  readonly before: number
  readonly during: number
  /** Microseconds of the proxy's CPU while all were open. */
  readonly cpu: number
  readonly seconds: number
}

/** Opens `count` streams within a second, then looks at them for `seconds`. */
async function hold(it: Running, count: number, seconds: number): Promise<Outcome> {
  const { pid } = it
  const before = pid === undefined ? 0 : resident(pid)
  const buffer = Buffer.alloc(65_536)
  const request = encode(it, streamRequest)
  const delays: number[] = []
  let counting = false
  let broken = 0
  const connections: Connection[] = []
  const onEvent = (delay: number): void => {
    if (counting) delays.push(delay)
  }
  for (let i = 0; i < count; i += 1) {
    const connection = new Connection(it, buffer)
    connections.push(connection)
    connection.send(request, { onEvent, onEnd: () => (broken += 1) })
    if (i % 10 === 9) await sleep(10)
  }
  await sleep(2000)
  counting = true
  const [cpu, started] = [pid === undefined ? 0 : cpuTime(pid), performance.now()]
  await sleep(seconds * 1000)
  counting = false
  const elapsed = (performance.now() - started) / 1000
  const outcome = {
    delays,
    broken,
    before,
    during: pid === undefined ? 0 : resident(pid),
    cpu: pid === undefined ? 0 : cpuTime(pid) - cpu,
    seconds: elapsed,
  }
  for (const connection of connections) connection.destroy()
  await sleep(1000)
  return outcome
}

/** How many streams one core carries, and at what cost. */
export const streams: Benchmark = {
  name: 'streams',
  about: 'concurrent streams of 50 events a second each on one core: delay of events, stalls, memory, CPU',
  async run(lab) {
    const count = lab.quick ? 200 : 1000
    const seconds = lab.quick ? 3 : 10
    const notes = new Notes(`${count} concurrent streams, 50 events a second each`)
    await sideBySide(lab, await streamingUpstream(lab, 1_000_000, gap), async (running) => {
      for (const it of running) await hold(it, 100, lab.quick ? 1 : 3)
      for (let round = 1; round <= lab.rounds; round += 1)
        for (const it of running) {
          const { delays, broken, before, during, cpu, seconds: elapsed } = await hold(it, count, seconds)
          if (delays.length === 0) throw new Error(`${it.name} passed no event on`)
          notes.add(it.name, 'events_per_second', '1/s', delays.length / elapsed)
          notes.add(it.name, 'event_delay_p50', 'ms', percentile(delays, 50))
          notes.add(it.name, 'event_delay_p99', 'ms', percentile(delays, 99))
          notes.add(it.name, 'event_delay_max', 'ms', percentile(delays, 100))
          notes.add(it.name, 'events_late_100ms', '', delays.filter((delay) => delay > 100).length)
          notes.add(it.name, 'broken_streams', '', broken)
          if (it.pid !== undefined) {
            notes.add(it.name, 'resident_per_stream', 'KiB', ((during - before) * 1024) / count)
            notes.add(it.name, 'cpu_per_event', 'µs', cpu / delays.length)
          }
          lab.log(
            `round ${round} ${it.name}: ${Math.round(delays.length / elapsed)} events/s, p99 ${percentile(delays, 99).toFixed(1)} ms`,
          )
        }
    })
    return notes.list()
  },
}
