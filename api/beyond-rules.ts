import { RE2JS } from 're2js'
import { LARGEST_PATTERN } from '../core/match/pattern.ts'
import type { Schema } from '../core/schema.ts'
import { children } from './cel.ts'
import { PATTERN_RULE, timeZone } from './match.ts'
import { below } from './problem.ts'
import type { Problem } from './problem.ts'

/**
 * What neither a schema nor its CEL rules can say of a value: whether its time zones are known, and whether its patterns are of the engine that sidecars
 * have (the API server asks Go's, which is older and younger than that). Whoever takes a manifest asks this besides. The value is of the schema.
 */
export function beyondRules(schema: Schema, value: unknown, path: string): readonly Problem[] {
  if (!concerned(schema)) return NOTHING
  if (typeof value === 'string') {
    if (schema === timeZone) return ofZone(value, path)
    return schema['x-kubernetes-validations']?.includes(PATTERN_RULE) ? ofPattern(value, path) : []
  }
  return [...children(schema, value)].flatMap(([step, field, part]) => beyondRules(field, part, below(path, step)))
}

const NOTHING: readonly Problem[] = []
const known = new WeakMap<Schema, boolean>()

/** Whether there is a zone or a pattern in a schema or below it: an operator asks of thousands of routes, most of which have none. */
function concerned(schema: Schema): boolean {
  let is = known.get(schema)
  if (is === undefined) {
    const { properties = {}, items, additionalProperties, 'x-kubernetes-validations': rules = [] } = schema
    const below = [
      ...Object.values(properties),
      ...(items ? [items] : []),
      ...(additionalProperties ? [additionalProperties] : []),
    ]
    is = schema === timeZone || rules.includes(PATTERN_RULE) || below.some(concerned)
    known.set(schema, is)
  }
  return is
}

/** Whether a problem is one of these: the API server would not have refused it, or only by another engine's word. */
export const isBeyondRules = ({ rule }: Problem): boolean => [TIME_ZONE, PATTERN_SIZE, PATTERN_RULE.rule].includes(rule)

const TIME_ZONE = 'timeZone'
const PATTERN_SIZE = 'patternSize'
const TOO_LARGE = `It is too large a pattern: let it repeat less, so that it comes to at most ${LARGEST_PATTERN} instructions of RE2.`

class TooLarge extends Error {}

/** What was said of patterns and zones: there are few, and an operator asks of each route again and again. */
const patterns = new Map<string, string | undefined>()
const zones = new Map<string, string | undefined>()
const MOST = 10_000

function remembered(said: Map<string, string | undefined>, word: string, attempt: () => unknown): string | undefined {
  if (!said.has(word)) {
    if (said.size >= MOST) said.clear()
    said.set(word, fault(attempt))
  }
  return said.get(word)
}

function ofPattern(pattern: string, path: string): readonly Problem[] {
  const { rule, message } = PATTERN_RULE
  const why = remembered(patterns, pattern, () => {
    if (RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE).programSize() > LARGEST_PATTERN) throw new TooLarge(TOO_LARGE)
  })
  if (why === undefined) return NOTHING
  return why === TOO_LARGE
    ? [{ path, rule: PATTERN_SIZE, message: TOO_LARGE }]
    : [{ path, rule, message: `evaluating rule: ${message}` }]
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
