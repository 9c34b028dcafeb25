import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { answers, requests } from '../../../test/helpers/conversations.ts'
import { contextOf, odd, only } from '../../../test/helpers/dialects.ts'
import { holdsAnswers } from '../../../test/helpers/there-and-back.ts'
import type { Collected } from '../../../test/helpers/there-and-back.ts'
import type { Message } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import { frameParser } from '../../framing.ts'
import { Malformed } from '../dialect.ts'
import type { Json } from '../dialect.ts'
import { geminiCaller } from './caller.ts'
import { batchEmbedContentsCaller, embedContentCaller, geminiEmbedTarget } from './embeddings.ts'
import { geminiTarget, modelPath } from './target.ts'
import { vertexEmbedTarget } from './vertex.ts'

const target = geminiTarget({ path: modelPath, vertex: false })
const model = 'gemini-3-flash-preview'
const context = contextOf(model)
const knobs = { format: 'gemini', thoughts: true } as const
/** What a body is once it has been sent. */
const json = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json // an object stays one

/** Results say the name of their function, too; an object in one is an object, however it was spaced. */
function named(messages: readonly Message[]): readonly Message[] {
  const names = new Map<string, string>()
  return messages.map((message) => {
    if (message.role === 'assistant')
      for (const part of message.content) if (part.type === 'tool-call') names.set(part.id, part.name)
    return message.role === 'tool' ? { ...message, name: names.get(message.callId) ?? '' } : message
  })
}

test('a request is the same after it was written and read', () => {
  fc.assert(
    fc.property(requests({ format: 'gemini', parts: ['image', 'audio'] }), (request) => {
      const { body, path, dropped } = target.write(request, context)
      assert.deepEqual(dropped, [])
      assert.equal(path.endsWith('alt=sse'), request.stream)
      const read = geminiCaller.read(json(Object(body)), { model: 'm', stream: request.stream })
      assert.deepEqual(read, { ...request, messages: named(request.messages), includeUsage: true })
    }),
    { numRuns: 300 },
  )
})

/** The dialect does not say when an answer was made. */
const known = (answer: Collected) => ({ ...answer, created: undefined })
const { write } = holdsAnswers({ caller: geminiCaller, target, context, knobs, known, cuts: 5 })

test('every chunk of a stream has a part, else SDKs forget the chat', () => {
  fc.assert(
    fc.property(answers(knobs), (events) => {
      for (const { data } of frameParser('sse').push(write(events)))
        assert.ok(JSON.parse(data).candidates[0].content.parts.length > 0)
    }),
    { numRuns: 100 },
  )
})

test('ids that Google does not give are stable for a request, and no two are alike', () => {
  const chunk = {
    candidates: [{ content: { parts: [{ functionCall: { name: 'f' } }, { functionCall: { name: 'f' } }] } }],
  }
  const ids = (requestId: string) =>
    target
      .reader({ ...context, requestId })
      .read({ type: '', data: JSON.stringify(chunk) })
      .flatMap((event) => (event.type === 'tool' ? [event.id] : []))
  assert.deepEqual(ids('r1'), ids('r1'))
  assert.equal(new Set([...ids('r1'), ...ids('r2')]).size, 4)
})

const members =
  'contents role parts text thought thoughtSignature inlineData mimeType data fileData fileUri functionCall functionResponse id name args response systemInstruction tools functionDeclarations parameters toolConfig functionCallingConfig mode generationConfig responseSchema thinkingConfig thinkingBudget candidates content finishReason index usageMetadata promptTokenCount promptFeedback blockReason error citationMetadata groundingMetadata groundingChunks logprobsResult chosenCandidates executableCode speechConfig type properties items $ref anyOf enum requests embeddings values predictions instances'
const words = 'user model STOP SAFETY MALFORMED_FUNCTION_CALL image/png files/a #/$defs/a ANY object'
const anything = odd(members, words)

test('whatever comes in, only documented errors come out', () => {
  const embedding = { model: 'm', input: ['a'], encoding: 'float', unread: [] } as const
  const old = { ...context, model: 'gemini-2.0-flash' }
  fc.assert(
    fc.property(anything, anything, anything, (one, two, three) => {
      const part = { content: { parts: [one, { functionCall: two }] }, finishReason: three }
      only(Malformed, () => target.read(one, context))
      only(Malformed, () => target.read({ candidates: [part, two], usageMetadata: three }, context))
      const reader = target.reader(context)
      for (const it of [{ candidates: [part] }, one, { candidates: two }])
        only(Malformed, () => reader.read({ type: '', data: JSON.stringify(it) }))
      only(Malformed, () => reader.read({ type: '', data: JSON.stringify(one).slice(1) }))
      const contents = [
        { role: 'user', parts: [one] },
        { role: 'model', parts: [two] },
        { role: 'user', parts: [three] },
      ]
      const declared = [{ functionDeclarations: [{ name: 'f', parametersJsonSchema: { type: 'object', items: two } }] }]
      for (const body of [{ contents }, { contents: one }, { contents: [{ parts: [{ text: 'a' }] }], tools: declared }])
        only(Failure, () => {
          const request = geminiCaller.read({ ...body, generationConfig: two }, { model: 'm' })
          for (const it of [context, old]) target.write(request, it)
        })
      only(Failure, () => geminiCaller.read(Object(three), {}))
      only(Failure, () => embedContentCaller.read(Object(one), { model: 'm' }))
      only(Failure, () => batchEmbedContentsCaller.read({ requests: [one, two] }, { model: 'm' }))
      for (const it of [geminiEmbedTarget, vertexEmbedTarget]) only(Malformed, () => it.read(one, embedding, context))
    }),
    { numRuns: 1500 },
  )
})
