import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { requests } from '../../../test/helpers/conversations.ts'
import { answering, contextOf, odd, only } from '../../../test/helpers/dialects.ts'
import { holdsAnswers, holdsBlocks } from '../../../test/helpers/there-and-back.ts'
import type { Collected } from '../../../test/helpers/there-and-back.ts'
import type { ChatEvent, ChatRequest } from '../../chat.ts'
import { collect } from '../../collect.ts'
import { Failure } from '../../errors.ts'
import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import { bedrockCaller } from './caller.ts'
import { bedrockTarget } from './target.ts'

const CLAUDE = 'anthropic.claude-sonnet-4-5-v1:0'
const NOVA = 'amazon.nova-lite-v1:0'
const context = contextOf(CLAUDE)

for (const [model, format] of [
  [CLAUDE, 'anthropic'],
  [NOVA, 'bedrock'],
] as const)
  test(`a request is the same after it was written for ${model} and read`, () => {
    // The hidden thoughts of other models than Claude are bytes, which the words of the generator are not.
    const knobs = { format, thoughts: model === CLAUDE, parts: ['image', 'pdf'] } as const
    fc.assert(
      fc.property(requests(knobs), (request) => {
        const { body, dropped } = bedrockTarget(model).write(request, contextOf(model))
        assert.deepEqual(dropped, [])
        const read = bedrockCaller.read(JSON.parse(JSON.stringify(body)), { model: 'm', stream: request.stream })
        assert.deepEqual(plain(read), plain({ ...request, includeUsage: true }))
      }),
      { numRuns: 300 },
    )
  })

/**
 * What the format has no need or no word for: that tools are called as the model likes, endings of names of files (and of two files of one
 * name the second has a number), and tools that a conversation names and the request does not. A signature has no format: apps hand back
 * what they got, and unprefixed it is Claude's. What is said beside documents is said, be it only their names.
 */
function plain({ toolChoice, tools, messages, ...request }: ChatRequest): unknown {
  const json = JSON.stringify(messages)
    .replaceAll(/"name":"a(\.pdf| \(\d+\))?"/g, '"name":"a"')
    .replaceAll('"format":"bedrock"', '"format":"anthropic"')
  const named = tools.filter(({ description }) => description !== undefined)
  const said: unknown = JSON.parse(json, (key, value: unknown) => {
    const content = record(value)?.['content']
    if (key === '' || !Array.isArray(content)) return value
    const texts = content.filter(
      (part) => !/^a(?: \(\d+\))?(?:, a(?: \(\d+\))?)*$/.test(String(record(part)?.['text'])),
    )
    return { ...record(value), content: texts }
  })
  assert.ok(toolChoice === undefined || toolChoice === 'auto')
  return { ...request, tools: named, messages: said }
}

/** The dialect has no ids of answers, and says neither the model nor the time. */
const known = (answer: Collected) => ({ ...answer, id: undefined, model: undefined, created: undefined })
/** Arguments are an object in a whole answer: the same, laid out anew. */
function whole(answer: Collected): unknown {
  const content = answer.choices[0]?.content.map((part) =>
    part.type === 'tool-call' ? { ...part, arguments: JSON.parse(part.arguments) as unknown } : part,
  )
  return { ...answer, choices: { ...answer.choices[0], content } }
}
const dialect = { caller: bedrockCaller, target: bedrockTarget(CLAUDE), context }
holdsAnswers({ ...dialect, knobs: { format: 'anthropic', thoughts: true }, known, whole, cuts: 5 })

holdsBlocks(dialect, () => {
  let open: unknown
  let next = 0
  return ({ type, data }) => {
    const { contentBlockIndex: at } = record(JSON.parse(data)) ?? {}
    if (type === 'contentBlockStart' || (type === 'contentBlockDelta' && open === undefined)) {
      assert.equal(open, undefined)
      assert.equal(at, next++)
      open = at
    } else if (type === 'contentBlockDelta') assert.equal(at, open)
    else if (type === 'contentBlockStop') {
      assert.equal(at, open)
      open = undefined
    }
  }
})

test('hidden thought of any provider comes back to an app’s next request as it was', () => {
  const formats = ['anthropic', 'bedrock', 'gemini', 'openai', 'cohere'] as const
  const value = fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes).toString('base64'))
  fc.assert(
    fc.property(fc.constantFrom(...formats), value, (format, it) => {
      // Bytes of a model of Bedrock's that happen to be text are taken for Claude's, which are.
      fc.pre(format !== 'bedrock' || !/^[\x20-\x7e]*$/.test(Buffer.from(it, 'base64').toString()))
      const events: ChatEvent[] = [
        { type: 'redacted', choice: 0, data: { format, value: it } },
        { type: 'finish', choice: 0, reason: 'stop' },
      ]
      const { output } = record(JSON.parse(JSON.stringify(bedrockCaller.answer(collect(events), answering)))) ?? {}
      const messages = [{ role: 'user', content: [{ text: 'a' }] }, record(output)?.['message']]
      const read = bedrockCaller.read({ messages }, { model: 'm' })
      assert.deepEqual(read.messages[1]?.content, [{ type: 'redacted', data: { format, value: it } }])
    }),
  )
})

const members =
  'role content text image document audio video format source bytes s3Location uri name toolUse toolResult toolUseId input status json reasoningContent reasoningText signature redactedContent cachePoint type ttl guardContent searchResult citationsContent citations output message stopReason usage system inferenceConfig toolConfig tools toolSpec inputSchema toolChoice auto any tool additionalModelRequestFields thinking outputConfig textFormat structure jsonSchema schema requestMetadata start delta contentBlockIndex citation'
const words = 'user assistant png pdf wav default 5m 1h success error end_turn tool_use json_schema enabled'
const anything = odd(members, words)
const frames =
  'messageStart contentBlockStart contentBlockDelta contentBlockStop messageStop metadata error throttlingException fooException'.split(
    ' ',
  )

test('whatever comes in, only documented errors come out', () => {
  fc.assert(
    fc.property(anything, anything, anything, fc.array(fc.constantFrom(...frames)), (value, one, two, kinds) => {
      for (const model of [CLAUDE, NOVA, 'other']) {
        const it = bedrockTarget(model)
        only(Malformed, () => it.read(value, context))
        only(Malformed, () =>
          it.read({ output: { message: { content: [one, two] } }, stopReason: 'end_turn', usage: value }, context),
        )
        const reader = it.reader(context)
        for (const [i, type] of kinds.entries())
          only(Malformed, () => reader.read({ type, data: JSON.stringify([value, one, two][i % 3]) }))
        only(Malformed, () => reader.read({ type: 'contentBlockDelta', data: JSON.stringify(value).slice(1) }))
        reader.end()
        for (const messages of [
          [value],
          [{ role: 'user', content: [one, two] }],
          [
            { role: 'user', content: [{ text: 'a' }] },
            { role: 'assistant', content: [one] },
            { role: 'user', content: [two] },
          ],
        ])
          only(Failure, () => it.write(bedrockCaller.read({ messages }, { model: 'm' }), contextOf(model)))
        const fine = { messages: [{ role: 'user', content: [{ text: 'a' }] }] }
        only(Failure, () =>
          it.write(bedrockCaller.read({ ...fine, ...Object(value) }, { model: 'm' }), contextOf(model)),
        )
      }
    }),
    { numRuns: 800 },
  )
})
