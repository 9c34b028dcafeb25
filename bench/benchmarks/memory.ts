import { setTimeout as sleep } from 'node:timers/promises'
import { type Benchmark, Notes } from '../benchmark.ts'
import { launch, type Running, streamingUpstream } from '../lab.ts'
import { Connection, encode } from '../load/client.ts'
import { wrk } from '../load/wrk.ts'
import { resident } from '../proc.ts'
import { slope } from '../statistics.ts'
import { native, requestOf, translated } from '../wire.ts'

/** One of the requests that are mixed. */
interface Ask {
  readonly bytes: string
  /** It asks for a stream, and leaves after the first event. */
  readonly leaves: boolean
}

/**
 * Requests in the order in which they are sent over and over: of ten, seven are answered whole, two are streams whose caller leaves and one
 * is a stream that is read to its end. Each of these is in turn in both APIs, as it is and said anew, as far as the system knows that.
 */
function mixture(it: Running): readonly Ask[] {
  const able = [...native, ...translated].flatMap((passage) => {
    const to = it.for(passage)
    return to ? [{ passage, to }] : []
  })
  const asks = (kind: 'whole' | 'stream' | 'left'): readonly Ask[] =>
    able.map(({ passage, to }) => ({
      bytes: encode(to, requestOf(passage, kind === 'whole' ? {} : { stream: true })),
      leaves: kind === 'left',
    }))
  const kinds = ['whole', 'whole', 'left', 'whole', 'whole', 'stream', 'whole', 'whole', 'left', 'whole'] as const
  // A whole turn of the passages for each place, so that every kind has each of them equally often.
  const turns = able.map((_, turn) => kinds.map((kind, place) => asks(kind)[(turn + place) % able.length]))
  return turns.flat().filter((ask) => ask !== undefined)
}

/** `count` requests by 64 callers at once. Resolves with the memory after each twentieth of them: thousands of requests, MiB. */
async function mixed(it: Running, pid: number, count: number): Promise<readonly (readonly [number, number])[]> {
  const buffer = Buffer.alloc(65_536)
  const asks = mixture(it)
  const samples: [number, number][] = []
  let sent = 0
  const caller = async (): Promise<void> => {
    let connection = new Connection(it, buffer)
    while (sent < count) {
      const ask = asks[sent % asks.length]
      if (!ask) throw new Error(`${it.name} serves nothing`)
      sent += 1
      if (sent % (count / 20) === 0) samples.push([sent / 1000, resident(pid)])
      await new Promise<void>((resolve, reject) => {
        const onEnd = (ended: boolean): void => (ended ? resolve() : reject(new Error('the connection broke')))
        connection.send(ask.bytes, ask.leaves ? { onEvent: () => resolve(), onEnd } : { onEnd })
      })
      if (ask.leaves) {
        connection.destroy()
        connection = new Connection(it, buffer)
      }
    }
    connection.destroy()
  }
  await Promise.all(Array.from({ length: 64 }, caller))
  return samples
}

/** Resident memory at rest, under load, and whether it grows. */
export const memory: Benchmark = {
  name: 'memory',
  about:
    'resident memory: idle, at 128 connections, after 200,000 mixed requests, native and translated, with streams read and aborted',
  // The mixture takes LiteLLM an hour.
  without: ['direct', 'litellm'],
  async run(lab) {
    const count = lab.quick ? 20_000 : 200_000
    const notes = new Notes(
      `idle; 128 connections; ${count} requests: 70 % whole, 10 % streams of 60 events read, 20 % left by their callers; both APIs, translated where the system does that`,
    )
    const upstream = await streamingUpstream(lab, 60, 2)
    try {
      for (const installed of lab.systems) {
        const it = await launch(lab, installed, upstream.targets)
        const { pid } = it
        if (pid === undefined) continue
        try {
          await sleep(3000)
          notes.add(it.name, 'resident_idle', 'MiB', resident(pid))
          const load = wrk(it, lab.directory, 128, lab.quick ? 3 : 10)
          let most = 0
          const watch = setInterval(() => (most = Math.max(most, resident(pid))), 200)
          await load.finally(() => clearInterval(watch))
          notes.add(it.name, 'resident_128_connections', 'MiB', most)
          const samples = await mixed(it, pid, count)
          await sleep(3000)
          notes.add(it.name, 'resident_after_mixed', 'MiB', resident(pid))
          // The first half fills pools and heaps; a leak shows in the second.
          notes.add(it.name, 'growth_per_100k_requests', 'MiB', slope(samples.slice(samples.length / 2)) * 100)
          lab.log(`${it.name}: ${samples.map(([, mebibytes]) => mebibytes.toFixed(0)).join(' ')} MiB`)
          lab.evidence.set(it.name, await it.evidence())
        } finally {
          await it.stop()
        }
      }
    } finally {
      await upstream.stop()
    }
    return notes.list()
  },
}
