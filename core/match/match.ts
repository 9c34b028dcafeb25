import type { Match } from '../target.ts'

/** What a match may look at. */
export interface Asked {
  /** Empty where the request names none. */
  readonly model: string
  /** With `/v1` in front for OpenAI's surfaces; without the query. */
  readonly path: string
  /** By name in lower case. */
  header(name: string): string | undefined
}

export type Test = (asked: Asked) => boolean

/** One kind of condition: the test for a match that has it, undefined for one that has not. */
export type Matcher = (match: Match) => Test | undefined
