import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { load } from 'js-yaml'
import { costOf, usd } from '../../core/cost.ts'
import { priceOf } from '../../core/price.ts'
import type { PriceList } from '../../core/price.ts'
import { pricingOf } from '../../core/prices.ts'
import type { ProviderType } from '../../core/providers/index.ts'
import { surfaceOf } from '../../core/surfaces/index.ts'
import type { Usage } from '../../core/usage.ts'
import { pricesOf } from '../../operator/prices/find.ts'

/**
 * What calls cost by the usage that providers report: `usage/bodies.yaml` has a body of each documented form with the price of its model,
 * where that is from, and the bill worked out by hand. Each body is put into a whole answer and into a stream of its dialect and read by
 * what reads those on the request path.
 */

type Json = Readonly<Record<string, unknown>>

interface Case {
  readonly surface: string
  readonly provider: ProviderType
  readonly model: string
  readonly what: string
  readonly usd: string
  readonly url?: string
  /** Tokens and USD per million of them; or what else is counted, and USD of a thousand or of an hour. */
  readonly bill: readonly (readonly [count: number, usd: string, unit?: 'request' | 'audioHour'])[]
  readonly usage: Json
}
interface Table {
  readonly prices: Readonly<Record<string, { readonly source: string; readonly price: PriceList }>>
  readonly cases: readonly Case[]
}
const { prices, cases } = load(readFileSync(join(import.meta.dirname, 'usage/bodies.yaml'), 'utf8')) as Table // written for this test

/** Of each surface: its path, a whole answer with such a usage, and the frames of the same as a stream. */
interface Form {
  readonly path: string
  readonly whole: (usage: Json) => Json
  readonly stream?: (usage: Json) => readonly (readonly [type: string, data: Json])[]
}

const text = 'Hi'
const chunk = (rest: Json): Json => ({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...rest })
const response = (usage: Json): Json => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'm',
  output: [
    {
      type: 'message',
      id: 'msg_1',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text, annotations: [] }],
    },
  ],
  usage,
})
const images = (path: string, event: string): Form => ({
  path,
  whole: (usage) => ({ created: 1, data: [{ b64_json: 'AAAA' }], usage }),
  stream: (usage) => [[event, { type: event, b64_json: 'AAAA', usage }]],
})

const forms: Readonly<Record<string, Form>> = {
  chat: {
    path: '/v1/chat/completions',
    whole: (usage) => ({
      ...chunk({ choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }] }),
      usage,
    }),
    stream: (usage) => [
      ['', chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: text }, finish_reason: null }] })],
      ['', chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })],
      ['', chunk({ choices: [], usage })],
    ],
  },
  completions: {
    path: '/v1/completions',
    whole: (usage) => chunk({ choices: [{ index: 0, text, finish_reason: 'stop' }], usage }),
    stream: (usage) => [
      ['', chunk({ choices: [{ index: 0, text, finish_reason: 'stop' }] })],
      ['', chunk({ choices: [], usage })],
    ],
  },
  embeddings: {
    path: '/v1/embeddings',
    whole: (usage) => ({
      object: 'list',
      model: 'm',
      data: [{ object: 'embedding', index: 0, embedding: [1] }],
      usage,
    }),
  },
  responses: {
    path: '/v1/responses',
    whole: response,
    stream: (usage) => [
      [
        'response.created',
        { type: 'response.created', response: { ...response(usage), status: 'in_progress', usage: null } },
      ],
      [
        'response.output_text.delta',
        { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: text },
      ],
      ['response.completed', { type: 'response.completed', response: response(usage) }],
    ],
  },
  image_generations: images('/v1/images/generations', 'image_generation.completed'),
  image_edits: images('/v1/images/edits', 'image_edit.completed'),
  transcriptions: {
    path: '/v1/audio/transcriptions',
    whole: (usage) => ({ text, usage }),
    stream: (usage) => [['', { type: 'transcript.text.done', text, usage }]],
  },
  messages: {
    path: '/v1/messages',
    whole: (usage) => ({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [{ type: 'text', text }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage,
    }),
    // At the start the prompt and the first token; at the end the whole output.
    stream: (usage) => {
      const { output_tokens, output_tokens_details, ...prompt } = usage
      const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null }
      const begun = { ...message, usage: { ...prompt, output_tokens: 1 } }
      const said = { output_tokens, ...(output_tokens_details ? { output_tokens_details } : {}) }
      return [
        ['message_start', { type: 'message_start', message: begun }],
        ['content_block_start', { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }],
        ['content_block_delta', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }],
        ['content_block_stop', { type: 'content_block_stop', index: 0 }],
        [
          'message_delta',
          { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: said },
        ],
        ['message_stop', { type: 'message_stop' }],
      ]
    },
  },
  generate_content: {
    path: '/v1beta/models/m:generateContent',
    whole: (usageMetadata) => ({
      candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
      usageMetadata,
    }),
    // Each chunk has the usage so far.
    stream: (usageMetadata) => {
      const { promptTokenCount } = usageMetadata
      const so = { promptTokenCount, candidatesTokenCount: 1, totalTokenCount: Number(promptTokenCount) + 1 }
      const content = { role: 'model', parts: [{ text }] }
      return [
        ['', { candidates: [{ content, index: 0 }], usageMetadata: so }],
        ['', { candidates: [{ content, finishReason: 'STOP', index: 0 }], usageMetadata }],
      ]
    },
  },
  embed_content: {
    path: '/v1beta/models/m:embedContent',
    whole: (usageMetadata) => ({ embedding: { values: [1] }, usageMetadata }),
  },
  converse: {
    path: '/model/m/converse',
    whole: (usage) => ({
      output: { message: { role: 'assistant', content: [{ text }] } },
      stopReason: 'end_turn',
      usage,
      metrics: { latencyMs: 1 },
    }),
    stream: (usage) => [
      ['messageStart', { role: 'assistant' }],
      ['contentBlockDelta', { contentBlockIndex: 0, delta: { text } }],
      ['contentBlockStop', { contentBlockIndex: 0 }],
      ['messageStop', { stopReason: 'end_turn' }],
      ['metadata', { usage, metrics: { latencyMs: 1 } }],
    ],
  },
  cohere_chat: {
    path: '/v2/chat',
    whole: (usage) => ({
      id: 'c',
      finish_reason: 'COMPLETE',
      message: { role: 'assistant', content: [{ type: 'text', text }] },
      usage,
    }),
    stream: (usage) => [
      ['message-start', { type: 'message-start', id: 'c', delta: { message: { role: 'assistant' } } }],
      [
        'content-start',
        { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
      ],
      ['content-delta', { type: 'content-delta', index: 0, delta: { message: { content: { text } } } }],
      ['content-end', { type: 'content-end', index: 0 }],
      ['message-end', { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } }],
    ],
  },
  cohere_embed: { path: '/v2/embed', whole: (meta) => ({ id: 'e', embeddings: { float: [[1]] }, meta }) },
  rerank: { path: '/v2/rerank', whole: (meta) => ({ id: 'r', results: [{ index: 0, relevance_score: 0.9 }], meta }) },
}

const form = ({ surface }: Case): Form => {
  const found = forms[surface]
  assert.ok(found, surface)
  return found
}

function surfaceFor(it: Case) {
  const place = surfaceOf(form(it).path)
  assert.ok(place, it.surface)
  return place.surface
}

/** The usage of a whole answer, as a sidecar reads one that passes. */
function ofWhole(it: Case): Usage | undefined {
  const { fast, watch } = surfaceFor(it)
  const body = form(it).whole(it.usage)
  if (fast) return fast.whole(['content-type', 'application/json'], Buffer.from(JSON.stringify(body)), 0).usage
  const last = watch?.read(body).findLast((event) => event.type === 'usage')
  return last?.type === 'usage' ? last.usage : undefined
}

/** The usage of a stream. */
function ofStream(it: Case, frames: readonly (readonly [type: string, data: Json])[]): Usage | undefined {
  const { fast, watch } = surfaceFor(it)
  if (fast) {
    const stream = fast.stream({ hideUsage: false, choices: 1 })
    for (const [, data] of frames) stream.push(Buffer.from(`data: ${JSON.stringify(data)}\n\n`))
    stream.push(Buffer.from('data: [DONE]\n\n'))
    return stream.usage
  }
  const reader = watch?.reader()
  const events = frames.flatMap(([type, data]) => reader?.read({ type, data: JSON.stringify(data) }) ?? [])
  const last = events.findLast((event) => event.type === 'usage')
  return last?.type === 'usage' ? last.usage : undefined
}

/** Picodollars, in big integers: 10¹² of them are a dollar. */
function billed({ bill }: Case): bigint {
  const scaled = (decimal: string): bigint => {
    const [whole = '', fraction = ''] = decimal.split('.')
    return BigInt(whole + fraction.padEnd(12, '0'))
  }
  const per = { request: 1000n, audioHour: 3600n } as const
  return bill.reduce(
    (sum, [count, price, unit]) => sum + (BigInt(count) * scaled(price)) / (unit ? per[unit] : 1_000_000n),
    0n,
  )
}

describe('accounting: what a call costs by the usage that its provider reports', () => {
  for (const it of cases)
    test(`${it.provider}, ${it.surface}: ${it.what}`, () => {
      const { price, source } = prices[it.model] ?? {}
      assert.ok(price && source, it.model)
      const rates = priceOf(price)
      const cost = (usage: Usage | undefined): string => {
        assert.ok(usage, 'no usage was read')
        const picodollars = costOf(usage, rates)
        assert.ok(picodollars !== undefined, 'it has no price')
        return usd(picodollars)
      }
      assert.equal(usd(Number(billed(it))), it.usd, 'the bill')
      assert.equal(cost(ofWhole(it)), it.usd, 'a whole answer')
      const frames = form(it).stream?.(it.usage)
      if (frames) assert.equal(cost(ofStream(it, frames)), it.usd, 'a stream')
    })

  test('at least sixty bodies, of every provider that reports usage', () => {
    assert.ok(cases.length >= 60, `${cases.length}`)
    assert.deepEqual([...new Set(cases.map(({ provider }) => provider))].sort(), [
      'Anthropic',
      'AzureOpenAI',
      'Bedrock',
      'Cohere',
      'Gemini',
      'Mistral',
      'OpenAI',
      'OpenAICompatible',
    ])
  })

  test('the prices are those of the price table, where it has any', () => {
    const noon = Date.UTC(2026, 10, 21, 12)
    let compared = 0
    for (const { provider, model, url = 'https://elsewhere.test' } of cases) {
      const { prices: listed } = pricesOf(provider, url, model)
      const own = prices[model]?.price
      if (!listed || !own) continue
      assert.deepEqual(pricingOf(listed)(model, noon), priceOf(own), model)
      compared++
    }
    assert.ok(compared > 60, `${compared}`)
  })
})
