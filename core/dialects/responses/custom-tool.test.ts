import assert from 'node:assert/strict'
import test from 'node:test'
import type { ChatEvent } from '../../chat.ts'
import { collect } from '../../collect.ts'
import { frameParser } from '../../framing.ts'
import type { Json } from '../dialect.ts'
import { responsesCaller } from './caller.ts'

const patch = '*** Begin Patch\n"é"\n*** End Patch'
const request = responsesCaller.read(
  {
    model: 'm',
    input: [
      { role: 'user', content: 'Mend it' },
      { type: 'custom_tool_call', call_id: 'call_0', name: 'apply_patch', input: patch },
      { type: 'custom_tool_call_output', call_id: 'call_0', output: 'done' },
    ],
    tools: [
      {
        type: 'custom',
        name: 'apply_patch',
        description: 'Edits.',
        format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
      },
    ],
    tool_choice: { type: 'custom', name: 'apply_patch' },
  },
  {},
)
const context = { request, requestId: 'r', now: 1 }
const events: readonly ChatEvent[] = [
  { type: 'tool', choice: 0, index: 0, id: 'call_1', name: 'apply_patch' },
  ...(JSON.stringify({ input: patch }).match(/.{1,5}/gsu) ?? []).map((text): ChatEvent => ({
    type: 'arguments',
    choice: 0,
    index: 0,
    text,
  })),
  { type: 'finish', choice: 0, reason: 'tool_calls' },
]

test('a custom tool is a function of one string, and what it was called with comes back as its arguments', () => {
  assert.deepEqual(
    [request.tools[0]?.name, request.tools[0]?.parameters?.['required'], request.toolChoice, request.unread],
    ['apply_patch', ['input'], { name: 'apply_patch' }, []],
  )
  assert.match(
    request.tools[0]?.description ?? '',
    /^Edits\.\n\nThe input has to match this grammar \(lark\):\nstart: "x"$/,
  )
  const [, called] = request.messages
  assert.deepEqual(called?.content, [
    { type: 'tool-call', id: 'call_0', name: 'apply_patch', arguments: JSON.stringify({ input: patch }) },
  ])
})

test('a call of it is a custom call to the caller, whole and streamed', () => {
  const item = {
    id: 'ctc_r_0',
    type: 'custom_tool_call',
    status: 'completed',
    call_id: 'call_1',
    name: 'apply_patch',
    input: patch,
  }
  const whole = responsesCaller.answer(collect(events), context) as Json // an answer is an object
  assert.deepEqual(whole['output'], [item])
  const writer = responsesCaller.writer(context)
  const bytes = Buffer.concat([...events.map((event) => writer.write(event)), writer.end()])
  const bodies = frameParser('sse')
    .push(bytes)
    .map(({ data }) => JSON.parse(data))
  assert.deepEqual(
    bodies.map((it) => it.type.replace('response.', '')),
    [
      'created',
      'in_progress',
      'output_item.added',
      'custom_tool_call_input.delta',
      'custom_tool_call_input.done',
      'output_item.done',
      'completed',
    ],
  )
  assert.deepEqual([bodies[2].item.input, bodies[3].delta, bodies[4].input, bodies[5].item], ['', patch, patch, item])
  assert.deepEqual(bodies.at(-1).response.output, [item])
})

test('a model that does not keep to it is heard all the same', () => {
  const wild: readonly ChatEvent[] = [
    { type: 'tool', choice: 0, index: 0, id: 'c', name: 'apply_patch' },
    { type: 'arguments', choice: 0, index: 0, text: 'just a patch' },
    { type: 'finish', choice: 0, reason: 'tool_calls' },
  ]
  const { output } = responsesCaller.answer(collect(wild), context) as { output: { input: string }[] } // an answer has items
  assert.equal(output[0]?.input, 'just a patch')
})
