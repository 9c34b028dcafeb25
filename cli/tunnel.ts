import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { checkServerIdentity, connect } from 'node:tls'
import { Failure } from './failure.ts'
import type { Line } from './line.ts'

const PATIENCE = 15_000

interface Question {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** By HTTPS, where the certificate is for one of the names. */
  readonly tls?: { readonly ca: string; readonly names: readonly string[] }
}

/** Asks over a connection, which it closes, and resolves with the JSON of an answer of 200. */
export async function askThrough({ stream, close }: Line, { path, headers, tls }: Question): Promise<unknown> {
  const late = setTimeout(() => stream.destroy(new Error(`nothing came within ${PATIENCE / 1000} s`)), PATIENCE)
  try {
    return await new Promise((resolve, reject) => {
      stream.on('error', reject)
      const socket = tls ? secure(stream, tls).on('error', reject) : stream
      const host = tls?.names[0] ?? 'localhost'
      request({ createConnection: () => socket, path, headers: { host, ...headers } }, (answer) => {
        read(answer).then((text) => {
          if (answer.statusCode === 200) resolve(JSON.parse(text))
          else reject(new Failure(`it answered ${answer.statusCode}: ${text.slice(0, 500)}`))
        }, reject)
      })
        .on('error', reject)
        .end()
    })
  } finally {
    clearTimeout(late)
    close()
  }
}

function secure(stream: Duplex, { ca, names }: NonNullable<Question['tls']>): Duplex {
  return connect({
    socket: stream,
    ca,
    servername: names[0] ?? '',
    checkServerIdentity: (host, certificate) =>
      names.some((name) => checkServerIdentity(name, certificate) === undefined)
        ? undefined
        : checkServerIdentity(host, certificate),
  })
}

async function read(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of answer.setEncoding('utf8')) text += String(part)
  return text
}
