import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { ChatEvent, ChatRequest } from '../../core/chat.ts'
import type { AnswerContext, ChatCaller, ChatReader, Framing, TargetContext } from '../../core/dialects/dialect.ts'
import { frameParser } from '../../core/framing.ts'

/** What the tests of every dialect do with it: write answers, read streams in pieces, and give it what it cannot be prepared for. */

export const asked: ChatRequest = {
  model: 'm',
  messages: [],
  tools: [],
  stream: true,
  includeUsage: true,
  unread: [],
}
export const answering: AnswerContext = { request: asked, requestId: 'r1', now: 1_767_225_600, elapsed: () => 5 }

export const contextOf = (model: string): TargetContext => ({
  model,
  settings: {},
  capabilities: { contextWindow: undefined, maxOutputTokens: undefined, prefill: undefined },
  requestId: 'r1',
})

/** The stream that a caller gets of such an answer. */
export function said(caller: ChatCaller, events: readonly ChatEvent[], context = answering): Buffer {
  const writer = caller.writer(context)
  return Buffer.concat([...events.map((event) => writer.write(event)), writer.end()])
}

/** The events of a stream that comes in `chunks`. */
export function heard(reader: ChatReader, framing: Framing, chunks: readonly Buffer[]): readonly ChatEvent[] {
  const parser = frameParser(framing)
  const frames = chunks.flatMap((chunk) => parser.push(chunk))
  const rest = parser.end()
  return [
    ...[...frames, ...(rest ? [rest] : [])].filter(({ empty }) => !empty).flatMap((frame) => reader.read(frame)),
    ...reader.end(),
  ]
}

/** Holds a stream to having the same events wherever it is cut in two. */
export function sameWhenCut(bytes: Buffer, hear: (chunks: readonly Buffer[]) => readonly ChatEvent[]): void {
  const whole = hear([bytes])
  // Told apart as text: a comparison of values takes longer than all the rest.
  const text = JSON.stringify(whole)
  for (let at = 0; at <= bytes.length; at += 1) {
    const events = hear([bytes.subarray(0, at), bytes.subarray(at)])
    if (JSON.stringify(events) !== text) assert.deepEqual(events, whole, `cut at byte ${at}`)
  }
}

/** Calls whose pieces come in any order among each other, each call's own in order, with text between. */
export const interleaved = fc
  .array(fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 3 }), { minLength: 1, maxLength: 4 })
  .chain((inputs) => {
    const texts = inputs.map((it) => JSON.stringify({ it }))
    const order = texts.flatMap((text, i) => Array.from({ length: text.length }, () => i))
    return fc.tuple(fc.constant(texts), fc.shuffledSubarray(order, { minLength: order.length }), fc.nat())
  })
  .map(([texts, order, spoken]) => {
    const at = texts.map(() => 0)
    const events: ChatEvent[] = [{ type: 'start', id: 'x', model: 'm' }]
    for (const [n, i] of order.entries()) {
      const from = at[i] ?? 0
      if (from === 0) events.push({ type: 'tool', choice: 0, index: i, id: `call_${i}`, name: `f${i}` })
      events.push({ type: 'arguments', choice: 0, index: i, text: texts[i]?.[from] ?? '' })
      at[i] = from + 1
      if (n === spoken % order.length) events.push({ type: 'text', choice: 0, text: 'meanwhile' })
    }
    const finish: ChatEvent[] = [{ type: 'finish', choice: 0, reason: 'tool_calls' }, { type: 'end' }]
    return { texts, events: [...events, ...finish] }
  })

/** JSON in which the members and words of a dialect stand where they do not belong. Both are lists with spaces between. */
export function odd(members: string, words = ''): fc.Arbitrary<unknown> {
  const names = `${members} toString constructor __proto__`.split(' ')
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.jsonValue(),
      fc.constantFrom(...words.split(' ')),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 5 }),
    ),
  })).value
}

/** Runs what may throw such an error, and no other. */
export function only(expected: new (...all: never[]) => Error, run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof expected)) throw error
  }
}
