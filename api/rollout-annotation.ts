import { VERBS } from '../core/rollout/state.ts'
import type { Verb } from '../core/rollout/state.ts'
import { DNS_LABEL } from './names.ts'

/** The annotation of a ModelRoute by which a GitOps tool, or `kubectl annotate`, does it. */
export const ROLLOUT_ANNOTATION = 'tradewind.dev/rollout'

/** What an annotation asks for. */
export interface RolloutRequest {
  readonly verb: Verb
  /** The rule; undefined: every rule of the route that has a rollout. */
  readonly rule: string | undefined
  /** What makes the value a new one, and why: a date, a ticket. */
  readonly note: string | undefined
}

const RULE = new RegExp(DNS_LABEL)
const NOTE = /^[ -~]{1,128}$/
const FORM = /^([^:@]*)(?::([^@]*))?(?:@(.*))?$/s

/** Whether a word is one of the verbs. */
export const isVerb = (word: unknown): word is Verb => VERBS.some((verb) => verb === word)

/** Reads `VERB[:RULE][@NOTE]`, such as `promote`, `abort:chat` or `promote:chat@2026-11-21`; or says what is wrong with it and what would be right. */
export function readRolloutAnnotation(value: string): RolloutRequest | { readonly wrong: string } {
  const [, verb, rule, note] = FORM.exec(value) ?? []
  if (!isVerb(verb)) return wrong(`it begins with one of ${VERBS.join(', ')}`)
  if (rule !== undefined && (rule.length > 63 || !RULE.test(rule)))
    return wrong('what follows the colon is the name of a rule')
  if (note !== undefined && !NOTE.test(note))
    return wrong('what follows the @ is a note of 1 to 128 printable ASCII characters')
  return { verb, rule, note }
}

function wrong(why: string): { readonly wrong: string } {
  return { wrong: `${ROLLOUT_ANNOTATION} must be VERB[:RULE][@NOTE], such as promote or abort:chat@ticket-7: ${why}.` }
}
