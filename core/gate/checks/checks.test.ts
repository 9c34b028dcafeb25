import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatRequest, Tool } from '../../chat.ts'
import type { Said } from '../said.ts'
import type { Examined } from './check.ts'
import { checks, checkTypes } from './index.ts'
import type { CheckConfig, CheckType } from './index.ts'

const said = (rest: Partial<Said> = {}): Said => ({
  text: 'The capital of France is Paris.',
  refusal: '',
  calls: [],
  finish: 'stop',
  logprobs: [],
  citations: 0,
  media: false,
  ...rest,
})
const text = (words: string): Said => said({ text: words })

const asked = (words: string, rest: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'm',
  messages: [{ role: 'user', content: [{ type: 'text', text: words }] }],
  tools: [],
  stream: false,
  includeUsage: false,
  unread: [],
  ...rest,
})

/** Knows but one keyword. */
const schemas: Examined['schemas'] = async ({ required }) => {
  if (!Array.isArray(required)) return undefined
  return (value) => required.every((name) => typeof value === 'object' && value !== null && String(name) in value)
}

async function finds(type: CheckType, one: Said, request?: ChatRequest, config: Partial<CheckConfig> = {}) {
  return (await checks[type].make({ type, ...config })(one, { request, schemas })) !== undefined
}

/** Answers in which a check finds something, and answers in which it must not. */
const cases: Readonly<Record<CheckType, readonly (readonly [found: boolean, one: Said, request?: ChatRequest])[]>> = {
  Length: [
    [true, said({ finish: 'length' })],
    [false, said()],
    [false, said({ finish: 'tool_calls' })],
  ],
  Empty: [
    [true, text('')],
    [true, text(' \n\t ')],
    [false, said({ text: '', calls: [{ name: 'f', arguments: '{}' }] })],
    [false, said({ text: '', media: true })],
    [false, said({ text: '', refusal: 'No.' })],
    [false, text('.')],
  ],
  Refusal: [
    [true, text('I’m sorry, but I can’t help with that.')],
    [true, text("I'm sorry, but as much as I would like to I cannot answer this.")],
    [true, text('I cannot provide medical advice.')],
    [true, text('As an AI language model, I have no opinions.')],
    [true, text('The provided text does not contain the date.')],
    [true, said({ text: '', refusal: 'No.' })],
    [false, said({ finish: 'content_filter' })],
    [false, text('The function cannot return null, since it throws.')],
    [false, text('I’m sorry to hear that. Here is what you can do: rest, and drink water.')],
    [false, text(`${'It rains. '.repeat(60)}I cannot help you.`)],
  ],
  ToolArguments: [
    [true, said({ calls: [{ name: 'f', arguments: '{"a":' }] })],
    [true, said({ calls: [{ name: 'g', arguments: '{}' }] }), asked('', { tools: [tool('f')] })],
    [true, said({ calls: [{ name: 'f', arguments: '{"b":1}' }] }), asked('', { tools: [tool('f')] })],
    [false, said({ calls: [{ name: 'f', arguments: '{"a":1}' }] }), asked('', { tools: [tool('f')] })],
    [false, said({ calls: [{ name: 'f', arguments: '' }] }), asked('', { tools: [{ name: 'f' }] })],
    [false, said({ calls: [{ name: 'f', arguments: '{}' }] })],
    [false, said()],
  ],
  Format: [
    [true, text('Here it is: {"a":1}'), asked('', { format: { type: 'json' } })],
    [true, text('{"b":1}'), asked('', { format: { type: 'schema', name: 's', schema: { required: ['a'] } } })],
    [false, text('{"a":1}'), asked('', { format: { type: 'schema', name: 's', schema: { required: ['a'] } } })],
    [false, text('{"b":1}'), asked('', { format: { type: 'schema', name: 's', schema: {} } })],
    [false, text('{"b":1}'), asked('', { format: { type: 'json' } })],
    [false, text('words'), asked('')],
    [false, text('words')],
  ],
  Citations: [
    [true, text('It is so.')],
    [false, text('It is so [1].')],
    [false, text('It is so (Knuth, 1997).')],
    [false, text('It is so: https://example.com/why')],
    [false, said({ citations: 1 })],
    [false, said({ text: '', calls: [{ name: 'f', arguments: '{}' }] })],
  ],
  Pattern: [],
  Code: [
    [true, text('```ts\nconst a = 1\n')],
    [true, text('```json\n{"a": 1,\n```')],
    [true, text('```js\nfunction f() {\n  return [1, 2\n```')],
    [false, text('```ts\nconst a = "}" // {\nconst b = `${a}{`\n```')],
    [false, text("```rust\nfn f<'a>(x: &'a str) -> &'a str { x }\n```")],
    [false, text('```json\n{"a": 1}\n```\nand\n~~~\nwhatever (\n~~~')],
    [false, text('No code at all (really')],
    [false, text('````md\n```js\n{\n```\n````')],
  ],
  Language: [
    [true, text('Столица Франции — это Париж, большой и красивый город на Сене.'), asked(english())],
    [false, text('The capital of France is Paris, a large and beautiful city.'), asked(english())],
    [
      false,
      text('Столица Франции — это Париж, большой и красивый город на Сене.'),
      asked(`Translate to Russian: ${english()}`),
    ],
    [false, text('Да.'), asked(english())],
    [false, text('Столица Франции — это Париж, большой и красивый город на Сене.')],
  ],
  Repetition: [
    [true, text('one two three four five six '.repeat(6))],
    [true, text(`A beginning that is fine. ${'and so on and so on again '.repeat(20)}`)],
    [false, text('one two three')],
    [false, text(Array.from({ length: 200 }, (_, i) => `word${i}`).join(' '))],
    [false, text(Array.from({ length: 40 }, (_, i) => `Row ${i}: the value is ${i * 7}.`).join('\n'))],
  ],
}

function tool(name: string): Tool {
  return { name, parameters: { required: ['a'] } }
}

function english(): string {
  return 'What is the capital of France, and what is it known for in the world?'
}

test('checks: the registry and the words of the schema are the same', () => {
  assert.deepEqual(Object.keys(checks), checkTypes)
})

for (const [type, list] of Object.entries(cases))
  test(`checks: ${type} finds what is wanting, and nothing else`, async () => {
    for (const [found, one, request] of list)
      // The keys of `cases` are those of its type.
      assert.equal(await finds(type as CheckType, one, request), found, JSON.stringify(one).slice(0, 120))
  })

test('checks: what a pattern must and must not match', async () => {
  const pattern = { must: (it: string) => /\d/.test(it), mustNot: (it: string) => it.includes('TODO') }
  for (const [words, found] of [
    ['42', false],
    ['none', true],
    ['42 TODO', true],
  ] as const)
    assert.equal(await finds('Pattern', text(words), undefined, { pattern }), found)
  assert.equal(await finds('Pattern', text('none'), undefined, { pattern: { mustNot: pattern.mustNot } }), false)
})

test('checks: as many sources as are asked for, and refusals by their own words', async () => {
  assert.equal(await finds('Citations', text('[1] and [1]'), undefined, { citations: { minimum: 2 } }), true)
  assert.equal(await finds('Citations', text('[1] and [2]'), undefined, { citations: { minimum: 2 } }), false)
  const patterns = [(it: string) => /^leider/i.test(it)]
  assert.equal(await finds('Refusal', text('Leider geht das nicht.'), undefined, { refusal: { patterns } }), true)
  assert.equal(await finds('Refusal', text('I cannot help with that.'), undefined, { refusal: { patterns } }), false)
})

test('checks: each is done with a megabyte within bounds', async () => {
  const long = [
    'a '.repeat(500_000),
    '```js\n' + '('.repeat(900_000),
    `I'm sorry ${' '.repeat(900_000)}`,
    '[1]('.repeat(200_000),
    '"'.repeat(900_000),
    '`'.repeat(900_000),
  ]
  for (const type of checkTypes)
    for (const words of long) {
      const started = performance.now()
      await finds(type, text(words), asked(words))
      assert.ok(performance.now() - started < 2000, `${type} took too long on ${words.slice(0, 10)}`)
    }
})
