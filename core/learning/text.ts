/**
 * Which text of a request is classified. A score holds only for texts chosen as those it was trained on were, so that the artefact carries the
 * rule and the sidecar follows it.
 */
export const TEXT_RULES = ['LastUser', 'Conversation'] as const
export type TextRule = (typeof TEXT_RULES)[number]

/** One turn of a conversation: its role as the dialect says it, its text without other parts. */
export interface Turn {
  readonly role: string
  readonly text: string
}

/** The text of a conversation by a rule: the last turn of the user (the last turn where there is none), or every turn, a line break between. */
export function textOf(turns: readonly Turn[], rule: TextRule): string {
  if (rule === 'Conversation') return turns.map(({ text }) => text).join('\n')
  return (turns.findLast(({ role }) => role === 'user') ?? turns.at(-1))?.text ?? ''
}

/** How many UTF-16 units of a text are looked at: the bound on the time of a decision, whatever comes in. */
export const MOST_UNITS = 8192
const TAIL = 2048

/** A text of at most `MOST_UNITS` units: of longer ones the beginning and the end, where instructions are. */
export function capped(text: string): string {
  return text.length <= MOST_UNITS ? text : text.slice(0, MOST_UNITS - TAIL - 1) + '\n' + text.slice(-TAIL)
}

/** A capped text as n-grams see it: lower case, compatibility forms folded (Unicode NFKC). Folding may lengthen it, so it is capped again. */
export function normalised(text: string): string {
  return capped(capped(text).normalize('NFKC').toLowerCase())
}
