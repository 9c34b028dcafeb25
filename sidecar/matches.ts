import type { CompiledCaller, CompiledMatch, CompiledRoute } from '../api/compiled.ts'
import { REDACTED } from '../core/decisions/redact.ts'
import { TASK_HEADER } from '../core/signals/caller.ts'
import type { Caller } from '../core/signals/caller.ts'
import type { Match, Rule } from '../core/target.ts'
import { Refused } from './endpoints.ts'
import { re2, re2Replace } from './re2.ts'

type Text = NonNullable<CompiledMatch['text']>

/** What a match becomes on the request path; `at` is its place, for what is refused. Throws `Refused`. */
export function matchOf({ text, schedule, not, ...rest }: CompiledMatch, at: string): Match {
  return {
    ...rest,
    ...(text ? { text: textOf(text, `${at}/text`) } : {}),
    ...(schedule ? { schedule: { ...schedule, timeZone: zone(schedule.timeZone, `${at}/schedule/timeZone`) } } : {}),
    ...(not ? { not: matchOf(not, `${at}/not`) } : {}),
  }
}

/** Where a route reads tier and task; undefined where it says nothing of them. Throws `Refused`. */
export function callerOf(caller: CompiledCaller | undefined): Caller | undefined {
  if (!caller) return undefined
  const { tier, taskHeader = TASK_HEADER, tasks = [] } = caller
  return {
    ...(tier ? { tier } : {}),
    taskHeader,
    tasks: tasks.map(({ name, patterns }, i) => ({
      name,
      matches: anyOf(patterns, `/caller/tasks/${i}/patterns`),
    })),
  }
}

/** Whether any of some patterns matches: in one pass over the text, unless they are too large together. Throws `Refused`. */
function anyOf(patterns: readonly string[], at: string): (text: string) => boolean {
  const each = patterns.map((pattern, i) => patternOf(pattern, true, `${at}/${i}`))
  try {
    return re2(patterns.map((pattern) => `(?:${pattern})`).join('|'), true)
  } catch {
    return (text) => each.some((matches) => matches(text))
  }
}

/** What a route has written down of its decisions; undefined: all of them, without content. Throws `Refused`. */
export function logOf(decisions: CompiledRoute['decisions']): Rule['log'] {
  if (!decisions) return undefined
  const { percent, content } = decisions
  const redact = content?.redact?.map((pattern, i) =>
    orRefused(`/decisions/content/redact/${i}`, () => re2Replace(pattern, REDACTED)),
  )
  return { percent, ...(content ? { content: { percent: content.percent, redact: redact ?? [] } } : {}) }
}

function textOf({ in: where, contains, pattern, ignoreCase }: Text, at: string): NonNullable<Match['text']> {
  if (pattern !== undefined) {
    const test = patternOf(pattern, ignoreCase, `${at}/pattern`)
    return { in: where, said: `match ${pattern}`, test: ({ text }) => test(text) }
  }
  const words = contains ?? []
  const said = `contain ${words.map((word) => JSON.stringify(word)).join(' or ')}`
  if (!ignoreCase) return { in: where, said, test: ({ text }) => words.some((word) => text.includes(word)) }
  const small = words.map((word) => word.toLowerCase())
  return { in: where, said, test: ({ lower }) => small.some((word) => lower.includes(word)) }
}

/** A pattern of a configuration as a test; `at` is its place. Throws `Refused`. */
export function patternOf(pattern: string, ignoreCase: boolean, at: string): (text: string) => boolean {
  return orRefused(at, () => re2(pattern, ignoreCase))
}

function zone(name: string, at: string): string {
  orRefused(at, () => new Intl.DateTimeFormat('en', { timeZone: name }))
  return name
}

function orRefused<T>(at: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw new Refused(at, error instanceof Error ? error.message : String(error))
  }
}
