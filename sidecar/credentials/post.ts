import { Bytes } from '../../core/bytes.ts'
import type { Receiver } from '../../core/deps.ts'
import type { Destination } from '../connect.ts'
import { Pool } from '../upstream.ts'

/** No server of tokens takes longer, ms. */
const PATIENCE = 10_000
/** No answer of theirs is larger, bytes. */
const MOST = 1 << 20

/** Sends one request on a connection of its own, and resolves with the whole answer. Rejects where none comes within ten seconds. */
export function post(
  destination: Destination,
  path: string,
  headers: string[],
  body: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const pool = new Pool(destination)
    const chunks: Buffer[] = []
    let status = 0
    let size = 0
    const over = (done: () => void): void => {
      clearTimeout(timer)
      pool.close()
      done()
    }
    const give = (words: string): void => {
      running.abort()
      over(() => reject(new Error(words)))
    }
    const receiver: Receiver = {
      sent() {},
      head: (it) => void (status = it),
      data(chunk) {
        size += chunk.length
        if (size > MOST) give('the answer is too large')
        // The bytes are only borrowed.
        else chunks.push(Buffer.from(chunk))
        return true
      },
      ended: () => over(() => resolve({ status, body: Buffer.concat(chunks).toString() })),
      failed: (_, error) => over(() => reject(error)),
    }
    const timer = setTimeout(() => give(`no answer within ${PATIENCE / 1000} s`), PATIENCE)
    const running = pool.call({ method: 'POST', path, headers, body: new Bytes([Buffer.from(body)]) }, receiver)
  })
}
