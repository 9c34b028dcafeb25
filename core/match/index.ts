import type { Caller } from '../signals/caller.ts'
import { ANY_CALLER } from '../signals/caller.ts'
import type { Match } from '../target.ts'
import { headers } from './headers.ts'
import { input } from './input.ts'
import { jsonSchema } from './json-schema.ts'
import { language } from './language.ts'
import type { Asked, Condition, Test } from './match.ts'
import { model } from './model.ts'
import { path } from './path.ts'
import { schedule } from './schedule.ts'
import { task } from './task.ts'
import { text } from './text.ts'
import { tier } from './tier.ts'
import { tokens } from './tokens.ts'
import { tools } from './tools.ts'
import { turns } from './turns.ts'

/** The cheap ones first: none of the content is read for a request that another condition keeps away. */
const all: readonly Condition[] = [
  model,
  path,
  headers,
  tier,
  schedule,
  tools,
  jsonSchema,
  input,
  turns,
  tokens,
  language,
  text,
  task,
]

/** The test of a rule: any of its matches, each with all of its conditions; no matches at all is always true. */
export function compileMatches(matches: readonly Match[], caller = ANY_CALLER): Test {
  const tests = matches.map((match) => both(match, caller))
  const [first, ...others] = tests
  if (!first) return () => true
  return others.length === 0 ? first : (asked) => tests.some((test) => test(asked))
}

function both(match: Match, caller: Caller): Test {
  const tests = all.flatMap((condition) => condition.compile(match, caller) ?? [])
  const { not } = match
  if (not) {
    const excluded = both(not, caller)
    tests.push((asked) => !excluded(asked))
  }
  const [first, ...others] = tests
  if (!first) return () => true
  return others.length === 0 ? first : (asked) => tests.every((test) => test(asked))
}

/** Why a request does not match: part of a sentence. Empty where it does. */
export function misses(match: Match, asked: Asked, caller = ANY_CALLER): string {
  const reasons = all
    .filter((condition) => condition.compile(match, caller)?.(asked) === false)
    .map((condition) => condition.misses(match, asked, caller))
  if (match.not && both(match.not, caller)(asked)) reasons.push('it is what the match excludes (`not`)')
  return [...new Set(reasons)].join(' and ')
}
