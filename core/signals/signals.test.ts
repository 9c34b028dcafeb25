import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Question } from '../question.ts'
import type { Signals } from './signals.ts'

const PIXEL = 'iVBORw0KGgo='
const tool = { type: 'object', properties: { city: { type: 'string' } } }

function signalsOf(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Signals {
  const told = {
    model: '',
    path,
    header: (name: string) => headers[name],
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }
  const { signals } = new Question(told, 0)
  assert.ok(signals, 'the path is of a surface')
  return signals
}

/** What Cohere's chat has as OpenAI's has it. */
const asOpenAI = {
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
      ],
    },
  ],
  tools: [{ type: 'function', function: { name: 'weather', parameters: tool } }],
  max_tokens: 50,
}

/** The same request in every dialect that has a conversation: a system prompt, two user turns, a picture, a tool, a bound, a schema. */
const dialects: Readonly<Record<string, unknown>> = {
  '/v1/chat/completions': {
    model: 'm',
    ...asOpenAI,
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: tool } },
  },
  '/v1/messages': {
    model: 'm',
    system: 'Be brief.',
    messages: [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
        ],
      },
    ],
    tools: [{ name: 'weather', input_schema: tool }],
    max_tokens: 50,
    output_config: { format: { type: 'json_schema', schema: tool } },
  },
  '/v1/responses': {
    model: 'm',
    instructions: 'Be brief.',
    input: [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi.' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'What is this?' },
          { type: 'input_image', image_url: `data:image/png;base64,${PIXEL}` },
        ],
      },
    ],
    tools: [{ type: 'function', name: 'weather', parameters: tool }],
    max_output_tokens: 50,
    text: { format: { type: 'json_schema', name: 'answer', schema: tool } },
  },
  '/v1beta/models/m:generateContent': {
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'Hello' }] },
      { role: 'model', parts: [{ text: 'Hi.' }] },
      { role: 'user', parts: [{ text: 'What is this?' }, { inlineData: { mimeType: 'image/png', data: PIXEL } }] },
    ],
    tools: [{ functionDeclarations: [{ name: 'weather', parameters: tool }] }],
    generationConfig: { maxOutputTokens: 50, responseMimeType: 'application/json', responseSchema: tool },
  },
  '/model/m/converse': {
    system: [{ text: 'Be brief.' }],
    messages: [
      { role: 'user', content: [{ text: 'Hello' }] },
      { role: 'assistant', content: [{ text: 'Hi.' }] },
      { role: 'user', content: [{ text: 'What is this?' }, { image: { format: 'png', source: { bytes: PIXEL } } }] },
    ],
    toolConfig: { tools: [{ toolSpec: { name: 'weather', inputSchema: { json: tool } } }] },
    inferenceConfig: { maxTokens: 50 },
    outputConfig: {
      textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'answer', schema: JSON.stringify(tool) } } },
    },
  },
  '/v2/chat': {
    model: 'm',
    ...asOpenAI,
    response_format: { type: 'json_object', schema: tool },
  },
}

for (const [path, body] of Object.entries(dialects))
  test(`signals: ${path} says the same as every other dialect`, () => {
    const signals = signalsOf(path, body)
    assert.deepEqual(signals.turns, [
      { role: 'system', text: 'Be brief.' },
      { role: 'user', text: 'Hello' },
      { role: 'assistant', text: 'Hi.' },
      { role: 'user', text: 'What is this?' },
    ])
    assert.equal(signals.text, 'What is this?')
    assert.equal(signals.textBy('Conversation'), 'Be brief.\nHello\nHi.\nWhat is this?')
    assert.equal(signals.userTurns, 2)
    assert.deepEqual([...signals.inputs].sort(), ['Image', 'Text'])
    assert.equal(signals.tools, 1)
    assert.equal(signals.jsonSchema, true)
    assert.equal(signals.maxTokens, 50)
    assert.equal(signals.systemHash, signalsOf('/v1/messages', dialects['/v1/messages']).systemHash)
    assert.ok(signals.tokens > 1000 && signals.tokens < 1200, `a picture is about 1000 tokens: ${signals.tokens}`)
  })

const others: readonly (readonly [path: string, body: unknown, text: string, inputs: readonly string[]])[] = [
  ['/v1/completions', { model: 'm', prompt: 'Once upon' }, 'Once upon', ['Text']],
  ['/v1/embeddings', { model: 'm', input: ['one', 'two'] }, 'two', ['Text', 'Embeddings']],
  ['/v1/embeddings', { model: 'm', input: [1, 2, 3] }, '', ['Embeddings']],
  ['/v1/rerank', { model: 'm', query: 'which?', documents: ['a', 'b'] }, 'which?', ['Text']],
  ['/v1/images/generations', { model: 'm', prompt: 'A cat' }, 'A cat', ['Text']],
  ['/v1/moderations', { model: 'm', input: 'Bad words' }, 'Bad words', ['Text']],
  ['/v1/audio/speech', { model: 'm', voice: 'x', input: 'Say it' }, 'Say it', ['Text']],
  ['/v1/messages/count_tokens', dialects['/v1/messages'], 'What is this?', ['Image', 'Text']],
  [
    '/v1/chat/completions',
    {
      model: 'm',
      messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }] }],
    },
    '',
    ['Audio'],
  ],
  [
    '/v1/chat/completions',
    { model: 'm', messages: [{ role: 'user', content: 'Fix it:\n```py\nprint(1)\n```' }] },
    'Fix it:\n```py\nprint(1)\n```',
    ['Text', 'Code'],
  ],
]
for (const [path, body, text, inputs] of others)
  test(`signals: ${path} of ${inputs.join(', ')}`, () => {
    const signals = signalsOf(path, body)
    assert.equal(signals.text, text)
    assert.deepEqual([...signals.inputs].sort(), inputs.toSorted())
  })

test('signals: what its own dialect would refuse is read nevertheless, and refused where it always is', () => {
  // Several prompts at once are nothing that can be translated; a target of the same dialect takes them as they are.
  assert.equal(signalsOf('/v1/completions', { model: 'm', prompt: ['one', 'two'] }).text, 'one\ntwo')
  const strange = {
    model: 'm',
    messages: [{ role: 'user', content: [{ type: 'hologram', text: 'Hello' }] }],
    temperature: 'hot',
  }
  assert.equal(signalsOf('/v1/chat/completions', strange).text, 'Hello')
})

test('signals: a form is known by its prompt and by what it is for', () => {
  const form = [
    '--b',
    'Content-Disposition: form-data; name="model"',
    '',
    'm',
    '--b',
    'Content-Disposition: form-data; name="prompt"',
    '',
    'Add a hat',
    '--b',
    'Content-Disposition: form-data; name="image"; filename="a.png"',
    '',
    'bytes',
    '--b--',
    '',
  ].join('\r\n')
  const signals = signalsOf('/v1/images/edits', form, { 'content-type': 'multipart/form-data; boundary=b' })
  assert.equal(signals.text, 'Add a hat')
  assert.deepEqual([...signals.inputs].sort(), ['Image', 'Text'])
  assert.equal(signals.tokens, 3)
})

test('signals: tokens are estimated, and not characters counted', () => {
  const content = 'The quick brown fox jumps over the lazy dog. '.repeat(100)
  const { tokens } = signalsOf('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content }] })
  // Ten tokens a sentence; the textbook's `len(prompt)` says 4,500.
  assert.ok(tokens > 900 && tokens < 1150, `${tokens}`)
})

test('signals: whether tokens are within bounds is what their number says, whether or not the size of the body tells', () => {
  const property = fc.property(
    fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 4 }),
    fc.boolean(),
    fc.nat(300),
    fc.nat(300),
    (texts, pictured, min, more) => {
      const url = { type: 'image_url', image_url: { url: 'https://example.com/a' } }
      const messages = texts.map((text) => ({ role: 'user', content: pictured ? [{ type: 'text', text }, url] : text }))
      const body = { model: 'm', messages }
      for (const max of [min + more, Infinity])
        for (const from of [0, min]) {
          const { tokens } = signalsOf('/v1/chat/completions', body)
          const expected = tokens >= from && tokens <= max
          assert.equal(signalsOf('/v1/chat/completions', body).tokensWithin(from, max), expected, `${tokens}`)
        }
    },
  )
  fc.assert(property, { numRuns: 300 })
})

test('signals: escapes that are none are invalid JSON, and say so', () => {
  assert.throws(() => signalsOf('/v1/chat/completions', '{"model":"m","messages":"\\x"}').text, {
    code: 'invalid_json',
  })
})

test('signals: tensors, and what has no body, have no content', () => {
  for (const path of ['/v2/models/m/infer', '/v1/models'])
    assert.equal(new Question({ model: 'm', path, header: () => undefined, body: '{}' }, 0).signals?.readable, false)
  assert.equal(
    new Question({ model: 'm', path: '/v1/chat/completions', header: () => undefined }, 0).signals,
    undefined,
  )
})

test('signals: of a long text, what is looked at is its beginning and its end', () => {
  const content = `begin ${'x'.repeat(200_000)} end`
  const signals = signalsOf('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content }] })
  const { text } = signals.lookedAt('LastUser')
  assert.ok(text.startsWith('begin x') && text.endsWith('x end'))
  assert.equal(text.length, 32 * 1024 + 1)
  assert.equal(signals.text, content)
})

test('signals: nothing is read before it is asked for, and then once', () => {
  let read = 0
  class Counted extends Question {
    override read<T>(caller: Parameters<Question['read']>[0] & { read(...it: never[]): T }): T {
      read++
      return super.read(caller)
    }
  }
  const body = JSON.stringify(dialects['/v1/chat/completions'])
  const { signals } = new Counted({ model: '', path: '/v1/chat/completions', header: () => undefined, body }, 0)
  assert.equal(read, 0)
  assert.equal(signals?.text, 'What is this?')
  assert.equal(signals.tools, 1)
  assert.equal(signals.lookedAt('LastUser'), signals.lookedAt('LastUser'))
  assert.equal(read, 1)
})
