import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { requests } from '../../../test/helpers/conversations.ts'
import { contextOf, odd, only } from '../../../test/helpers/dialects.ts'
import { holdsAnswers, holdsBlocks } from '../../../test/helpers/there-and-back.ts'
import type { Collected } from '../../../test/helpers/there-and-back.ts'
import { Failure } from '../../errors.ts'
import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import { anthropicCaller } from './caller.ts'
import { countRequest } from './count-request.ts'
import { traitsOf } from './model-traits.ts'
import { anthropicTarget } from './target.ts'

const context = contextOf('m')
const knobs = { format: 'anthropic', thoughts: true } as const

test('a request is the same after it was written and read', () => {
  fc.assert(
    fc.property(requests({ ...knobs, parts: ['image', 'pdf'] }), (request) => {
      const { body, dropped } = anthropicTarget.write(request, context)
      assert.deepEqual(dropped, [])
      const expected = { maxTokens: traitsOf('m').maxTokens, ...request, includeUsage: true }
      assert.deepEqual(anthropicCaller.read(JSON.parse(JSON.stringify(body)), {}), expected)
    }),
    { numRuns: 300 },
  )
})

/** The dialect does not say when an answer was made. */
const known = (answer: Collected) => ({ ...answer, created: undefined })
const dialect = { caller: anthropicCaller, target: anthropicTarget, context }
holdsAnswers({ ...dialect, knobs, known, cuts: 5 })

holdsBlocks(dialect, () => {
  let open: unknown
  let next = 0
  return ({ data }) => {
    const event = record(JSON.parse(data)) ?? {}
    if (event['type'] === 'content_block_start') {
      assert.equal(open, undefined)
      assert.equal(event['index'], next++)
      open = event['index']
    } else if (event['type'] === 'content_block_delta') assert.equal(event['index'], open)
    else if (event['type'] === 'content_block_stop') open = undefined
  }
})

const members =
  'type role content text source media_type data url file_id id name input tool_use_id signature thinking citations index delta content_block partial_json message usage stop_reason stop_details error cache_control system tools tool_choice output_config metadata format schema'
const types =
  'text image document tool_use tool_result thinking redacted_thinking search_result message_start content_block_start content_block_delta content_block_stop message_delta message_stop text_delta input_json_delta signature_delta citations_delta error base64 enabled adaptive user assistant'
const anything = odd(members, types)
const typed = fc
  .tuple(anything, fc.constantFrom(...types.split(' ')))
  .map(([value, type]) => ({ ...Object(value), type }))

test('whatever comes in, only documented errors come out', () => {
  const plain = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'a' }] }
  fc.assert(
    fc.property(anything, typed, typed, (value, one, two) => {
      only(Malformed, () => anthropicTarget.read(value, context))
      only(Malformed, () =>
        anthropicTarget.read({ content: [one, two], stop_reason: 'end_turn', usage: value }, context),
      )
      const reader = anthropicTarget.reader(context)
      for (const it of [one, two, value]) only(Malformed, () => reader.read({ type: '', data: JSON.stringify(it) }))
      only(Malformed, () => reader.read({ type: '', data: JSON.stringify(value).slice(1) }))
      for (const it of [value, one, { role: 'user', content: [one, two] }, { role: 'assistant', content: [two, one] }])
        only(Failure, () => {
          const request = anthropicCaller.read({ ...plain, messages: [it] }, {})
          anthropicTarget.write(request, context)
        })
      only(Failure, () => anthropicCaller.read({ ...plain, ...Object(value) }, {}))
      only(Failure, () => countRequest({ ...plain, ...Object(value) }))
    }),
    { numRuns: 1500 },
  )
})
