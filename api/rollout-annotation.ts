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

/** The rules of a route that have a rollout; one without a name is called by its place. */
export function rulesWithRollout(
  rules: readonly { readonly name?: string | undefined; readonly rollout?: unknown }[],
): readonly string[] {
  return rules.flatMap(({ name, rollout }, at) => (rollout === undefined ? [] : [name ?? String(at)]))
}

/** What is wrong with an annotation's value on a route that has rollouts in these rules; undefined: nothing. */
export function annotationFault(value: string, rules: readonly string[]): string | undefined {
  const read = readRolloutAnnotation(value)
  if ('wrong' in read) return read.wrong
  const said = `${ROLLOUT_ANNOTATION} is ${value}`
  if (rules.length === 0) return `${said}: no rule of the route has a rollout.`
  if (read.rule === undefined || rules.includes(read.rule)) return undefined
  return `${said}: rule ${read.rule} has no rollout; those that have one are ${rules.join(', ')}.`
}

function wrong(why: string): { readonly wrong: string } {
  return { wrong: `${ROLLOUT_ANNOTATION} must be VERB[:RULE][@NOTE], such as promote or abort:chat@ticket-7: ${why}.` }
}
