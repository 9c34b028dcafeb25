import type { Analysis } from './analysis.ts'
import { decide } from './decision.ts'
import type { Design, Standing } from './decision.ts'

/** Where an experiment is, and since when; times in ms since the epoch. */
export interface State extends Standing {
  /** Names what is compared: another one begins anew. */
  readonly version: string
  readonly started: number
  readonly since: number
  /** What is known; of one that is decided, when it was. */
  readonly analysis: Analysis
}

/** What an experiment looks at, at a moment. */
export interface Input {
  readonly now: number
  readonly version: string
  /** Why nobody is assigned now; undefined: somebody is. */
  readonly held: Pick<Standing, 'reason' | 'message'> | undefined
  readonly analysis: Analysis
}

/**
 * The next state of an experiment: a pure function, so that who goes on from what is written down comes to the same. What is decided stays
 * decided, and requests that once did not fall to the arms as they should have been counted and do so for good: both until another version.
 * Fewer requests than were known before: who has seen the rest has not told it yet, and nothing is concluded from a part.
 */
export function advance(design: Design, before: State | undefined, input: Input): State {
  const { now, version, held, analysis } = input
  const known = before?.version === version ? before : undefined
  if (known?.phase === 'Decided' || known?.reason === 'SampleRatioMismatch') return known
  const started = known?.started ?? now
  const to = (standing: Standing, found: Analysis): State => ({
    ...standing,
    version,
    started,
    since: known?.phase === standing.phase && known.reason === standing.reason ? known.since : now,
    analysis: found,
  })
  if (held) return to({ phase: 'Blocked', ...held }, known?.analysis ?? analysis)
  const partly = known?.analysis.arms.some(({ name, n }) => n > (analysis.arms.find((it) => it.name === name)?.n ?? 0))
  if (known && partly) return known.phase === 'Running' ? known : to(RESUMED, known.analysis)
  return to(decide(design, analysis, now - started), analysis)
}

const RESUMED: Standing = { phase: 'Running', reason: 'Collecting', message: 'What was counted is being gathered.' }
