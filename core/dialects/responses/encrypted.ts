import type { Artefact, ArtefactFormat } from '../../chat.ts'

/**
 * What a provider wants back unchanged travels in `encrypted_content` of a reasoning item, which callers keep and send again with the
 * conversation. OpenAI's own is as it came; another's has a head: whose it is, and what it belongs to.
 */
type Kind = 'signature' | 'redacted' | 'call'

const HEAD = /^(anthropic|gemini|bedrock|cohere|openai):(signature|redacted|call):/

export function encrypt({ format, value }: Artefact, kind: Kind): string {
  return format === 'openai' && kind === 'redacted' ? value : `${format}:${kind}:${value}`
}

export function decrypt(text: string): { readonly artefact: Artefact; readonly kind: Kind } {
  const head = HEAD.exec(text)
  if (!head) return { artefact: { format: 'openai', value: text }, kind: 'redacted' }
  // The pattern has only these words.
  return { artefact: { format: head[1] as ArtefactFormat, value: text.slice(head[0].length) }, kind: head[2] as Kind }
}
