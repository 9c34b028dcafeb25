import type { Target } from '../target.ts'

/** How a rule watches in service what its classifier promises. */
export interface AuditSettings {
  /** Of requests that stay cheap, and of novel ones, so many of a hundred are answered by the other model too. */
  readonly percent: number
  readonly novelPercent: number
  /** What that may cost, of a hundred parts of what the rule's requests cost. */
  readonly spendPercent: number
  /** Marks both answers; undefined: it is only seen whether they come to the same. */
  readonly judge: { readonly by: Target; readonly prompt: string | undefined } | undefined
}

/** Where the rule's gate has a judge and nothing else is said. */
export const AUDIT_DEFAULTS = { percent: 2, novelPercent: 20, spendPercent: 10 } as const
