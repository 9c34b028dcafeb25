const vocabulary =
  'wind sail harbour tide cargo compass anchor mast river chart north south star lantern rope deck wave signal bridge canal'.split(
    ' ',
  )

/** FNV-1a, 32 bits: the same request always gets the same seed (http://www.isthe.com/chongo/tech/comp/fnv/). */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/**
 * `count` tokens that join to a readable answer: who answers, the words it heard (at most twelve), what it saw, then words drawn from `seed`.
 * One token is one word with the space before it.
 */
export function tokensOf(
  name: string,
  heard: string,
  seed: number,
  count: number,
  seen: readonly string[] = [],
): string[] {
  const words = heard.split(/\s+/).filter(Boolean).slice(0, 12)
  const opening = [name, 'heard:', ...words, ...seen.flatMap((it) => ['saw', it])]
  let state = seed
  return Array.from({ length: count }, (_, i) => {
    // Numerical Recipes' linear congruential generator: only the look of variety is wanted here.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const word = opening[i] ?? vocabulary[(state >>> 16) % vocabulary.length] ?? ''
    return i === 0 ? word : ` ${word}`
  })
}

/** Tokens of a prompt by the usual rule of thumb, four characters each; at least one. */
export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4))
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The text of a message's `content`: a string, or the text parts of a list. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('')
}

/** A value of a request as an error shows it. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}
