import { Connection, type Destination, encode } from './client.ts'

const BUFFER = 65_536

/** Asks for one stream and resolves at its end. Rejects where it breaks off. */
function read(connection: Connection, request: string, onEvent: () => void): Promise<void> {
  return new Promise((resolve, reject) =>
    connection.send(request, {
      onEvent,
      onEnd: (whole) => (whole ? resolve() : reject(new Error('the stream broke off'))),
    }),
  )
}

/** Milliseconds from sending to the first event, of `count` streams one after the other on a kept connection. */
export async function firstEvents(to: Destination, body: string, count: number): Promise<readonly number[]> {
  const connection = new Connection(to, Buffer.alloc(BUFFER))
  const times: number[] = []
  try {
    await connection.opened
    const request = encode(to, body)
    for (let i = 0; i < count; i += 1) {
      const sent = performance.now()
      let first = true
      await read(connection, request, () => {
        if (first) times.push(performance.now() - sent)
        first = false
      })
    }
  } finally {
    connection.destroy()
  }
  return times
}

/** What came of streams over `connections` kept connections, each asking again as soon as its stream has ended. */
export interface Streamed {
  readonly streams: number
  readonly events: number
  readonly seconds: number
}

/** Reads streams for `seconds`, and those to their end that have begun by then. Rejects where one breaks off. */
export async function streamsFor(
  to: Destination,
  body: string,
  connections: number,
  seconds: number,
): Promise<Streamed> {
  const buffer = Buffer.alloc(BUFFER)
  const request = encode(to, body)
  const started = performance.now()
  const end = started + seconds * 1000
  let [streams, events] = [0, 0]
  const onEvent = (): void => void (events += 1)
  const caller = async (): Promise<void> => {
    const connection = new Connection(to, buffer)
    try {
      await connection.opened
      while (performance.now() < end) {
        await read(connection, request, onEvent)
        streams += 1
      }
    } finally {
      connection.destroy()
    }
  }
  await Promise.all(Array.from({ length: connections }, caller))
  return { streams, events, seconds: (performance.now() - started) / 1000 }
}
