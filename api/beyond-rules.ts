import { RE2JS } from 're2js'
import type { ModelRouteSpec } from './model-route.ts'
import { PATTERN_RULE } from './match.ts'
import type { GateSpec } from './gate.ts'
import type { MatchSpec } from './match.ts'
import { below } from './problem.ts'
import type { Problem } from './problem.ts'

/**
 * What neither the schema nor its CEL rules can say of a route: whether its time zones are known, and whether its patterns are of the engine
 * that sidecars have (the API server asks Go's, which is older and younger than that). Whoever takes a manifest asks this besides.
 */
export function beyondRules(spec: ModelRouteSpec, path: string): readonly Problem[] {
  const redactions = (spec.decisions?.content?.redact ?? []).flatMap((pattern, i) =>
    ofPattern(pattern, `${path}.decisions.content.redact[${i}]`),
  )
  const tasks = (spec.tasks ?? []).flatMap(({ patterns }, i) =>
    patterns.flatMap((pattern, j) => ofPattern(pattern, `${path}.tasks[${i}].patterns[${j}]`)),
  )
  const rules = spec.rules.flatMap(({ matches = [], adjust = [], gate }, i) => [
    ...(gate?.checks ?? []).flatMap((check, j) => ofCheck(check, `${path}.rules[${i}].gate.checks[${j}]`)),
    ...matches.flatMap((match, j) => ofMatch(match, `${path}.rules[${i}].matches[${j}]`)),
    ...adjust.flatMap(({ when }, j) => ofMatch(when, `${path}.rules[${i}].adjust[${j}].when`)),
  ])
  return [...redactions, ...tasks, ...rules]
}

/** Whether a problem is one of these: the API server would not have refused it, or only by another engine's word. */
export const isBeyondRules = ({ rule }: Problem): boolean => rule === TIME_ZONE || rule === PATTERN_RULE.rule

const TIME_ZONE = 'timeZone'

function ofMatch({ text, schedule, not }: MatchSpec, path: string): readonly Problem[] {
  return [
    ...(text?.pattern === undefined ? [] : ofPattern(text.pattern, `${below(path, 'text')}.pattern`)),
    ...(schedule ? ofZone(schedule.timeZone, `${below(path, 'schedule')}.timeZone`) : []),
    ...(not ? ofMatch(not, below(path, 'not')) : []),
  ]
}

function ofCheck({ refusal, pattern }: GateSpec['checks'][number], path: string): readonly Problem[] {
  const places = [
    ...(refusal?.patterns ?? []).map((source, i) => [source, `${path}.refusal.patterns[${i}]`] as const),
    [pattern?.must, `${path}.pattern.must`] as const,
    [pattern?.mustNot, `${path}.pattern.mustNot`] as const,
  ]
  return places.flatMap(([source, place]) => (source === undefined ? [] : ofPattern(source, place)))
}

/** What was said of patterns and zones: there are few, and an operator asks of each route again and again. */
const patterns = new Map<string, string | undefined>()
const zones = new Map<string, string | undefined>()
const MOST = 10_000

function remembered(known: Map<string, string | undefined>, word: string, attempt: () => unknown): string | undefined {
  if (!known.has(word)) {
    if (known.size >= MOST) known.clear()
    known.set(word, fault(attempt))
  }
  return known.get(word)
}

function ofPattern(pattern: string, path: string): readonly Problem[] {
  const { rule, message } = PATTERN_RULE
  const why = remembered(patterns, pattern, () => RE2JS.compile(pattern))
  return why === undefined ? [] : [{ path, rule, message: `evaluating rule: ${message}` }]
}

function ofZone(timeZone: string, path: string): readonly Problem[] {
  const why = remembered(zones, timeZone, () => new Intl.DateTimeFormat('en', { timeZone }))
  const message = 'It must be an IANA time zone, such as Europe/Berlin.'
  return why === undefined ? [] : [{ path, rule: TIME_ZONE, message }]
}

function fault(attempt: () => unknown): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
