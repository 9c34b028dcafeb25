/**
 * What the dashboard is told: short rows of all that there is, and more of the one that somebody looks at. Shapes only; names of objects are
 * `namespace/name`.
 */

import type { MirrorStatus } from './mirror.ts'

/** What was observed in the last minute. */
export interface Rate {
  /** Attempts a second, over the last 15 s. */
  readonly requests: number
  /** The part of attempts that failed, 0…1; null: there were none. */
  readonly errors: number | null
  /** How long callers waited, ms; null: no answer, or only sidecars that do not tell. */
  readonly p50: number | null
  readonly p95: number | null
  /** USD an hour, as the last minute went; null: of sidecars that do not tell. */
  readonly cost: number | null
}

/** One part of a split. */
export interface Share {
  /** The endpoint, and its model where it takes that to tell two apart. */
  readonly target: string
  /** The part that the weights in force give it, 0…1; null where a strategy decides. */
  readonly configured: number | null
  /** The part of the last minute's attempts that it got, 0…1; null: there were none. */
  readonly observed: number | null
}

/** What is wrong, in the words of a condition. */
export interface Problem {
  readonly type: string
  readonly reason: string
  readonly message: string
}

export interface RouteRow {
  readonly name: string
  readonly generation: number
  readonly models: readonly string[]
  /** Sidecars that are to serve it, are connected, serve this generation, refused it. */
  readonly sidecars: {
    readonly targeted: number
    readonly connected: number
    readonly acknowledged: number
    readonly rejected: number
  }
  /** Of the last rule's first priority. */
  readonly split: readonly Share[]
  readonly rate: Rate
  /** Attempts of each five seconds of the last two minutes, the newest last. */
  readonly history: readonly number[]
  readonly problem: Problem | null
}

export interface EndpointRow {
  readonly name: string
  readonly generation: number
  readonly provider: string
  readonly url: string
  /** Sidecars that use it, find it healthy, have an open breaker on it. */
  readonly sidecars: { readonly using: number; readonly healthy: number; readonly open: number }
  readonly models: readonly {
    readonly name: string
    readonly healthy: number
    readonly open: number
    readonly scarce: number
  }[]
  /** How many routes refer to it, and some of them. */
  readonly users: number
  readonly usedBy: readonly string[]
  readonly rate: Rate
  readonly problem: Problem | null
}

export interface SidecarRow {
  readonly pod: string
  readonly connected: boolean
  /** Empty: it is not connected. */
  readonly version: string
  /** What it is too old for, words of the protocol. */
  readonly lacks: readonly string[]
  /** Routes that it is to serve, and how many it serves as they are now. */
  readonly routes: number
  readonly current: number
  /** Some of the others. */
  readonly behind: readonly string[]
  readonly refused: { readonly resource: string; readonly path: string; readonly message: string } | null
}

/** A rule of the route that somebody looks at. */
export interface RuleDetail {
  readonly name: string
  readonly strategy: string
  /** The header that keeps callers at their target; null: none does. */
  readonly sticky: string | null
  /** Whether it takes all that came to it. */
  readonly matchesAll: boolean
  /** What the rule does besides, in a word each: gate, hedge, mirror, faults… */
  readonly features: readonly string[]
  readonly targets: readonly TargetDetail[]
}

export interface TargetDetail extends Share {
  readonly endpoint: string
  readonly model: string
  readonly weight: number
  readonly priority: number
  readonly unavailable: boolean
  readonly rate: Rate
}

export interface RouteDetail extends RouteRow {
  readonly conditions: readonly {
    readonly type: string
    readonly status: string
    readonly reason: string
    readonly message: string
  }[]
  readonly rules: readonly RuleDetail[]
  readonly mirrors: readonly MirrorStatus[]
  /** Some of the sidecars that do not serve it as it is now, and why. */
  readonly behind: readonly { readonly pod: string; readonly why: string }[]
}
