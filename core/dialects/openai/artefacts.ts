import type { Artefact, ArtefactFormat, OutputPart } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import type { Json } from '../dialect.ts'

/**
 * Where OpenAI's chat has no place for what belongs to a provider, it goes where clients of gateways look for it already:
 * `reasoning_details` (https://openrouter.ai/docs/use-cases/reasoning-tokens) and `extra_content`
 * (https://ai.google.dev/gemini-api/docs/thought-signatures, the OpenAI-compatible API).
 */
const prefixes: readonly (readonly [string, ArtefactFormat])[] = [
  ['anthropic', 'anthropic'],
  ['google', 'gemini'],
  ['gemini', 'gemini'],
  ['openai', 'openai'],
  ['bedrock', 'bedrock'],
  ['cohere', 'cohere'],
]

/** Ours are named plainly, OpenRouter's with a version (`anthropic-claude-v1`); one without a name was Anthropic's in its first form. */
export function formatOf(name: unknown): ArtefactFormat {
  const found = typeof name === 'string' ? prefixes.find(([prefix]) => name.startsWith(prefix)) : undefined
  return found?.[1] ?? 'anthropic'
}

/** The thoughts that a message carries. `plain`: its `reasoning_content`, which a detail without words of its own belongs to. */
export function readDetails(details: readonly unknown[], plain: string | undefined): readonly OutputPart[] {
  const known = details.map(record).filter((it) => it !== undefined)
  const worded = known.some((it) => text(it['text']) !== '' || text(it['summary']) !== '')
  let rest = worded ? '' : (plain ?? '')
  const parts = known.flatMap((it): readonly OutputPart[] => {
    const format = formatOf(it['format'])
    if (it['type'] === 'reasoning.encrypted')
      return typeof it['data'] === 'string' ? [{ type: 'redacted', data: { format, value: it['data'] } }] : []
    const said = text(it['text']) || text(it['summary']) || rest
    rest = ''
    const signature = text(it['signature'])
    if (said === '' && signature === '') return []
    return [{ type: 'reasoning', text: said, ...(signature ? { signature: { format, value: signature } } : {}) }]
  })
  return rest === '' ? parts : [{ type: 'reasoning', text: rest }, ...parts]
}

export function thoughtDetail(words: string, { format, value }: Artefact, index: number): Json {
  return { type: 'reasoning.text', text: words, signature: value, format, index }
}

export function hiddenDetail({ format, value }: Artefact, index: number): Json {
  return { type: 'reasoning.encrypted', data: value, format, index }
}

/** Gemini's signature of a call, from its `extra_content`. */
export function callSignature(extraContent: unknown): Artefact | undefined {
  const value = record(record(extraContent)?.['google'])?.['thought_signature']
  return typeof value === 'string' ? { format: 'gemini', value } : undefined
}

export function extraContent({ value }: Artefact): Json {
  return { google: { thought_signature: value } }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
