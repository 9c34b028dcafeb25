import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'

/** What became of the requests of a load. */
export interface Loaded {
  requests: number
  /** Answers that were not whole, or not 200, with what came instead; at most 100 are kept. */
  failed: number
  readonly failures: string[]
  /** Requests by who answered, the endpoint's `namespace/name`. */
  readonly by: Map<string, number>
}

export interface LoadOptions {
  /** Where requests go, one after the other. */
  readonly urls: readonly string[]
  readonly model: string
  readonly perSecond: number
  /** Part of the requests that are streamed, 0…1. */
  readonly streamed?: number
  /** Headers of the n-th request. */
  readonly headers?: (n: number) => Readonly<Record<string, string>>
  /** Hears of each whole answer: who gave it, and its request's id, and where both came through. */
  readonly heard?: (answer: { readonly by: string; readonly id: string; readonly url: string }) => Promise<unknown>
  readonly signal: AbortSignal
}

const TIMEOUT = 30_000
const KEPT = 100

/** Sends requests at a steady rate, whatever becomes of them, until the signal; resolves when the last one has its answer. */
export async function load({
  urls,
  model,
  perSecond,
  streamed = 0.5,
  headers,
  heard,
  signal,
}: LoadOptions): Promise<Loaded> {
  const agent = new Agent({ connections: 64, pipelining: 1 })
  const seen: Loaded = { requests: 0, failed: 0, failures: [], by: new Map() }
  const under = new Set<Promise<void>>()
  const one = async (n: number) => {
    const stream = (n * 0.618) % 1 < streamed
    try {
      const url = urls[n % urls.length] ?? ''
      const answer = await request(`${url}/v1/chat/completions`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json', ...headers?.(n) },
        body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: `hello ${n}` }] }),
        signal: AbortSignal.timeout(TIMEOUT),
      })
      const text = await answer.body.text()
      const whole = stream
        ? text.includes('data: [DONE]') && !text.includes('"error"')
        : text.includes('"finish_reason"')
      const by = String(answer.headers['x-tradewind-endpoint'])
      seen.by.set(by, (seen.by.get(by) ?? 0) + 1)
      if (answer.statusCode !== 200 || !whole) throw new Error(`${answer.statusCode} ${text.slice(-300)}`)
      await heard?.({ by, url, id: String(answer.headers['x-request-id']) })
    } catch (error) {
      seen.failed++
      if (seen.failures.length < KEPT) seen.failures.push(String(error))
    }
  }
  const started = performance.now()
  while (!signal.aborted) {
    const due = ((performance.now() - started) * perSecond) / 1000
    for (; seen.requests < due; seen.requests++) {
      const sent = one(seen.requests)
      under.add(sent)
      void sent.finally(() => under.delete(sent))
    }
    await sleep(5)
  }
  await Promise.all(under)
  await agent.close()
  return seen
}
