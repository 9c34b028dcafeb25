import { request } from 'node:https'
import type { Duplex } from 'node:stream'
import { checkServerIdentity, connect } from 'node:tls'
import { Failure } from './failure.ts'

const PATIENCE = 15_000

interface Question {
  readonly path: string
  readonly token: string
  readonly ca: string
  /** What the operator's certificate may be for. */
  readonly names: readonly string[]
}

/** Asks over a stream that leads to the operator, by HTTPS, and resolves with the JSON of an answer of 200. */
export function askThrough(stream: Duplex, { path, token, ca, names }: Question): Promise<unknown> {
  const [servername = ''] = names
  return new Promise((resolve, reject) => {
    const socket = connect({
      socket: stream,
      ca,
      servername,
      checkServerIdentity: (host, certificate) =>
        names.some((name) => checkServerIdentity(name, certificate) === undefined)
          ? undefined
          : checkServerIdentity(host, certificate),
    })
    socket.on('error', reject)
    const headers = { authorization: `Bearer ${token}`, host: servername }
    const asked = request({ createConnection: () => socket, path, headers, timeout: PATIENCE }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('error', reject).on('end', () => {
        if (answer.statusCode === 200) resolve(JSON.parse(text))
        else reject(new Failure(`it answered ${answer.statusCode}: ${text.slice(0, 500)}`))
      })
    })
    asked.on('timeout', () => asked.destroy(new Error(`it did not answer within ${PATIENCE / 1000} s`)))
    asked.on('error', reject).end()
  })
}
