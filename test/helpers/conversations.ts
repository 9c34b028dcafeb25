import fc from 'fast-check'
import type { Artefact, ChatEvent, ChatRequest, InputPart, Message, OutputPart, ToolCallPart } from '../../core/chat.ts'
import { NO_USAGE } from '../../core/usage.ts'

/** Generated conversations and answers in the canonical form, for tests that a dialect keeps their meaning there and back. */

const word = fc.stringMatching(/^[A-Za-z][\w-]{0,11}$/)
/** Never blank, with what formats trip over: line ends, quotes, several bytes a character, `data:`. */
const prose = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 24, unit: 'grapheme' }),
    fc.constantFrom('data: [DONE]\n\n', '"\\u0000"', 'é😀\r\n', '{"error":1}'),
  )
  .filter((it) => it.trim() !== '' && it.isWellFormed())
const base64 = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const json = fc
  .dictionary(word, fc.oneof(prose, fc.integer(), fc.boolean(), fc.constant(null)), { maxKeys: 3 })
  .map((it) => JSON.stringify(it))

export interface Knobs {
  /** The format whose artefacts are carried. */
  readonly format: Artefact['format']
  /** Parts that a user's message may have besides text. */
  readonly parts?: readonly ('image' | 'url' | 'pdf' | 'audio')[]
  /** Whether thoughts are in the history and in answers. */
  readonly thoughts?: boolean
}

function inputPart({ parts = [] }: Knobs): fc.Arbitrary<InputPart> {
  const text = prose.map((it): InputPart => ({ type: 'text', text: it }))
  const others: Record<NonNullable<Knobs['parts']>[number], fc.Arbitrary<InputPart>> = {
    image: base64.map((data) => ({ type: 'image', source: { type: 'base64', mediaType: 'image/png', data } })),
    url: word.map((it) => ({
      type: 'image',
      source: { type: 'url', url: `https://images.example/${it}.png` },
      detail: 'low',
    })),
    pdf: base64.map((data) => ({
      type: 'file',
      source: { type: 'base64', mediaType: 'application/pdf', data },
      name: 'a.pdf',
    })),
    audio: base64.map((data) => ({ type: 'audio', data, format: 'wav' })),
  }
  return fc.oneof(text, ...parts.map((name) => others[name]))
}

function thought({ format, thoughts }: Knobs): fc.Arbitrary<readonly OutputPart[]> {
  if (!thoughts) return fc.constant([])
  return fc.oneof(
    fc.constant([]),
    fc
      .tuple(prose, word)
      .map(([text, value]): OutputPart[] => [{ type: 'reasoning', text, signature: { format, value } }]),
    word.map((value): OutputPart[] => [{ type: 'redacted', data: { format, value } }]),
  )
}

/** One turn of a user, with what the assistant makes of it: words, or calls with their results and then words. */
function exchange(knobs: Knobs, turn: number): fc.Arbitrary<readonly Message[]> {
  const user = fc
    .array(inputPart(knobs), { minLength: 1, maxLength: 3 })
    .map((content): Message => ({ role: 'user', content: joined(content) }))
  const calls = fc.array(fc.tuple(word, json, prose), { maxLength: 2 })
  return fc.tuple(user, thought(knobs), fc.option(prose), calls, prose).map(([asked, thoughts, said, called, last]) => {
    const parts = called.map(([name, text], i): ToolCallPart => ({
      type: 'tool-call',
      id: `call_${turn}_${i}`,
      name,
      arguments: text,
    }))
    const text: readonly OutputPart[] = said === null ? [] : [{ type: 'text', text: said }]
    const working: Message[] =
      parts.length === 0
        ? []
        : [
            { role: 'assistant', content: [...thoughts, ...text, ...parts] },
            ...parts.map(({ id }, i): Message => ({
              role: 'tool',
              callId: id,
              content: [{ type: 'text', text: called[i]?.[2] ?? '' }],
            })),
          ]
    return [asked, ...working, { role: 'assistant', content: [{ type: 'text', text: last }] }]
  })
}

/** Texts that follow each other are one: no format tells where one of them ends. */
function joined(parts: readonly InputPart[]): readonly InputPart[] {
  const out: InputPart[] = []
  for (const part of parts) {
    const last = out.at(-1)
    if (part.type === 'text' && last?.type === 'text') out[out.length - 1] = { ...last, text: last.text + part.text }
    else out.push(part)
  }
  return out
}

/** A request whose last message is the user's. */
export function requests(knobs: Knobs): fc.Arbitrary<ChatRequest> {
  const history = fc
    .integer({ min: 0, max: 2 })
    .chain((turns) => fc.tuple(...Array.from({ length: turns }, (_, i) => exchange(knobs, i))))
    .map((all) => all.flat())
  const system = fc
    .option(prose)
    .map((text): Message[] => (text === null ? [] : [{ role: 'system', content: [{ type: 'text', text }] }]))
  const schema = {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  }
  const tools = fc
    .uniqueArray(word, { maxLength: 3 })
    .map((names) => names.map((name) => ({ name, description: 'does it', parameters: schema })))
  return fc
    .tuple(system, history, prose, tools, fc.boolean(), fc.option(fc.integer({ min: 1, max: 4096 })))
    .map(([first, before, last, known, stream, most]): ChatRequest => ({
      model: 'm',
      messages: [...first, ...before, { role: 'user', content: [{ type: 'text', text: last }] }],
      tools: known,
      ...(known.length > 0 ? { toolChoice: 'auto' as const } : {}),
      ...(most === null ? {} : { maxTokens: most }),
      stream,
      includeUsage: stream,
      unread: [],
    }))
}

/** The events of a finished answer: thought, words, calls, in that order as most formats have them; in pieces of any size. */
export function answers({ format, thoughts = false }: Knobs): fc.Arbitrary<readonly ChatEvent[]> {
  const choice = 0
  const texts = fc
    .array(prose, { maxLength: 4 })
    .map((all) => all.map((text): ChatEvent => ({ type: 'text', choice, text })))
  const thinking = fc
    .tuple(fc.array(prose, { minLength: 1, maxLength: 3 }), word)
    .map(([all, value]): ChatEvent[] => [
      ...all.map((text): ChatEvent => ({ type: 'reasoning', choice, text })),
      { type: 'signature', choice, signature: { format, value } },
    ])
  const calls = fc.array(fc.tuple(word, json, fc.integer({ min: 1, max: 9 })), { maxLength: 3 }).map((all) =>
    all.flatMap(([name, text, size], index): ChatEvent[] => [
      { type: 'tool', choice, index, id: `call_${index}`, name },
      ...(text.match(new RegExp(`.{1,${size}}`, 'gsu')) ?? []).map((piece): ChatEvent => ({
        type: 'arguments',
        choice,
        index,
        text: piece,
      })),
    ]),
  )
  const count = fc.integer({ min: 1, max: 1000 })
  return fc
    .tuple(thoughts ? fc.oneof(fc.constant([]), thinking) : fc.constant([]), texts, calls, count, count)
    .map(([thought, said, called, input, output]): ChatEvent[] => [
      { type: 'start', id: 'id-1', model: 'm', created: 1_767_225_600 },
      ...thought,
      ...said,
      ...called,
      { type: 'finish', choice, reason: called.length > 0 ? 'tool_calls' : 'stop' },
      { type: 'usage', usage: { ...NO_USAGE, input, output } },
      { type: 'end' },
    ])
}
