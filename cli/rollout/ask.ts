import { request } from 'undici'
import type { Cluster } from '../cluster.ts'
import { Failure } from '../failure.ts'
import { openThrough } from '../tunnel.ts'

/** An answer whose body is still to be read; `close` lets go of it at any time. */
export interface Answer {
  readonly status: number
  readonly body: AsyncIterable<unknown>
  readonly close: () => void
}

/** Asks the operator's own API; what is sent is posted. Rejects where nobody answers. */
export type Ask = (path: string, sent?: object) => Promise<Answer>

/** What was asked was answered by a refusal. */
export class Refusal extends Failure {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Longer than a stream is ever silent, ms: it says every 15 s that it lives. */
const SILENCE = 45_000

/** The API on the admin port of a local run. */
export function askLocal(base: string): Ask {
  const origin = URL.canParse(base) ? new URL(base) : undefined
  if (!origin?.protocol.startsWith('http'))
    throw new Failure(`${base} is no URL; give one such as http://127.0.0.1:4142.`)
  return async (path, sent) => {
    try {
      const { statusCode, body } = await request(new URL(path, origin), {
        headersTimeout: 10_000,
        bodyTimeout: SILENCE,
        ...(sent
          ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(sent) }
          : {}),
      })
      return { status: statusCode, body, close: () => void body.destroy() }
    } catch (error) {
      throw new Failure(`${origin.origin} cannot be asked (${why(error)}); is \`tradewind run\` listening there?`)
    }
  }
}

/** The API of the operator of a cluster, over a connection for each question. */
export function askCluster(cluster: Cluster): Ask {
  return async (path, sent) => {
    const { line, question } = await cluster.operator()
    const answer = await openThrough(line, { ...question, path, ...(sent ? { sent } : {}) })
    const { stream } = line
    const silent = () => stream.destroy(new Error('the connection is silent'))
    let timer = setTimeout(silent, SILENCE)
    answer.on('data', () => {
      clearTimeout(timer)
      timer = setTimeout(silent, SILENCE)
    })
    answer.on('close', () => {
      clearTimeout(timer)
      line.close()
    })
    answer.pause()
    return { status: answer.statusCode ?? 0, body: answer, close: () => void answer.destroy() }
  }
}

/** Resolves with the JSON of an answer of 200; rejects with a Refusal that says what the operator says. */
export async function answered(asked: Promise<Answer>): Promise<unknown> {
  const { status, body } = await asked
  const text = await read(body)
  if (status === 200) return JSON.parse(text)
  throw new Refusal(status, message(text) ?? `It answered ${status}: ${text.slice(0, 500).trim()}`)
}

async function read(body: AsyncIterable<unknown>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of body) parts.push(Buffer.from(part as Uint8Array)) // bodies give bytes
  return Buffer.concat(parts).toString()
}

/** What the operator says is wrong. */
function message(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } } // what it answers that is not well
    return typeof error?.message === 'string' ? error.message : undefined
  } catch {
    return undefined
  }
}

function why(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message || String(Object(error.cause).code ?? Object(error).code ?? error.name)
}
