import { type Answer, json, type Part, streamed } from '../answer.ts'
import { pieces, type Saying, think, type Voice } from '../mind.ts'
import { countTokens, seedOf } from '../text.ts'
import { frame } from './frames.ts'
import { type Asked, requestOf } from './request.ts'
import type { Body } from './words.ts'

const EVENT_STREAM = 'application/vnd.amazon.eventstream'

/** `POST /model/ID/converse` and `/converse-stream`. Deterministic in the conversation, the name and the length. */
export function converse(body: Body, model: string, stream: boolean, voice: Voice): Answer {
  const asked = requestOf(body, model)
  const saying = think({ voice, ...asked })
  const end = {
    stopReason: reasons[saying.finish],
    ...(asked.tellsSequence ? { additionalModelResponseFields: { stop_sequence: saying.sequence ?? null } } : {}),
  }
  const usage = usageOf(asked, saying)
  return stream
    ? streamed(eventsOf(saying, end, usage), saying.tokens, EVENT_STREAM)
    : json(
        {
          metrics: { latencyMs: 1 },
          output: { message: { content: blocksOf(saying), role: 'assistant' } },
          ...end,
          usage,
        },
        200,
        {},
        saying.tokens,
      )
}

const reasons = { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use', sequence: 'stop_sequence' } as const

/** What was before the last cache point was read from the cache, and is no part of `inputTokens`. */
function usageOf({ turns, heard }: Asked, { tokens }: Saying): object {
  const input = countTokens(turns.map(({ text }) => text).join('\n'))
  const read = heard.cachePoints > 0 ? Math.min(input - 1, countTokens(' '.repeat(heard.kept))) : 0
  return {
    inputTokens: input - read,
    outputTokens: tokens,
    totalTokens: input + tokens,
    cacheReadInputTokens: read,
    cacheWriteInputTokens: 0,
    serverToolUsage: {},
  }
}

const idOf = (seed: number, i: number): string => `tooluse_${seedOf(`${seed}${i}`).toString(36).padStart(12, '0')}`
const signatureOf = (seed: number): string => Buffer.from(`signed ${seed}`).toString('base64')

function blocksOf({ seed, thought, text, calls }: Saying): readonly object[] {
  const thoughts =
    thought.length > 0
      ? [{ reasoningContent: { reasoningText: { signature: signatureOf(seed), text: thought.join('') } } }]
      : []
  const said = text.length > 0 ? [{ text: text.join('') }] : []
  const called = calls.map(({ name, arguments: input }, i) => ({
    toolUse: { input: JSON.parse(input) as unknown, name, toolUseId: idOf(seed, i) },
  }))
  return [...thoughts, ...said, ...called]
}

const PADDING = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/** Only calls begin with a start; every event is padded, so that its length says nothing of what is in it. */
function eventsOf({ seed, thought, text, calls }: Saying, end: object, usage: object): readonly Part[] {
  let n = seed
  const say = (type: string, payload: object): Part => {
    n = seedOf(`${n}`)
    return frame('event', type, { ...payload, p: PADDING.slice(0, 1 + (n % PADDING.length)) })
  }
  const parts: Part[] = [say('messageStart', { role: 'assistant' })]
  let contentBlockIndex = 0
  const delta = (it: object): unknown => parts.push(say('contentBlockDelta', { contentBlockIndex, delta: it }))
  const stop = (): unknown => parts.push(say('contentBlockStop', { contentBlockIndex: contentBlockIndex++ }))
  if (thought.length > 0) {
    for (const piece of thought) delta({ reasoningContent: { text: piece } })
    delta({ reasoningContent: { signature: signatureOf(seed) } })
    stop()
  }
  if (text.length > 0) {
    for (const piece of text) delta({ text: piece })
    stop()
  }
  for (const [i, { name, arguments: input }] of calls.entries()) {
    parts.push(say('contentBlockStart', { contentBlockIndex, start: { toolUse: { name, toolUseId: idOf(seed, i) } } }))
    // A call without arguments has no delta.
    if (input !== '{}') for (const piece of pieces(input)) delta({ toolUse: { input: piece } })
    stop()
  }
  parts.push(say('messageStop', end), say('metadata', { metrics: { latencyMs: 1 }, usage }))
  return parts
}
