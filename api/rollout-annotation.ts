import { DNS_LABEL } from './names.ts'

/** What people do to a rollout. `resume` passes a manual gate too; `promote` skips what is left; `retry` begins anew after a rollback. */
export const ROLLOUT_VERBS = ['pause', 'resume', 'promote', 'abort', 'retry'] as const
export type RolloutVerb = (typeof ROLLOUT_VERBS)[number]

/** The annotation of a ModelRoute by which a GitOps tool, or `kubectl annotate`, does it. */
export const ROLLOUT_ANNOTATION = 'tradewind.dev/rollout'

/** What an annotation asks for. */
export interface RolloutRequest {
  readonly verb: RolloutVerb
  /** The rule; undefined: every rule of the route that has a rollout. */
  readonly rule: string | undefined
  /** What makes the value a new one, and why: a date, a ticket. */
  readonly note: string | undefined
}

const RULE = new RegExp(DNS_LABEL)
const NOTE = /^[ -~]{1,128}$/
const FORM = /^([^:@]*)(?::([^@]*))?(?:@(.*))?$/s

/** Whether a word is one of the verbs. */
export const isRolloutVerb = (word: unknown): word is RolloutVerb => ROLLOUT_VERBS.some((verb) => verb === word)

/** Reads `VERB[:RULE][@NOTE]`, such as `promote`, `abort:chat` or `promote:chat@2026-11-21`; or says what is wrong with it and what would be right. */
export function readRolloutAnnotation(value: string): RolloutRequest | { readonly wrong: string } {
  const [, verb, rule, note] = FORM.exec(value) ?? []
  if (!isRolloutVerb(verb)) return wrong(`it begins with one of ${ROLLOUT_VERBS.join(', ')}`)
  if (rule !== undefined && (rule.length > 63 || !RULE.test(rule)))
    return wrong('what follows the colon is the name of a rule')
  if (note !== undefined && !NOTE.test(note))
    return wrong('what follows the @ is a note of 1 to 128 printable ASCII characters')
  return { verb, rule, note }
}

function wrong(why: string): { readonly wrong: string } {
  return { wrong: `${ROLLOUT_ANNOTATION} must be VERB[:RULE][@NOTE], such as promote or abort:chat@ticket-7: ${why}.` }
}
