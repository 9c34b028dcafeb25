import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { checkServerIdentity, connect } from 'node:tls'
import { Failure } from './failure.ts'
import type { Line } from './line.ts'

const PATIENCE = 15_000

export interface Question {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Posted as JSON; without it the question is a GET. */
  readonly sent?: object
  /** By HTTPS, where the certificate is for one of the names. */
  readonly tls?: { readonly ca: string; readonly names: readonly string[] }
}

/** Asks over a connection, which it closes, and resolves with the JSON of an answer of 200. */
export async function askThrough(line: Line, question: Question): Promise<unknown> {
  const answer = await openThrough(line, question)
  const late = setTimeout(() => line.stream.destroy(silence()), PATIENCE)
  try {
    const text = await read(answer)
    if (answer.statusCode !== 200) throw new Failure(`it answered ${answer.statusCode}: ${text.slice(0, 500)}`)
    return JSON.parse(text)
  } finally {
    clearTimeout(late)
    line.close()
  }
}

/** Asks over a connection and resolves with the head of the answer, whatever its status; the body is read from it, and the connection closed by the caller. */
export async function openThrough({ stream, close }: Line, question: Question): Promise<IncomingMessage> {
  const { path, headers, tls, sent } = question
  const late = setTimeout(() => stream.destroy(silence()), PATIENCE)
  try {
    return await new Promise((resolve, reject) => {
      stream.on('error', reject)
      const socket = tls ? secure(stream, tls).on('error', reject) : stream
      const host = tls?.names[0] ?? 'localhost'
      const body = sent && JSON.stringify(sent)
      const posted = body
        ? { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
        : {}
      request(
        {
          createConnection: () => socket,
          path,
          method: body ? 'POST' : 'GET',
          headers: { host, ...posted, ...headers },
        },
        resolve,
      )
        .on('error', reject)
        .end(body)
    })
  } catch (error) {
    close()
    throw error
  } finally {
    clearTimeout(late)
  }
}

const silence = (): Error => new Error(`nothing came within ${PATIENCE / 1000} s`)

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
