import { request } from 'undici'
import { Failure } from './failure.ts'

/** Asks a local run's or sidecar's admin port, by POST where there is something to send, and resolves with the JSON of its answer. Throws `Failure` with what to do. */
export async function askAdmin(base: string, path: string, sent?: string): Promise<unknown> {
  const url = URL.canParse(path, base) ? new URL(path, base) : undefined
  if (!url?.protocol.startsWith('http')) throw new Failure(`${base} is no URL; give one such as http://127.0.0.1:4142.`)
  try {
    const { statusCode, body } = await request(url, {
      headersTimeout: 10_000,
      ...(sent === undefined ? {} : { method: 'POST', body: sent }),
    })
    const text = await body.text()
    if (statusCode !== 200) throw new Failure(`${url.origin} answered ${statusCode}: ${text.slice(0, 500).trim()}`)
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof Failure) throw error
    const why = error instanceof Error ? error.message || String(Object(error.cause).code ?? error.name) : String(error)
    throw new Failure(`${url.origin} cannot be asked (${why}); is \`tradewind run\` or a sidecar listening there?`)
  }
}
