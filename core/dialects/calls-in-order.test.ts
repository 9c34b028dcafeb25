import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { ChatEvent } from '../chat.ts'
import { collect } from '../collect.ts'
import { CallsInOrder } from './calls-in-order.ts'

const choice = 0
const tool = (index: number): ChatEvent => ({ type: 'tool', choice, index, id: `call_${index}`, name: 'f' })
const args = (index: number, text: string): ChatEvent => ({ type: 'arguments', choice, index, text })
const text = (said: string): ChatEvent => ({ type: 'text', choice, text: said })
const finish: ChatEvent = { type: 'finish', choice, reason: 'tool_calls' }

function ordered(events: readonly ChatEvent[]): readonly ChatEvent[] {
  const order = new CallsInOrder()
  return [...events.flatMap((event) => order.push(event)), ...order.rest()]
}

test('calls in order: calls that come one after the other are not held back', () => {
  const order = new CallsInOrder()
  for (const event of [text('I'), tool(0), args(0, '{"a"'), args(0, ':1}'), tool(1), args(1, '{}'), text('!'), finish])
    assert.deepEqual(order.push(event), [event])
})

test('calls in order: what interleaves waits until the call that is open is whole', () => {
  const given = [tool(0), tool(1), args(1, '{"b":'), args(0, '{"a":1'), args(0, '}'), args(1, '2}'), finish]
  assert.deepEqual(ordered(given), [
    tool(0),
    args(0, '{"a":1'),
    args(0, '}'),
    tool(1),
    args(1, '{"b":'),
    args(1, '2}'),
    finish,
  ])
})

test('calls in order: any mixture of calls keeps what each says, and no call begins before the one before is whole', () => {
  const pieces = fc.array(fc.array(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 4,
  })
  fc.assert(
    fc.property(pieces, fc.infiniteStream(fc.nat(3)), (calls, turns) => {
      // Each call's arguments are an object, cut where the generator says; the calls take turns as it says.
      const left = calls.map((cut, index) => {
        const whole = JSON.stringify({ said: cut.join('') })
        const at = 1 + (cut[0]?.length ?? 0)
        return [tool(index), args(index, whole.slice(0, at)), args(index, whole.slice(at))]
      })
      const given: ChatEvent[] = []
      for (const turn of turns) {
        const most = left.filter((it) => it.length > 0)
        if (most.length === 0) break
        // A call does not begin before those with lower indices have.
        const begun = left.filter(
          (it, i) => it.length > 0 && (it.length < 3 || left.slice(0, i).every((before) => before.length < 3)),
        )
        const event = begun[turn % begun.length]?.shift()
        if (event) given.push(event)
      }
      given.push(finish)
      const out = ordered(given)
      const shown = (events: readonly ChatEvent[]) =>
        collect(events).choices[0]?.content.map((part) =>
          part.type === 'tool-call' ? [part.id, part.arguments] : part,
        )
      assert.deepEqual(shown(out), shown(given))
      let open = -1
      for (const event of out)
        if (event.type === 'tool') open = event.index
        else if (event.type === 'arguments') assert.equal(event.index, open)
    }),
  )
})
