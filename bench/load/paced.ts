import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, encode } from './client.ts'
import type { Destination } from './client.ts'

/** Connections that are there for the requests that come while others are being answered. */
const CONNECTIONS = 16

/**
 * Sends `count` requests that come at random, `perSecond` of them on average (a Poisson process), whether or not those before are answered.
 * Resolves with how long each took, ms, once all are answered. `random` in [0, 1). Throws where a connection broke.
 */
export async function paced(
  to: Destination,
  body: string,
  { count, perSecond, random }: { readonly count: number; readonly perSecond: number; readonly random: () => number },
): Promise<readonly number[]> {
  const buffer = Buffer.alloc(64 * 1024)
  const free = Array.from({ length: CONNECTIONS }, () => new Connection(to, buffer))
  await Promise.all(free.map(({ opened }) => opened))
  const all = [...free]
  const request = encode(to, body)
  const times: number[] = []
  const lost: string[] = []
  let due = performance.now()
  let sent = 0
  while (sent < count && lost.length === 0) {
    due += (-Math.log(1 - random()) * 1000) / perSecond
    await sleep(Math.max(0, due - performance.now()))
    const connection = free.pop()
    // All are waiting: the next one comes when it can, and what it waited for is not measured.
    if (!connection) continue
    const began = performance.now()
    sent++
    connection.send(request, {
      onEnd: (whole) => {
        if (!whole) lost.push('a connection broke in the middle of an answer')
        times.push(performance.now() - began)
        free.push(connection)
      },
    })
  }
  while (times.length < sent && lost.length === 0) await sleep(1)
  for (const connection of all) connection.destroy()
  if (lost[0] !== undefined) throw new Error(lost[0])
  return times
}
