import assert from 'node:assert/strict'
import test from 'node:test'
import { type Answer, bodyOf, Refusal } from '../answer.ts'
import { anthropic } from '../providers/anthropic.ts'

const voice = { name: 'mock', tokens: 8, created: 1_700_000_000 }
const plain = { model: 'claude-sonnet-4-5', max_tokens: 100 }

function ask(body: object, headers: Readonly<Record<string, string>> = { 'anthropic-version': '2023-06-01' }): Answer {
  const whole = { ...plain, ...body }
  const request = {
    method: 'POST',
    path: '/v1/messages',
    query: new URLSearchParams(),
    headers,
    body: whole,
    bytes: Buffer.from(JSON.stringify(whole)),
  }
  try {
    return anthropic.answer(request, { models: [], voice })
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    throw error
  }
}

const user = { role: 'user', content: 'Hello' }
const text = { type: 'text', text: 'Hello' }
const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }
const tool = { name: 'f', input_schema: schema }
const call = { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }
const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'x' }
const enabled = { type: 'enabled', budget_tokens: 1024 }
const marked = { ...text, cache_control: { type: 'ephemeral' } }
const hour = { ...text, cache_control: { type: 'ephemeral', ttl: '1h' } }
const says = (...content: readonly object[]) => [{ role: 'user', content }]

const refused: readonly (readonly [about: string, words: RegExp, body: object])[] = [
  ['an unknown member', /^seed: Extra inputs are not permitted/, { messages: [user], seed: 1 }],
  ['no max_tokens', /^max_tokens: Field required/, { messages: [user], max_tokens: undefined }],
  ['no messages', /at least one message is required/, { messages: [] }],
  ['an unknown role', /^messages.0.role: Input should be/, { messages: [{ role: 'tool', content: 'x' }] }],
  [
    'the assistant first',
    /first message must use the "user" role/,
    { messages: [{ role: 'assistant', content: 'x' }] },
  ],
  [
    'words of the system in the conversation of a model that takes none',
    /role 'system' is not supported/,
    { messages: [user, { role: 'system', content: 'x' }] },
  ],
  [
    'words of the system before the user’s',
    /must follow a 'user' message/,
    {
      model: 'claude-opus-5-5',
      messages: [user, { role: 'assistant', content: 'x' }, { role: 'system', content: 'x' }, user],
    },
  ],
  ['an empty message', /must have non-empty content/, { messages: [{ role: 'user', content: '' }] }],
  ['an empty text', /text content blocks must be non-empty/, { messages: says({ type: 'text', text: '' }) }],
  ['a text of white space', /must contain non-whitespace text/, { messages: says({ type: 'text', text: ' \n' }) }],
  [
    'white space at the end of a beginning',
    /cannot end with trailing whitespace/,
    { messages: [user, { role: 'assistant', content: 'Well ' }] },
  ],
  [
    'a beginning for a model that takes none',
    /does not support assistant message prefill/,
    { model: 'claude-opus-4-6', messages: [user, { role: 'assistant', content: 'Well' }] },
  ],
  [
    'a call without a result',
    /`tool_use` ids were found without `tool_result` blocks immediately after: toolu_1/,
    { messages: [user, { role: 'assistant', content: [call] }, user] },
  ],
  [
    'a result after text',
    /without `tool_result` blocks immediately after/,
    { messages: [user, { role: 'assistant', content: [call] }, { role: 'user', content: [text, result] }] },
  ],
  ['a result without a call', /unexpected `tool_use_id`/, { messages: [{ role: 'user', content: [result] }] }],
  [
    'an id with a dot',
    /should match pattern/,
    { messages: [user, { role: 'assistant', content: [{ ...call, id: 'a.b' }] }] },
  ],
  [
    'a signature of nobody',
    /Invalid `signature`/,
    {
      messages: [
        user,
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'x', signature: 'gemini:abc' }, text] },
        user,
      ],
    },
  ],
  [
    'a tool without a type',
    /input_schema.type: Field required/,
    { messages: [user], tools: [{ ...tool, input_schema: {} }] },
  ],
  ['two tools of one name', /Tool names must be unique/, { messages: [user], tools: [tool, tool] }],
  [
    'a strict tool that is open',
    /'additionalProperties' must be explicitly set to false/,
    { messages: [user], tools: [{ ...tool, strict: true }] },
  ],
  [
    'a choice without tools',
    /only be specified while providing tools/,
    { messages: [user], tool_choice: { type: 'auto' } },
  ],
  [
    'a choice in OpenAI’s words',
    /^tool_choice.type: Input should be/,
    { messages: [user], tools: [tool], tool_choice: { type: 'required' } },
  ],
  [
    'a forced call beside a budget',
    /Thinking may not be enabled when tool_choice forces tool use/,
    { messages: [user], max_tokens: 2000, tools: [tool], tool_choice: { type: 'any' }, thinking: enabled },
  ],
  [
    'a forced call of a late model',
    /forces tool use is not compatible/,
    { model: 'claude-opus-5-5', messages: [user], tools: [tool], tool_choice: { type: 'any' } },
  ],
  [
    'a budget above the bound',
    /`max_tokens` must be greater/,
    { messages: [user], max_tokens: 1024, thinking: enabled },
  ],
  [
    'a budget for a late model',
    /"thinking.type.enabled" is not supported/,
    { model: 'claude-opus-4-7', messages: [user], max_tokens: 2000, thinking: enabled },
  ],
  [
    'a loop without thought',
    /Expected `thinking` or `redacted_thinking`/,
    {
      messages: [user, { role: 'assistant', content: [call] }, { role: 'user', content: [result] }],
      max_tokens: 2000,
      thinking: enabled,
      tools: [tool],
    },
  ],
  ['a temperature above 1', /^temperature: range: 0..1/, { messages: [user], temperature: 1.5 }],
  ['temperature and top_p', /cannot both be specified/, { messages: [user], temperature: 0.5, top_p: 0.5 }],
  [
    'a temperature for a late model',
    /`temperature` is deprecated/,
    { model: 'claude-opus-4-7', messages: [user], temperature: 0.5 },
  ],
  [
    'a stop that is no list',
    /^stop_sequences: Input should be a valid list/,
    { messages: [user], stop_sequences: 'x' },
  ],
  ['a stop of white space', /non-whitespace/, { messages: [user], stop_sequences: ['\n'] }],
  [
    'an image of another type',
    /media_type: Input should be 'image\/jpeg'/,
    { messages: says({ type: 'image', source: { type: 'base64', media_type: 'image/tiff', data: 'AAAA' } }) },
  ],
  ['OpenAI’s image', /^messages.0.content.0.type/, { messages: says({ type: 'image_url', image_url: { url: 'x' } }) }],
  ['five marks', /A maximum of 4 blocks/, { messages: says(marked, marked, marked, marked, marked) }],
  ['an hour after five minutes', /must not come after/, { messages: says(marked, hour) }],
  [
    'a schema with a bound',
    /property 'minimum' is not supported/,
    {
      messages: [user],
      output_config: {
        format: {
          type: 'json_schema',
          schema: { ...schema, additionalProperties: false, properties: { a: { type: 'integer', minimum: 1 } } },
        },
      },
    },
  ],
]

for (const [about, words, body] of refused)
  test(`mock anthropic: refuses ${about}`, () => {
    const answer = ask(body)
    assert.equal(answer.status, 400)
    const said = JSON.parse(String(bodyOf(answer)))
    assert.equal(said.type, 'error')
    assert.equal(said.error.type, 'invalid_request_error')
    assert.match(said.error.message, words)
  })

test('mock anthropic: wants its version, and one that exists', () => {
  assert.equal(ask({ messages: [user] }, {}).status, 400)
  assert.equal(ask({ messages: [user] }, { 'anthropic-version': '2023-13-01' }).status, 400)
  assert.equal(ask({ messages: [user], temperature: 1 }, { 'anthropic-version': '2026-10-21' }).status, 400)
})

test('mock anthropic: consecutive messages of a role are one', () => {
  const answer = ask({ messages: [user, { role: 'user', content: 'again' }] })
  assert.equal(answer.status, 200)
  assert.equal(JSON.parse(String(bodyOf(answer))).stop_reason, 'end_turn')
})

test('mock anthropic: a stream has the events of the reference, each with its name', () => {
  const answer = ask({ messages: [user], stream: true, max_tokens: 2000, thinking: enabled })
  const names = answer.parts.map((part) => /^event: (\w+)\ndata: \{"type":"(\w+)"/.exec(String(part)))
  assert.ok(names.every((it) => it?.[1] !== undefined && it[1] === it[2]))
  const order = names.map((it) => it?.[1]).filter((it, i, all) => it !== all[i - 1])
  const block = ['content_block_start', 'content_block_delta', 'content_block_stop']
  assert.deepEqual(
    order.filter((it) => it !== 'ping'),
    ['message_start', ...block, ...block, 'message_delta', 'message_stop'],
  )
})
