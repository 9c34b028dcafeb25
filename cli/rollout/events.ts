import { setTimeout as sleep } from 'node:timers/promises'
import type { RolloutView } from '../../operator/rollouts.ts'
import type { WatchChange, WatchState } from '../../operator/watch.ts'
import { Failure } from '../failure.ts'
import { Refusal, answered } from './ask.ts'
import type { Ask } from './ask.ts'

/** One Server-Sent Event. */
interface Event {
  readonly name: string
  readonly data: string
}

/** Reads a stream of Server-Sent Events (WHATWG HTML, section 9.2), as far as the operator writes them: `event` and `data`, one line each. */
export async function* events(body: AsyncIterable<unknown>): AsyncGenerator<Event> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const part of body) {
    const blocks = (rest + decoder.decode(part as Uint8Array, { stream: true })).split('\n\n') // bodies give bytes
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, name] = /^event: (.*)$/m.exec(block) ?? []
      const [, data] = /^data: (.*)$/m.exec(block) ?? []
      if (name !== undefined && data !== undefined) yield { name, data }
    }
  }
}

/** Failures to connect, one after the other, after which it is given up. */
const TRIES = 10

/**
 * The rollouts of a namespace, or all, again with each change: whole each time. Connects again where the connection ends, `lost` hears why;
 * rejects where the operator refuses, or cannot be asked any more. Ends when `signal` aborts.
 */
export async function* follow(
  ask: Ask,
  namespace: string | undefined,
  { signal, lost }: { readonly signal: AbortSignal; readonly lost: (why: string) => void },
): AsyncGenerator<readonly RolloutView[]> {
  const path = `/v1/watch?parts=rollouts${namespace === undefined ? '' : `&namespace=${encodeURIComponent(namespace)}`}`
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const answer = await ask(path)
      if (answer.status !== 200) await answered(Promise.resolve(answer))
      signal.addEventListener('abort', answer.close)
      try {
        const rollouts = new Map<string, RolloutView>()
        for await (const { name, data } of events(answer.body)) {
          failures = 0
          if (name === 'end') lost((JSON.parse(data) as { message: string }).message) // by the format of the stream
          else yield [...take(rollouts, name, data).values()]
        }
      } finally {
        signal.removeEventListener('abort', answer.close)
        answer.close()
      }
    } catch (error) {
      if (signal.aborted) return
      const { message } = error instanceof Error ? error : { message: String(error) }
      // 503 is for a moment: no leader, or too many who watch.
      if (error instanceof Refusal && error.status < 500) throw error
      if (failures >= TRIES)
        throw error instanceof Failure ? error : new Failure(`The operator cannot be asked: ${message}.`)
      lost(message)
    }
    await sleep(Math.min(5000, 250 * 2 ** failures), undefined, { signal }).catch(() => {})
  }
}

function take(rollouts: Map<string, RolloutView>, name: string, data: string): ReadonlyMap<string, RolloutView> {
  const keyOf = ({ route, rule }: RolloutView) => `${route}/${rule}`
  const told: unknown = JSON.parse(data)
  if (name === 'state') {
    rollouts.clear()
    for (const it of (told as WatchState).rollouts) rollouts.set(keyOf(it), it) // by the format of the stream
  } else if (name === 'change') {
    const { set, gone } = told as WatchChange // likewise
    for (const it of set.rollouts ?? []) rollouts.set(keyOf(it), it)
    for (const key of gone.rollouts ?? []) rollouts.delete(key)
  }
  return rollouts
}
