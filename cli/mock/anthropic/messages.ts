import { type Answer, event, json, type Part, streamed } from '../answer.ts'
import { pieces, type Saying, think, type Voice } from '../mind.ts'
import { countTokens, isRecord, seedOf } from '../text.ts'
import { turnsOf } from './check-messages.ts'
import { checkRequest } from './check-request.ts'
import { type Body, hide, signatureOf } from './fields.ts'

/** `POST /v1/messages`: https://platform.claude.com/docs/en/api/messages. Deterministic in the conversation, the name and the length. */
export function messages(body: Body, version: string, voice: Voice): Answer {
  const asked = checkRequest(body, version, false)
  const turns = turnsOf(body['system'], asked.messages)
  const said = think({ ...asked, voice, turns, think: asked.thinks ? 6 : 0 })
  const head = {
    id: `msg_${seedOf(JSON.stringify(turns)).toString(16).padStart(8, '0')}`,
    type: 'message',
    role: 'assistant',
    model: String(body['model']),
  }
  // A user who says "hidden" gets thought that only the provider can read.
  const hidden = turns.some(({ text }) => /\bhidden\b/.test(text))
  const blocks = contentOf(said, hidden)
  const usage = usageOf(body, said)
  const stop = stopOf(said)
  if (body['stream'] !== true)
    return json({ ...head, content: blocks, ...stop, usage }, 200, { 'request-id': `req_${head.id}` }, said.tokens)
  return streamed(stream(head, said, blocks, stop, usage), said.tokens)
}

/** `POST /v1/messages/count_tokens`. */
export function countMessages(body: Body, version: string): Answer {
  checkRequest(body, version, true)
  return json({ input_tokens: inputOf(body) })
}

type Block = Readonly<Record<string, unknown>>

function contentOf({ thought, text, calls, seed }: Saying, hidden: boolean): readonly Block[] {
  const words = thought.join('')
  const secret = hidden
    ? { type: 'redacted_thinking', data: hide(words) }
    : { type: 'thinking', thinking: words, signature: signatureOf(words) }
  return [
    ...(thought.length > 0 ? [secret] : []),
    ...(text.length > 0 ? [{ type: 'text', text: text.join(''), citations: null }] : []),
    ...calls.map(({ name, arguments: input }, i) => ({
      type: 'tool_use',
      id: `toolu_${seed.toString(16).padStart(8, '0')}${i}`,
      name,
      input: JSON.parse(input) as unknown,
      caller: { type: 'direct' },
    })),
  ]
}

function stopOf({ finish, sequence }: Saying): Block {
  const reasons = { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use', sequence: 'stop_sequence' }
  return { stop_reason: reasons[finish], stop_sequence: sequence ?? null, stop_details: null }
}

const inputOf = (body: Body): number =>
  countTokens(JSON.stringify([body['system'], body['messages'], body['tools']].filter((it) => it !== undefined)))

/** What is marked counts as written to the cache, with all that is before it; there is no memory of other requests. */
function usageOf(body: Body, said: Saying): Block {
  const input = inputOf(body)
  const system = Array.isArray(body['system']) ? body['system'].filter(isRecord) : []
  const marked = system.filter((block) => isRecord(block['cache_control']))
  const written = marked.reduce((sum, block) => sum + countTokens(String(block['text'])), 0)
  const hour = marked
    .filter((block) => isRecord(block['cache_control']) && block['cache_control']['ttl'] === '1h')
    .reduce((sum, block) => sum + countTokens(String(block['text'])), 0)
  return {
    input_tokens: Math.max(1, input - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: written - hour, ephemeral_1h_input_tokens: hour },
    output_tokens: said.tokens,
    output_tokens_details: { thinking_tokens: said.thought.length },
    service_tier: 'standard',
  }
}

function stream(head: Block, said: Saying, blocks: readonly Block[], stop: Block, usage: Block): readonly Part[] {
  const send = (type: string, members: object): string => event({ type, ...members }, type)
  const start = {
    message: { ...head, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } },
  }
  const parts = blocks.flatMap((block, index) => [
    send('content_block_start', { index, content_block: opened(block) }),
    ...(index === 0 ? [send('ping', {})] : []),
    ...deltasOf(block, said).map((delta) => send('content_block_delta', { index, delta })),
    send('content_block_stop', { index }),
  ])
  const { output_tokens, output_tokens_details } = usage
  return [
    send('message_start', start),
    ...parts,
    send('message_delta', { delta: stop, usage: { output_tokens, output_tokens_details } }),
    send('message_stop', {}),
  ]
}

function opened(block: Block): Block {
  switch (block['type']) {
    case 'text':
      return { ...block, text: '' }
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' }
    case 'tool_use':
      return { ...block, input: {} }
    default:
      return block
  }
}

function deltasOf(block: Block, { text, thought }: Saying): readonly Block[] {
  switch (block['type']) {
    case 'text':
      return text.map((token) => ({ type: 'text_delta', text: token }))
    case 'thinking':
      return [
        ...thought.map((token) => ({ type: 'thinking_delta', thinking: token })),
        { type: 'signature_delta', signature: block['signature'] },
      ]
    case 'tool_use': {
      const input = JSON.stringify(block['input'])
      // A call without arguments has none but the empty piece.
      return ['', ...(input === '{}' ? [] : pieces(input))].map((partial_json) => ({
        type: 'input_json_delta',
        partial_json,
      }))
    }
    default:
      return []
  }
}
