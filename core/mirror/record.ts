import { usd } from '../cost.ts'
import type { Sample } from '../evidence/counter.ts'
import type { ErrorCode } from '../errors.ts'
import type { AttemptFacts, Facts } from '../exchange.ts'
import type { Skip } from './skip.ts'

/** What the judge thinks of both answers, 0…1. */
export interface Marks {
  readonly candidate: number
  readonly current: number
}

/** A request that was drawn, with what came of it. Holds none of its words. */
export interface MirrorRecord {
  /** `x-request-id` of the request. */
  readonly id: string
  readonly route: string
  readonly rule: string
  /** Ids: the candidate, and who gave the caller's answer; empty where nobody did. */
  readonly target: string
  readonly current: string
  /** The candidate answered, or failed; or it was not asked. */
  readonly outcome: 'answered' | 'failed' | Skip
  /** Undefined where it was not asked. */
  readonly pair: Pair | undefined
  /** What its calls cost at most, picodollars: those that did not say what they used count in full. */
  readonly spent: number
  /** Of the mirrored call, and its own calls, the judge's among them; undefined where none went out. */
  readonly facts: Facts | undefined
}

/** How both fared. */
export interface Pair {
  readonly candidate: Sample
  readonly own: Sample
  readonly code: ErrorCode | undefined
  /** 1: both answers come to the same; undefined: nothing could be said. */
  readonly alike: number | undefined
  /** Whether the judge could have marked it, had it been drawn. */
  readonly markable: boolean
  readonly marks: Marks | undefined
}

/** A line of the decision log about a request that was mirrored, to be joined with its decision by `id`. `wall`: ms since the epoch. */
export function mirrorLine({ pair, facts, ...record }: MirrorRecord, wall: number): string {
  const { id, route, rule, target, current, outcome, spent } = record
  const head = { time: wall, msg: 'mirror', id, route, rule, target, current, outcome }
  if (!pair) return JSON.stringify(head)
  const { candidate, own, code, alike, marks } = pair
  return JSON.stringify({
    ...head,
    ...(code === undefined ? {} : { code }),
    ...(alike === undefined ? {} : { alike: alike === 1 }),
    ...(marks ? { marks } : {}),
    candidate: { ...sideOf(candidate), ...tokensOf(facts?.attempts[0]) },
    own: sideOf(own),
    spent: Number(usd(spent)),
  })
}

const sideOf = ({ latency, firstToken, cost, error }: Sample) => ({
  ...(latency === undefined ? {} : { ms: rounded(latency) }),
  ...(firstToken === undefined ? {} : { firstTokenMs: rounded(firstToken) }),
  ...(cost === undefined ? {} : { cost: Number(cost.toFixed(12)) }),
  ...(error ? { failed: true } : {}),
})

const tokensOf = (attempt: AttemptFacts | undefined) =>
  attempt?.usage ? { input: attempt.usage.input, output: attempt.usage.output } : {}

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000
