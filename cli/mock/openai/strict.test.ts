import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../answer.ts'
import { chat } from './chat.ts'
import { responses } from './responses.ts'

const voice = { name: 'a', tokens: 12, created: 1 }
const hi = [{ role: 'user', content: 'Hi' }]
const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
const tool = (rest: object = {}) => ({
  type: 'function',
  function: { name: 'f', parameters: { type: 'object' }, ...rest },
})

/** The refusal's message, param and code. */
function refusal(run: () => unknown): readonly unknown[] {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof Refusal)
    assert.equal(error.answer.status, 400)
    const { message, type, param, code } = JSON.parse(String(error.answer.parts[0])).error
    assert.equal(type, 'invalid_request_error')
    return [message, param, code]
  }
  return ['nothing was refused']
}

const chats: readonly (readonly [object, RegExp, string | null, string | null])[] = [
  [{ top_k: 1 }, /^Unrecognized request argument supplied: top_k$/, null, null],
  [
    { messages: [{ role: 'bot', content: 'Hi' }] },
    /^Invalid value: 'bot'\. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'\.$/,
    'messages[0].role',
    'invalid_value',
  ],
  [
    { messages: [...hi, { role: 'tool', tool_call_id: 'c', content: 'x' }] },
    /^Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'\.$/,
    'messages.[1].role',
    null,
  ],
  [
    {
      messages: [
        ...hi,
        { role: 'assistant', tool_calls: [call('c')] },
        { role: 'tool', tool_call_id: 'd', content: 'x' },
      ],
    },
    /'tool_call_id' of 'd' not found/,
    'messages.[2].tool_call_id',
    null,
  ],
  [
    {
      messages: [
        ...hi,
        { role: 'assistant', tool_calls: [call('c'), call('d')] },
        { role: 'tool', tool_call_id: 'c', content: 'x' },
        ...hi,
      ],
    },
    /must be followed by tool messages responding to each 'tool_call_id'\. The following tool_call_ids did not have response messages: d$/,
    'messages.[3].role',
    null,
  ],
  [
    { messages: [...hi, { role: 'assistant', tool_calls: [call('c')] }] },
    /did not have response messages: c$/,
    'messages.[2].role',
    null,
  ],
  [
    { messages: [{ role: 'assistant', content: null }] },
    /expected a string, got null/,
    'messages.[assistant].content',
    null,
  ],
  [
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'a', cache_control: {} }] }] },
    /^Unknown parameter: 'messages\[0\]\.content\[0\]\.cache_control'\.$/,
    'messages[0].content[0].cache_control',
    'unknown_parameter',
  ],
  [
    { messages: [{ role: 'assistant', content: 'a', reasoning_content: 'b' }] },
    /^Unknown parameter: 'messages\[0\]\.reasoning_content'\.$/,
    'messages[0].reasoning_content',
    'unknown_parameter',
  ],
  [
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'a.png' } }] }] },
    /^Invalid image_url\./,
    'messages[0].content[0].image_url.url',
    'invalid_value',
  ],
  [
    {
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:text/plain;base64,AAAA' } }] }],
    },
    /^Invalid MIME type\./,
    'messages[0].content[0].image_url.url',
    'invalid_image_format',
  ],
  [
    { messages: [{ role: 'tool', tool_call_id: 'c', content: [{ type: 'image_url' }] }] },
    /must be a response/,
    'messages.[0].role',
    null,
  ],
  [
    { model: 'o4-mini', max_tokens: 5 },
    /^Unsupported parameter: 'max_tokens' is not supported with this model\. Use 'max_completion_tokens' instead\.$/,
    'max_tokens',
    'unsupported_parameter',
  ],
  [
    { model: 'gpt-5-mini', temperature: 0.2 },
    /^Unsupported value: 'temperature' does not support 0\.2 with this model\./,
    'temperature',
    'unsupported_value',
  ],
  [{ model: 'o3', stop: 'a' }, /^Unsupported parameter: 'stop'/, 'stop', 'unsupported_parameter'],
  [
    { model: 'gpt-4o', reasoning_effort: 'low' },
    /^Unrecognized request argument supplied: reasoning_effort$/,
    null,
    null,
  ],
  [{ stop: ['a', 'b', 'c', 'd', 'e'] }, /array too long/, 'stop', 'array_above_max_length'],
  [{ temperature: 2.5 }, /decimal above maximum value/, 'temperature', 'decimal_above_max_value'],
  [{ top_logprobs: 2 }, /only allowed when 'logprobs' is enabled/, 'top_logprobs', null],
  [{ stream_options: { include_usage: true } }, /only allowed when 'stream' is enabled/, 'stream_options', null],
  [{ tools: [] }, /empty array/, 'tools', 'empty_array'],
  [{ tool_choice: 'auto' }, /only allowed when 'tools' are specified/, 'tool_choice', null],
  [{ tools: [tool({ name: 'a b' })] }, /string does not match pattern/, 'tools[0].function.name', 'invalid_value'],
  [
    { tools: [tool({ parameters: { type: 'string' } })] },
    /schema must be a JSON Schema of 'type: "object"'/,
    'tools[0].function.parameters',
    'invalid_function_parameters',
  ],
  [
    { tools: [tool({ strict: true, parameters: { type: 'object', properties: {} } })] },
    /'additionalProperties' is required/,
    'tools[0].function.parameters',
    'invalid_function_parameters',
  ],
  [
    { tools: [tool()], tool_choice: { type: 'function', function: { name: 'g' } } },
    /'g' was not found in 'tools'/,
    'tool_choice',
    null,
  ],
  [{ response_format: { type: 'json_object' } }, /must contain the word 'json'/, 'messages', null],
  [
    {
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'a',
          strict: true,
          schema: { type: 'object', additionalProperties: false, properties: { b: {} } },
        },
      },
    },
    /Missing 'b'/,
    'response_format',
    null,
  ],
  [{ modalities: ['text', 'audio'] }, /Missing required parameter: 'audio'/, 'audio', 'missing_required_parameter'],
]
for (const [body, says, param, code] of chats)
  test(`the simulated OpenAI refuses in a chat: ${JSON.stringify(body).slice(0, 90)}`, () => {
    const [message, ...rest] = refusal(() => chat({ model: 'm', messages: hi, ...body }, voice))
    assert.match(String(message), says)
    assert.deepEqual(rest, [param, code])
  })

const items: readonly (readonly [object, RegExp, string | null])[] = [
  [{ messages: hi }, /^Unknown parameter: 'messages'\.$/, 'unknown_parameter'],
  [
    { input: [{ type: 'function_call_output', call_id: 'c', output: 'x' }] },
    /^No tool call found for function call output with call_id c\.$/,
    null,
  ],
  [
    { input: [{ type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }] },
    /^No tool output found for function call c\.$/,
    null,
  ],
  [{ input: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] }, /^Invalid value: 'text'\./, 'invalid_value'],
  [
    { input: [{ type: 'reasoning', id: 'rs', summary: [], encrypted_content: 'anthropic:signature:x' }, ...hi] },
    /could not be verified/,
    'invalid_encrypted_content',
  ],
  [{ input: [...hi, { type: 'reasoning', id: 'rs', summary: [] }] }, /without its required following item/, null],
  [
    { previous_response_id: 'resp_none' },
    /^Previous response with id 'resp_none' not found\.$/,
    'previous_response_not_found',
  ],
  [{ max_output_tokens: 3 }, /between 16/, null],
  [{ model: 'gpt-5', temperature: 0.5 }, /^Unsupported parameter: 'temperature'/, null],
]
for (const [body, says, code] of items)
  test(`the simulated OpenAI refuses in a response: ${JSON.stringify(body).slice(0, 90)}`, () => {
    const [message, , found] = refusal(() => responses({ model: 'm', input: 'Hi', ...body }, voice))
    assert.match(String(message), says)
    assert.equal(found, code)
  })

test('the simulated OpenAI calls what is named, thinks where it can, stops where it is told, and shows probabilities', () => {
  const read = (body: object) => JSON.parse(String(chat({ model: 'm', messages: hi, ...body }, voice).parts[0]))
  const two = [tool(), { type: 'function', function: { name: 'g' } }]
  const both = read({ messages: [{ role: 'user', content: 'f and g, aloud' }], tools: two }).choices[0].message
  assert.deepEqual(
    [
      both.tool_calls.map((it: { function: { name: string } }) => it.function.name),
      both.content.startsWith('a heard:'),
    ],
    [['f', 'g'], true],
  )
  const single = read({ messages: [{ role: 'user', content: 'f and g' }], tools: two, parallel_tool_calls: false })
  assert.equal(single.choices[0].message.tool_calls.length, 1)
  assert.equal(read({ tools: two, tool_choice: 'none' }).choices[0].finish_reason, 'stop')
  const thinking = read({ model: 'o4-mini' }).usage
  assert.deepEqual([thinking.completion_tokens, thinking.completion_tokens_details.reasoning_tokens], [20, 8])
  assert.equal(read({ model: 'o4-mini', max_completion_tokens: 4 }).choices[0].finish_reason, 'length')
  assert.equal(read({ stop: ' Hi' }).choices[0].message.content, 'a heard:')
  const probable = read({ logprobs: true, top_logprobs: 2 }).choices[0]
  assert.equal(probable.logprobs.content.map((it: { token: string }) => it.token).join(''), probable.message.content)
  assert.equal(probable.logprobs.content[0].top_logprobs.length, 2)
  const begun = read({}).choices[0].message.content
  const again = read({ messages: [...hi, { role: 'assistant', content: begun.slice(0, 14) }] }).choices[0].message
  assert.match(again.content, /^a heard: Hi/, 'it does not go on from a beginning, but answers anew')
})
