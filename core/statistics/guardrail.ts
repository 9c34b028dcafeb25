import type { Tally } from '../evidence/tally.ts'
import { MeanGuard } from './mean-guard.ts'
import type { MeanState } from './mean-guard.ts'
import { ShareGuard } from './share-guard.ts'
import type { ShareState } from './share-guard.ts'
import { TailGuard } from './tail-guard.ts'
import type { TailState } from './tail-guard.ts'

/** A thing of two arms. */
export interface Arms<T> {
  readonly canary: T
  readonly stable: T
}

/** What a canary may be harmful in. All but quality are better when they are less. */
export const METRICS = [
  'ErrorRate',
  'Truncations',
  'Refusals',
  'Escalations',
  'Latency',
  'FirstToken',
  'Cost',
  'Quality',
] as const
export type Metric = (typeof METRICS)[number]

/** What a guardrail watches over. */
export interface GuardrailSpec {
  readonly metric: Metric
  /**
   * How much worse than the stable targets is still no harm: in shares, points (0.02: 2 of 100 requests more); in latency, first token and
   * cost, a part of what the stable ones take (0.2: a fifth more); in quality, points of 0…1 less.
   */
  readonly margin: number
  /** The chance that a harmless canary is rolled back, by all guardrails of the rollout. */
  readonly alpha: number
  /** The part of α that is this guardrail's: the parts of a rollout sum to 1. Default: all of it. */
  readonly share?: number
}

/** What is known of a metric. Means, counts and bounds are of the step that is; the evidence is of all steps. */
export interface Reading {
  readonly metric: Metric
  readonly margin: number
  /** Against "no harm beyond the margin": 1 says nothing. */
  readonly evidence: number
  /** The evidence that rolls back by itself: 1 ÷ (α · share). */
  readonly needs: number
  /** A share, a mean of USD or quality, a 95th percentile in ms; absent where there is none yet. */
  readonly canary?: number
  readonly stable?: number
  /**
   * Bounds, with chance 1 − α at every look at once, of the difference (shares, quality) or the relative difference (latency, first token,
   * cost; of stable's); absent where there are none yet.
   */
  readonly lower?: number
  readonly upper?: number
  /** Values of each arm. */
  readonly n: Arms<number>
}

/** All that a guardrail remembers, as JSON. */
export type GuardrailState = ShareState | TailState | MeanState

/** A test that may be looked at at any time, and what it estimates. */
export interface Guard {
  readonly state: GuardrailState
  readonly evidence: number
  /** Takes what the step has come to so far; false where that is less than was taken before. */
  update(totals: Arms<Tally>): boolean
  step(): void
  estimates(alpha: number): Estimates
}
export type Estimates = Pick<Reading, 'canary' | 'stable' | 'lower' | 'upper' | 'n'>

/**
 * Watches one metric of a canary beside its stable targets, in all steps of a rollout. While the canary is harmless – no worse than the margin –
 * the chance that `evidence` ever reaches `needs` is at most α · share, however often it is looked at and whatever part of the traffic
 * the canary has; and the bounds of `reading` hold at every look at once. Each increment is of both arms at the same time, so that a bad hour of
 * both is nobody's harm. Which test a metric has, and what that rests on: docs/statistics.md.
 */
export class Guardrail {
  private readonly spec: GuardrailSpec
  private readonly guard: Guard

  /** Goes on from a `state` of the same metric and margin. */
  constructor(spec: GuardrailSpec, state?: GuardrailState) {
    this.spec = spec
    this.guard = guardOf(spec, state)
  }

  /**
   * Takes the totals of the step (the version of its evidence) so far; what was taken before is known, and the same totals again change
   * nothing. False, and nothing is taken, where they are less than those before: what told of them is not all there.
   */
  update(totals: Arms<Tally>): boolean {
    return this.guard.update(totals)
  }

  /** A new step begins, with totals from 0: its evidence multiplies that of the steps before. */
  step(): void {
    this.guard.step()
  }

  get state(): GuardrailState {
    return this.guard.state
  }

  get reading(): Reading {
    const { metric, margin, alpha, share = 1 } = this.spec
    const { evidence } = this.guard
    return { metric, margin, evidence, needs: 1 / (alpha * share), ...this.guard.estimates(alpha) }
  }

  /** Whether harm beyond the margin is excluded by what the step has come to: what a promotion asks for. */
  get harmless(): boolean {
    const { metric, margin } = this.spec
    const { lower, upper } = this.reading
    return metric === 'Quality' ? lower !== undefined && lower >= -margin : upper !== undefined && upper <= margin
  }
}

/**
 * The evidence of all guardrails of a rollout together, as a part of what rolls back: from 1 on, it does. The mean of their e-values weighted
 * by their shares of α, times α: valid however metrics depend on each other, and never less than the largest alone (Vovk and Wang,
 * E-values: calibration, combination and applications, Annals of Statistics 49, 2021).
 */
export function against(readings: readonly Reading[]): number {
  return readings.reduce((sum, { evidence, needs }) => sum + evidence / needs, 0)
}

function guardOf({ metric, margin }: GuardrailSpec, state: GuardrailState | undefined): Guard {
  switch (metric) {
    case 'ErrorRate':
      return new ShareGuard(({ errors }) => errors, margin, of('share', state))
    case 'Truncations':
      return new ShareGuard(({ truncations }) => truncations, margin, of('share', state))
    case 'Refusals':
      return new ShareGuard(({ refusals }) => refusals, margin, of('share', state))
    case 'Escalations':
      return new ShareGuard(({ escalations }) => escalations, margin, of('share', state))
    case 'Latency':
      return new TailGuard(({ latency }) => latency, margin, of('tail', state))
    case 'FirstToken':
      return new TailGuard(({ firstToken }) => firstToken, margin, of('tail', state))
    case 'Cost':
      return new MeanGuard('cost', margin, of('mean', state))
    case 'Quality':
      return new MeanGuard('quality', margin, of('mean', state))
  }
}

/** The state, where it is of that kind: one of another metric is not gone on from. */
function of<K extends GuardrailState['kind']>(
  kind: K,
  state: GuardrailState | undefined,
): Extract<GuardrailState, { kind: K }> | undefined {
  // A state of that kind is what is extracted by it.
  return state?.kind === kind ? (state as Extract<GuardrailState, { kind: K }>) : undefined
}
