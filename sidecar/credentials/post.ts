import { getCACertificates } from 'node:tls'
import { Bytes } from '../../core/bytes.ts'
import type { Receiver } from '../../core/deps.ts'
import type { Destination } from '../connect.ts'
import { Pool } from '../upstream.ts'

/** No server of tokens takes longer, ms. */
const PATIENCE = 10_000
/** No answer of theirs is larger, bytes. */
const MOST = 1 << 20

/** How a server of tokens is reached. */
export interface Way {
  /** The URL of the proxy through which a URL is reached. */
  readonly proxy: (url: URL) => string | undefined
  /**
   * The endpoint's own CA, PEM. It is trusted besides the system's, not instead of them: a model server with a private certificate may well
   * have its tokens of Google, as one behind a proxy that opens TLS has both by the proxy's.
   */
  readonly ca: string | undefined
}

/** Sends a form on a connection of its own, and resolves with the whole answer. Rejects where none comes within ten seconds. */
export function post(
  url: URL,
  { proxy, ca }: Way,
  body: string,
): Promise<{ readonly status: number; readonly body: string }> {
  const tls = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const trusted = tls && ca !== undefined ? [...getCACertificates('default'), ca].join('\n') : undefined
  const destination: Destination = {
    host,
    port: Number(url.port || (tls ? 443 : 80)),
    tls: tls ? { serverName: host, ca: trusted, cert: undefined, key: undefined } : undefined,
    proxy: proxy(url),
  }
  const headers = ['host', url.host, 'content-type', 'application/x-www-form-urlencoded', 'accept-encoding', 'identity']
  const path = url.pathname + url.search
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
