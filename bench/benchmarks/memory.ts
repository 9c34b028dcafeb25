import { setTimeout as sleep } from 'node:timers/promises'
import { type Benchmark, Notes } from '../benchmark.ts'
import { launch, type Running, streamingUpstream } from '../lab.ts'
import { Connection, encode } from '../load/client.ts'
import { wrk } from '../load/wrk.ts'
import { resident } from '../proc.ts'
import { slope } from '../statistics.ts'
import { request, streamRequest } from '../wire.ts'

/**
 * `count` requests by 64 callers at once: one in ten asks for a stream and leaves after its first event, the rest are answered whole. Resolves
 * with the memory after each twentieth of them: thousands of requests, MiB.
 */
async function mixed(it: Running, pid: number, count: number): Promise<readonly (readonly [number, number])[]> {
  const buffer = Buffer.alloc(65_536)
  const [whole, streamed] = [encode(it, request), encode(it, streamRequest)]
  const samples: [number, number][] = []
  let sent = 0
  const caller = async (): Promise<void> => {
    let connection = new Connection(it, buffer)
    while (sent < count) {
      sent += 1
      const leaves = sent % 10 === 0
      if (sent % (count / 20) === 0) samples.push([sent / 1000, resident(pid)])
      await new Promise<void>((resolve, reject) => {
        const onEnd = (ended: boolean): void => (ended ? resolve() : reject(new Error('the connection broke')))
        connection.send(leaves ? streamed : whole, leaves ? { onEvent: () => resolve(), onEnd } : { onEnd })
      })
      if (leaves) {
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
  about: 'resident memory: idle, at 128 connections, after 200,000 mixed requests with aborted streams',
  without: ['direct'],
  async run(lab) {
    const count = lab.quick ? 20_000 : 200_000
    const notes = new Notes(`idle; 128 connections; ${count} requests, one in ten a stream that its caller leaves`)
    const upstream = await streamingUpstream(lab, 60, 20)
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
