import type { Deps } from '../deps.ts'
import type { Handler } from '../pipeline.ts'
import type { Model, Target } from '../target.ts'
import type { Gate } from './config.ts'
import type { Examiners } from './examine.ts'
import type { EscalationRate } from './rate.ts'

/** What lives as long as the rule. */
export interface Gatehouse {
  readonly gate: Gate
  readonly deps: Deps
  readonly next: Handler
  readonly examiners: Examiners
  /** By target that answers first. */
  readonly rates: Map<Target, EscalationRate>
  /** Models that refuse to say how likely their tokens are. */
  readonly silent: WeakSet<Model>
}
