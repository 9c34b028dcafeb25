import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { ChatEvent } from '../../core/chat.ts'
import { collect } from '../../core/collect.ts'
import type { ChatCaller, ChatTarget, Frame, TargetContext } from '../../core/dialects/dialect.ts'
import { frameParser } from '../../core/framing.ts'
import { answers } from './conversations.ts'
import { answering, heard, interleaved, said, sameWhenCut } from './dialects.ts'

interface Dialect {
  readonly caller: ChatCaller
  readonly target: ChatTarget
  readonly context: TargetContext
  readonly knobs: Parameters<typeof answers>[0]
  /** What of an answer the dialect has a place for. */
  readonly known?: (answer: Collected) => Collected
  /** How a whole answer is compared, where it is laid out anew. */
  readonly whole?: (answer: Collected) => unknown
  /** How many streams are cut at all their bytes. */
  readonly cuts: number
}

export type Collected = ReturnType<typeof collect>

/** Holds a dialect to saying an answer as it is, whole and streamed, wherever the stream is cut. */
export function holdsAnswers({ caller, target, context, knobs, cuts, ...how }: Dialect) {
  const { known = (answer) => answer, whole = (answer) => answer } = how
  const write = (events: readonly ChatEvent[]): Buffer => said(caller, events)
  const hear = (chunks: readonly Buffer[]): readonly ChatEvent[] =>
    heard(target.reader(context), target.framing, chunks)
  const gist = (events: readonly ChatEvent[]) => known(collect(events))

  test('an answer is the same after it was written and read, whole and streamed', () => {
    fc.assert(
      fc.property(answers(knobs), (events) => {
        const answer = gist(events)
        const streamed = hear([write(events)])
        assert.deepEqual(gist(streamed), answer)
        assert.deepEqual(streamed.at(-1), { type: 'end' })
        const body: unknown = JSON.parse(JSON.stringify(caller.answer(answer, answering)))
        assert.deepEqual(whole(gist(target.read(body, context))), whole(answer))
      }),
      { numRuns: 300 },
    )
  })

  test('a stream cut at any byte has the same events', () => {
    fc.assert(
      fc.property(answers(knobs), (events) => {
        sameWhenCut(write(events), hear)
      }),
      { numRuns: cuts },
    )
  })

  return { write, hear }
}

/** Holds a dialect with blocks to one block at a time. `follow` is told of each frame of a stream, and asserts that it is in its turn. */
export function holdsBlocks(
  { caller, target, context }: Pick<Dialect, 'caller' | 'target' | 'context'>,
  follow: () => (frame: Frame) => void,
): void {
  test('calls in any interleaving are written one block at a time, each with its own arguments', () => {
    fc.assert(
      fc.property(interleaved, ({ texts, events }) => {
        const bytes = said(caller, events)
        frameParser(target.framing).push(bytes).forEach(follow())
        const content = collect(heard(target.reader(context), target.framing, [bytes])).choices[0]?.content ?? []
        const calls = content.flatMap((part) => (part.type === 'tool-call' ? [[part.id, part.arguments]] : []))
        assert.deepEqual(Object.fromEntries(calls), Object.fromEntries(texts.map((text, i) => [`call_${i}`, text])))
        assert.ok(content.some((part) => part.type === 'text' && part.text === 'meanwhile'))
      }),
      { numRuns: 200 },
    )
  })
}
