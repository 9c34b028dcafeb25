import { nearness, sketchOf } from './sketch.ts'
import type { Signals } from '../signals/signals.ts'

/** What users say of an answer without being asked. */
export const IMPLICIT = ['Repeat', 'Correction'] as const
export type Implicit = (typeof IMPLICIT)[number]

/** How users begin who were given the wrong answer; of the first 200 characters. */
const CORRECTIONS: readonly RegExp[] = [
  /^\s*(?:no|nope|wrong|incorrect|not (?:right|correct|true|quite))\b/i,
  /\b(?:that|this|it|which)(?:['’]s| is| was|['’]re)? (?:still )?(?:wrong|incorrect|not (?:right|correct|true|what i (?:asked|meant|wanted|said)))/i,
  /\byou(?:['’]re| are|['’]ve| have)? (?:wrong|mistaken|misunderstood|missed|got (?:it|that) wrong)\b/i,
  /\b(?:not what i (?:asked|meant|wanted|said)|i (?:asked|said|meant)\b.{0,40}\bnot\b|try again|does(?:n['’]t| not) (?:work|answer)|did(?:n['’]t| not) answer)/i,
  /^\s*(?:nein|falsch|das stimmt nicht|das ist falsch|no es correcto|eso (?:no )?est[aá] mal|c['’]est faux|ce n['’]est pas)/i,
]

/** Whether the last turn of the user corrects the answer before it. */
export function corrects(signals: Signals): boolean {
  const { turns } = signals
  const last = turns.findLastIndex(({ role }) => role === 'user')
  if (last < 1 || !turns.slice(0, last).some(({ role }) => role === 'assistant')) return false
  const text = turns[last]?.text.slice(0, 200) ?? ''
  return CORRECTIONS.some((pattern) => pattern.test(text))
}

/** Whether the last turn of the user asks again what was answered before in the same conversation. */
export function repeats(signals: Signals, least: number): boolean {
  const asked = signals.turns.filter(({ role }) => role === 'user')
  const [before, last] = asked.slice(-2)
  if (!before || !last || asked.length < 2 || last.text.length < SHORT) return false
  return nearness(sketchOf(before.text), sketchOf(last.text)) >= least
}

/** Shorter turns are repeated for many a reason: `yes`, `go on`. */
const SHORT = 12
