import type { Match } from '../target.ts'
import { headers } from './headers.ts'
import type { Matcher, Test } from './match.ts'
import { model } from './model.ts'
import { path } from './path.ts'

const all: readonly Matcher[] = [model, path, headers]

/** The test of a rule: any of its matches, each with all of its conditions; no matches at all is always true. */
export function compileMatches(matches: readonly Match[]): Test {
  const tests = matches.map(both)
  const [first, ...others] = tests
  if (!first) return () => true
  return others.length === 0 ? first : (asked) => tests.some((test) => test(asked))
}

function both(match: Match): Test {
  const tests = all.flatMap((matcher) => matcher(match) ?? [])
  const [first, ...others] = tests
  if (!first) return () => true
  return others.length === 0 ? first : (asked) => tests.every((test) => test(asked))
}
