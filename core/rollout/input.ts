import type { Tally } from '../evidence/tally.ts'
import type { Arms } from '../statistics/guardrail.ts'
import type { Verb } from './state.ts'

/** What a rollout looks at, at a moment. */
export interface Input {
  /** ms since the epoch. */
  readonly now: number
  /** What the rollout's name is made of besides the time: the route's uid and the rule. */
  readonly of: string
  /** What has become of the requests of the version so far; undefined: nobody has told anything. */
  readonly totals: Arms<Tally> | undefined
  /** Whether every sidecar has told of all that it has counted: what is less than before is lost then. */
  readonly complete?: () => boolean
  readonly sidecars: {
    /** Whether the version is what is pushed: what was written down has come back. */
    readonly inForce: boolean
    readonly connected: number
    /** Pods that are to have it and have not acknowledged it, `namespace/name`. */
    readonly behind: readonly string[]
    /** Pods whose sidecars are too old to tell what becomes of requests, the same. */
    readonly mute?: readonly string[]
  }
  readonly canary: {
    /** Why it gets no request: it does not resolve. */
    readonly fault?: string | undefined
  }
  /** Sidecars that hold the breaker of a target of the rule open: then requests are not shared out as configured. */
  readonly open: { readonly canary: number; readonly stable: number }
  /** What somebody asks for: by hand, which has been found to be allowed, or by an annotation's value. */
  readonly order?: { readonly verb: Verb; readonly by: string } | undefined
  readonly annotation?: { readonly value: string; readonly verb: Verb; readonly by: string } | undefined
}
