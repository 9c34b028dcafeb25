import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ChatEvent } from '../chat.ts'
import { NO_USAGE } from '../usage.ts'
import { continuation, Diverged, replay } from './splice.ts'
import type { Splice } from './splice.ts'
import { Transcript } from './transcript.ts'

const text = (words: string, choice = 0): ChatEvent => ({ type: 'text', choice, text: words })
const finish: ChatEvent = { type: 'finish', choice: 0, reason: 'stop' }

function transcript(events: readonly ChatEvent[]): Transcript {
  const said = new Transcript()
  for (const event of events) said.add(event)
  return said
}
const through = (splice: Splice, events: readonly ChatEvent[]) => events.flatMap((event) => splice.push(event))

/** Pieces of one kind that follow each other as one, so that answers cut in different ways can be compared. */
const merged = (events: readonly ChatEvent[]) => {
  const all = transcript(events)
  return [...all.pieces, ...events.filter(({ type }) => type === 'finish')]
}

/** Any answer: thoughts, text, calls with their arguments, in several choices. */
const answer = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('text' as const), words: fc.string({ minLength: 1, unit: 'grapheme' }) }),
      fc.record({ kind: fc.constant('reasoning' as const), words: fc.string({ minLength: 1 }) }),
      fc.record({ kind: fc.constant('call' as const), words: fc.json() }),
    ),
    { maxLength: 8 },
  )
  .map((parts): readonly ChatEvent[] => {
    let index = 0
    const events = parts.flatMap(({ kind, words }): readonly ChatEvent[] => {
      if (kind !== 'call') return [{ type: kind, choice: 0, text: words }]
      const call = { choice: 0, index: index++ } as const
      return [
        { type: 'tool', ...call, id: `call-${index}`, name: `f${index}` },
        { type: 'arguments', ...call, text: words },
      ]
    })
    return [...events, finish]
  })

/** The same answer with its texts cut at other places, under other ids. */
function recut(events: readonly ChatEvent[], every: number): readonly ChatEvent[] {
  return events.flatMap((event): readonly ChatEvent[] => {
    if (event.type === 'tool') return [{ ...event, id: `${event.id}-again` }]
    if (!('text' in event)) return [event]
    const pieces = event.text.match(new RegExp(`[^]{1,${every}}`, 'g')) ?? []
    return pieces.map((piece) => ({ ...event, text: piece }))
  })
}

test('replay: whatever the caller has of an answer, the same answer from elsewhere makes it whole', () => {
  fc.assert(
    fc.property(
      answer,
      fc.nat(),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      (whole, cut, a, b) => {
        const first = recut(whole, a).map((event) =>
          event.type === 'tool' ? { ...event, id: event.id.replace('-again', '') } : event,
        )
        const sent = first.slice(0, cut % first.length)
        const splice = replay(transcript(sent))
        const rest = through(splice, [{ type: 'start', id: 'other' }, ...recut(whole, b)])
        assert.equal(splice.held, false)
        const ids = (events: readonly ChatEvent[]) =>
          events.map((event) => (event.type === 'tool' ? { ...event, id: '' } : event))
        assert.deepEqual(ids(merged([...sent, ...rest])), ids(merged(whole)))
      },
    ),
  )
})

test('replay: an answer that differs anywhere in what the caller has is none', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 2 }), fc.nat(), fc.integer({ min: 1, max: 4 }), (words, place, every) => {
      const at = place % words.length
      const other = `${words.slice(0, at)}${words[at] === 'x' ? 'y' : 'x'}${words.slice(at + 1)}`
      const splice = replay(transcript([text(words)]))
      assert.throws(() => through(splice, [...recut([text(other)], every), finish]), Diverged)
    }),
  )
})

test('replay: shorter, of another kind, a call of another name, another signature: none of them', () => {
  const signature = (value: string): ChatEvent => ({
    type: 'signature',
    choice: 0,
    signature: { format: 'anthropic', value },
  })
  const call = (name: string): ChatEvent => ({ type: 'tool', choice: 0, index: 0, id: 'a', name })
  const cases: [ChatEvent[], ChatEvent[]][] = [
    [[text('Hello')], [text('Hell'), finish]],
    [[text('Hello')], [{ type: 'reasoning', choice: 0, text: 'Hello' }]],
    [[text('Hello'), call('f')], [text('Hello you')]],
    [[call('f')], [call('g')]],
    [
      [{ type: 'reasoning', choice: 0, text: 'Hm' }, signature('one')],
      [{ type: 'reasoning', choice: 0, text: 'Hm' }, signature('two')],
    ],
  ]
  for (const [sent, other] of cases) assert.throws(() => through(replay(transcript(sent)), other), Diverged)
})

test('replay: several choices are each joined for themselves, and one that was finished is not finished again', () => {
  const done: ChatEvent = { type: 'finish', choice: 1, reason: 'length' }
  const splice = replay(transcript([text('ab', 0), text('xy', 1), done]))
  assert.deepEqual(through(splice, [text('x', 1), text('abc', 0), text('y', 1), done, finish]), [text('c'), finish])
})

test('replay: log-probabilities and sources of what the caller has are not said twice', () => {
  const sure: ChatEvent = { type: 'logprobs', choice: 0, content: [] }
  const splice = replay(transcript([text('ab')]))
  assert.deepEqual(through(splice, [text('a'), sure, text('b'), sure, text('c'), sure]), [text('c'), sure])
})

test('continuation: what the target says follows on what the caller has', () => {
  const splice = continuation(transcript([text('Hello')]), { gap: '', echoes: false })
  assert.deepEqual(through(splice, [{ type: 'start' }, text(' you'), finish]), [text(' you'), finish])
})

test('continuation: white space that the target was not given is not said twice, and not lost', () => {
  for (const [said, rest] of [
    [' \nyou', 'you'],
    [' you', 'you'],
    ['you', 'you'],
    [' \n you', ' you'],
  ] as const) {
    const splice = continuation(transcript([text('Hello \n')]), { gap: ' \n', echoes: false })
    assert.equal(merged(through(splice, recut([text(said)], 1)))[0]?.type, 'text')
    const again = continuation(transcript([text('Hello \n')]), { gap: ' \n', echoes: false })
    assert.deepEqual(merged(through(again, recut([text(said)], 1))), [text(rest)])
  }
})

test('continuation: an answer that begins with what it was given is said from there on', () => {
  const given = () => continuation(transcript([text('Hello')]), { gap: '', echoes: true })
  for (const every of [1, 2, 3, 9]) {
    assert.deepEqual(merged(through(given(), recut([text('Hello you'), finish], every))), [text(' you'), finish])
    assert.deepEqual(merged(through(given(), recut([text('Hell, no'), finish], every))), [text('Hell, no'), finish])
  }
  assert.deepEqual(through(given(), [text('Hel'), finish]), [text('Hel'), finish])
})

test('continuation: the usage is of the answer that the caller got', () => {
  const said = transcript([text('a'), text('b'), text('c')])
  const usage = { ...NO_USAGE, input: 13, output: 5 }
  assert.deepEqual(continuation(said, { gap: '', echoes: false }).push({ type: 'usage', usage }), [
    { type: 'usage', usage: { ...usage, input: 10, output: 8, estimated: true } },
  ])
})

test('transcript: pieces of a kind are one; images are not kept; more than is kept is not', () => {
  const said = transcript([text('a'), text('b'), { type: 'reasoning', choice: 0, text: 'c' }, text('d'), text('e')])
  assert.deepEqual(said.pieces, [text('ab'), { type: 'reasoning', choice: 0, text: 'c' }, text('de')])
  const copy = said.copy()
  copy.add(text('f'))
  assert.deepEqual([said.pieces.length, said.tokens, copy.pieces.at(-1)], [3, 5, text('def')])
  assert.equal(transcript([{ type: 'image', choice: 0, mediaType: 'image/png', data: '' }]).lost, true)
  assert.equal(transcript([text('x'.repeat(200_000)), text('x'.repeat(100_000))]).lost, true)
})
