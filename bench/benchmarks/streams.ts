import { setTimeout as sleep } from 'node:timers/promises'
import { type Benchmark, Notes } from '../benchmark.ts'
import { type Lab, type Running, sideBySide, streamingUpstream } from '../lab.ts'
import { Connection, type Destination, encode } from '../load/client.ts'
import { cpuTime, resident } from '../proc.ts'
import { percentile } from '../statistics.ts'
import { native, type Passage, requestOf, translated } from '../wire.ts'

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
async function hold({ pid }: Running, to: Destination, body: string, count: number, seconds: number): Promise<Outcome> {
  const before = pid === undefined ? 0 : resident(pid)
  const buffer = Buffer.alloc(65_536)
  const request = encode(to, body)
  const delays: number[] = []
  let counting = false
  let broken = 0
  const connections: Connection[] = []
  const onEvent = (delay: number): void => {
    if (counting) delays.push(delay)
  }
  for (let i = 0; i < count; i += 1) {
    const connection = new Connection(to, buffer)
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

/** As they are in one API, and said anew both ways. */
const passages: readonly Passage[] = [...native.slice(0, 1), ...translated]

/** How many streams one core carries, and at what cost. */
export const streams: Benchmark = {
  name: 'streams',
  about:
    'concurrent streams of 50 events a second each on one core, native and translated: delay of events, stalls, memory, CPU',
  // A tenth of these events is more than its one worker passes on in the time.
  without: ['litellm'],
  async run(lab) {
    const count = lab.quick ? 200 : 1000
    const seconds = lab.quick ? 3 : 10
    const works = passages.map((passage) => ({
      passage,
      body: requestOf(passage, { stream: true }),
      notes: new Notes(
        `${count} concurrent streams, ${passage.caller === passage.upstream ? passage.caller : `${passage.caller} from ${passage.upstream}`}`,
      ),
    }))
    await sideBySide(lab, await streamingUpstream(lab, 1_000_000, gap), async (running) => {
      for (let round = 0; round <= lab.rounds; round += 1)
        for (const { passage, body, notes } of works)
          for (const it of running) {
            const to = it.for(passage)
            if (!to) continue
            if (round === 0) await hold(it, to, body, 100, lab.quick ? 1 : 3)
            else note(lab, notes, it.name, count, await hold(it, to, body, count, seconds))
          }
    })
    return works.flatMap(({ notes }) => notes.list())
  },
}

function note(lab: Lab, notes: Notes, system: string, count: number, outcome: Outcome): void {
  const { delays, broken, before, during, cpu, seconds } = outcome
  if (delays.length === 0) throw new Error(`${system} passed no event on`)
  notes.add(system, 'events_per_second', '1/s', delays.length / seconds)
  notes.add(system, 'event_delay_p50', 'ms', percentile(delays, 50))
  notes.add(system, 'event_delay_p99', 'ms', percentile(delays, 99))
  notes.add(system, 'event_delay_max', 'ms', percentile(delays, 100))
  notes.add(system, 'events_late_100ms', '', delays.filter((delay) => delay > 100).length)
  notes.add(system, 'broken_streams', '', broken)
  if (before > 0) {
    notes.add(system, 'resident_per_stream', 'KiB', ((during - before) * 1024) / count)
    notes.add(system, 'cpu_per_event', 'µs', cpu / delays.length)
  }
  lab.log(
    `${system}: ${Math.round(delays.length / seconds)} events/s, p99 ${percentile(delays, 99).toFixed(1)} ms, ${broken} broken`,
  )
}
