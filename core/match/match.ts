import type { Caller } from '../signals/caller.ts'
import type { Signals } from '../signals/signals.ts'
import type { Match } from '../target.ts'

/** What a match may look at. */
export interface Asked {
  /** Empty where the request names none. */
  readonly model: string
  /** With `/v1` in front for OpenAI's surfaces; without the query. */
  readonly path: string
  /** When it came, ms since the epoch. */
  readonly wall: number
  /** What is known of its content; undefined where that is not to be looked into: what is passed through. */
  readonly signals: Signals | undefined
  /** By name in lower case. */
  header(name: string): string | undefined
}

export type Test = (asked: Asked) => boolean

/** One kind of condition: one file, one line of the registry. */
export interface Condition {
  /** The test for a match that has it, undefined for one that has not. `caller`: where the match's route reads tier and task. */
  compile(match: Match, caller: Caller): Test | undefined
  /** Why a request does not meet it, for a match that has it: part of a sentence, without a full stop. */
  misses(match: Match, asked: Asked, caller: Caller): string
}

/** What a condition on the content says where there is none to look at. */
export const UNKNOWN = 'its content is not known (an explanation needs the body of the request)'

/** The signals of a request whose content can be read. */
export function content({ signals }: Asked): Signals | undefined {
  return signals?.readable ? signals : undefined
}

/** A condition on the content: it never holds where that is not known. `holds` and `misses` say what they say of the match's own part. */
export function onContent<Part>(
  part: (match: Match) => Part | undefined,
  {
    holds,
    misses,
  }: {
    readonly holds: (part: Part, signals: Signals) => boolean
    readonly misses: (part: Part, signals: Signals) => string
  },
): Condition {
  return {
    compile(match) {
      const wanted = part(match)
      if (wanted === undefined) return undefined
      return (asked) => {
        const signals = content(asked)
        return signals !== undefined && holds(wanted, signals)
      }
    },
    misses(match, asked) {
      const wanted = part(match)
      const signals = content(asked)
      if (wanted === undefined) return ''
      return signals ? misses(wanted, signals) : UNKNOWN
    },
  }
}
