import type { Target } from '../target.ts'

/** What a mirror may cost; at least one of the two. */
export interface Budget {
  /** Picodollars in any hour. */
  readonly perHour: number | undefined
  /** Of a hundred parts of what the rule's own requests have cost. */
  readonly spendPercent: number | undefined
}

/** How a rule is mirrored. */
export interface MirrorSettings {
  /** What it finds is counted under it: another one where it is compared with something else, or by something else. */
  readonly version: string
  readonly target: Target
  /** Of the requests, 0…100. */
  readonly percent: number
  readonly budget: Budget
  /** Of an answer, where the request has no limit. */
  readonly maxTokens: number
  /** Calls under way at a time. */
  readonly maxConcurrent: number
  /** `percent`: of the pairs of answers. */
  readonly judge: { readonly by: Target; readonly percent: number; readonly prompt: string | undefined } | undefined
}
