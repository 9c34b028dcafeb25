import { type Benchmark, Notes } from '../benchmark.ts'
import { ask, type Lab, leanUpstream, type Running, sideBySide, streamingUpstream } from '../lab.ts'
import { firstEvents, streamsFor } from '../load/streams.ts'
import { wrk } from '../load/wrk.ts'
import { cpuTime } from '../proc.ts'
import { percentile } from '../statistics.ts'
import { native, type Passage, requestOf, translated } from '../wire.ts'

const names = { openai: 'OpenAI', anthropic: 'Anthropic' } as const

/** A passage with what is measured of it. */
interface Way {
  readonly passage: Passage
  readonly notes: Notes
}

/** What it costs to answer callers of one API from an upstream of another. */
export const translate: Benchmark = {
  name: 'translate',
  about:
    'callers of OpenAI and Anthropic from upstreams of both: 1.5 KB whole at 32 connections; streams of 60 events, one each 2 ms, 32 at once for CPU and one at a time for the first event',
  without: ['nginx', 'envoy'],
  async run(lab) {
    // What is not translated beside it shows the price of translation.
    const ways = [...native, ...translated].map((passage) => ({
      passage,
      notes: new Notes(`${names[passage.caller]} caller, ${names[passage.upstream]} upstream`),
    }))
    await sideBySide(lab, await leanUpstream(lab), (running) => each(lab, running, ways, whole))
    await sideBySide(lab, await streamingUpstream(lab, 60, 2), (running) => each(lab, running, ways, streamed))
    return ways.flatMap(({ notes }) => notes.list())
  },
}

type Measure = (lab: Lab, way: Way, running: readonly Running[], round: number) => Promise<void>

/** Every round has each way with all systems that know it; the one before the first is for compilers to warm up in. */
async function each(lab: Lab, running: readonly Running[], ways: readonly Way[], measure: Measure): Promise<void> {
  for (let round = 0; round <= lab.rounds; round += 1)
    for (const way of ways) {
      const able = running.filter((it) => it.for(way.passage) !== undefined)
      await measure(lab, round === 0 ? { ...way, notes: new Notes('') } : way, able, round)
    }
}

async function whole(lab: Lab, { passage, notes }: Way, running: readonly Running[], round: number): Promise<void> {
  const body = requestOf(passage)
  for (const it of running) {
    const to = it.for(passage)
    if (!to) continue
    // The first of a kind may have modules to load, for longer than the load waits.
    if (round === 0) await ask(to, body)
    const before = it.pid === undefined ? 0 : cpuTime(it.pid)
    const load = await wrk(to, lab.directory, 32, lab.quick ? 2 : 5, body)
    notes.add(it.name, 'requests_per_second', '1/s', load.requests / load.seconds)
    if (it.pid === undefined) continue
    const cost = (cpuTime(it.pid) - before) / load.requests
    notes.add(it.name, 'cpu_per_request', 'µs', cost)
    lab.log(`${title(round, passage)}, ${it.name}: ${cost.toFixed(1)} µs a whole answer`)
  }
}

async function streamed(lab: Lab, { passage, notes }: Way, running: readonly Running[], round: number): Promise<void> {
  const body = requestOf(passage, { stream: true })
  let direct = 0
  for (const it of running) {
    const to = it.for(passage)
    if (!to) continue
    if (round === 0) await ask(to, body)
    const first = percentile(await firstEvents(to, body, lab.quick ? 20 : 60), 50)
    const before = it.pid === undefined ? 0 : cpuTime(it.pid)
    const { streams, events, seconds } = await streamsFor(to, body, 32, lab.quick ? 2 : 5)
    notes.add(it.name, 'streams_per_second', '1/s', streams / seconds)
    if (it.pid === undefined) direct = first
    else {
      const cost = cpuTime(it.pid) - before
      notes.add(it.name, 'cpu_per_stream', 'µs', cost / streams)
      notes.add(it.name, 'cpu_per_event', 'µs', cost / events)
      notes.add(it.name, 'added_ttft_p50', 'ms', first - direct)
      lab.log(
        `${title(round, passage)}, ${it.name}: ${(cost / events).toFixed(1)} µs an event, first after ${first.toFixed(3)} ms`,
      )
    }
  }
}

const title = (round: number, { caller, upstream }: Passage): string =>
  `${round === 0 ? 'warm-up' : `round ${round}`}, ${caller} from ${upstream}`
