import type { Target } from '../target.ts'
import type { CheckConfig } from './checks/index.ts'
import type { GateMode } from './facts.ts'
import type { Learned } from './learned.ts'

/** What a rule's gate becomes on the request path. */
export interface Gate {
  readonly mode: GateMode
  /** How much of a stream is held back in mode Prefix: so many tokens, or what came in so many ms. */
  readonly prefix: { readonly tokens: number; readonly within: number }
  readonly checks: readonly CheckConfig[]
  /** The least log-probability of any token, and of their mean; natural logarithms. */
  readonly logprobs: { readonly least: number | undefined; readonly mean: number | undefined } | undefined
  /** By a trained artefact. */
  readonly learned: Learned | undefined
  /** `samples`: answers in all, the one that is examined among them; `by`: who gives the others, undefined: the same target. */
  readonly agreement: { readonly samples: number; readonly by: Target | undefined } | undefined
  /** `bar`: the least mark that is good, of 10. */
  readonly judge:
    | { readonly by: Target; readonly percent: number; readonly prompt: string | undefined; readonly bar: number }
    | undefined
  readonly maxEscalations: number
  /** What all calls for one request may cost, picodollars; and as a multiple of what the first answer is expected to. */
  readonly budget: { readonly most: number | undefined; readonly multiple: number | undefined } | undefined
}
