import type { Form } from '../bandits/form.ts'
import type { Memory } from '../bandits/memory.ts'
import type { Out } from '../decide/out.ts'
import type { Terms, Values } from '../decide/decide.ts'
import type { Json } from '../dialects/dialect.ts'
import type { Artefact } from '../learning/artefact.ts'
import type { Verdict } from '../learning/audit.ts'
import type { Guards } from '../learning/guards.ts'
import type { Schema } from '../schema.ts'
import type { Signals } from '../signals/signals.ts'

/** A target as a strategy sees it. Those with weight 0, or that do not resolve, are not among them. */
export interface Choosable {
  readonly weight: number
  /** The model's place on the ladder from cheap to strong. */
  readonly rank: number
  /** Peak-EWMA latency × (in flight + 1) at this moment, ms; lower is better. */
  readonly load: () => number
  /**
   * How much of its weight it may use at this moment, 0…1: 0 while its breaker is open or it cools, the step while it ramps up, else 1.
   * Always 1 where the rule says `onUnavailable: Fail`, so that the share of a dead target stays its own.
   */
  readonly available: () => number
  /** A stable name for hashing, `namespace/name model`. */
  readonly id: string
}

/** Why a target was put first, for the answer's header, the log and `tradewind explain`; words are added, never changed. */
export type Reason =
  | 'weighted'
  | 'sticky'
  | 'fastest'
  | 'least_cost'
  | 'best_value'
  | 'classifier'
  | 'no_artefact'
  | 'uncertified'
  | 'novel'
  | 'unsure'
  | 'alarmed'
  | 'expired'
  | 'scores_shifted'
  | 'prompts_shifted'
  | 'best_known'
  | 'explored'
  | 'unproven'
  | 'below_floor'
  | 'feedback'
  | 'pinned'
  | 'experiment'
  | 'only_target'

/** What a strategy may look at. */
export interface Choice {
  /** The sticky key, where the rule has one and the request carries it. */
  readonly key: string | undefined
  /** By the targets' order: why one is out; undefined: none is. */
  readonly outs?: readonly (Out | undefined)[] | undefined
  /** By the targets' order, for strategies that weigh. */
  readonly values?: readonly Values[] | undefined
  /** The request, for strategies that weigh. */
  readonly signals?: Signals | undefined
  /** What adjustments put in the place of the strategy's own, and add to each target's quality. */
  readonly adjusted?:
    | { readonly lambda: number | undefined; readonly floor: number | undefined; readonly boosts: readonly number[] }
    | undefined
}

/** What came of a request that was decided. */
export interface Answered {
  /** `x-request-id`. */
  readonly decision: string
  /** The id of the target whose answer the caller got. */
  readonly target: string
  /** What was found of the quality of answers, 0…1, those that were not given among them. */
  readonly judged: readonly { readonly target: string; readonly reward: number }[]
  /** Monotonic milliseconds. */
  readonly now: number
}

/** Two answers whose comparison would tell whether what a strategy promises holds. */
export interface Comparison<T> {
  /** Why: the request stays cheap; or it is like nothing that was trained on, and nobody knows how the cheap one does. */
  readonly kind: 'kept' | 'novel'
  /** Who is to answer, and who is asked besides. */
  readonly own: T
  readonly other: T
  /** What it decided by: the artefact's hash. */
  readonly version: string
  /** What the segment of the request is called, and how sure the strategy was. */
  readonly segment: string
  readonly score: number
  /** Hears how good both were, 0…1. What stands then; undefined where nothing is promised of such requests. */
  readonly heard: (own: number, other: number) => Verdict | undefined
}

/** What a strategy makes of it; `decide` puts the targets in order by it. */
export interface Preference<T> {
  readonly reason: Reason
  /** By the targets' order: those that it puts off itself. */
  readonly outs?: readonly (Out | undefined)[] | undefined
  /** Goes before the others. */
  readonly first?: T | undefined
  /** Whose share the request is, by weight or by key: another than `first` where that one takes less than all of its share at the moment. */
  readonly share?: T | undefined
  /** Undefined: the others follow by rank. */
  readonly terms?: Terms | undefined
  /** What the terms weigh, where that was not in the choice already. */
  readonly values?: readonly Values[] | undefined
  /** What it knows better of the targets' quality than their manifests say, by their order; NaN: nothing. */
  readonly quality?: readonly number[] | undefined
  /** Those of less quality are put off. */
  readonly floor?: number | undefined
  /** The first is asked whatever its quality is thought to be: the strategy has seen to the floor itself. */
  readonly exempt?: true | undefined
  /** Hears what came of the request, where there is an answer. */
  readonly answered?: ((answered: Answered) => void) | undefined
  /** What is worth comparing, where the rule has audits. */
  readonly audit?: Comparison<T> | undefined
  /** How likely it was that each target is put first, by their order; asked only where decisions are written down. Undefined: one was sure to be. */
  readonly propensities?: (() => readonly number[]) | undefined
  /** How sure it is of its choice, 0…1. */
  readonly confidence?: number | undefined
  /** What it decided by: an artefact's hash, an epoch of a learner. */
  readonly version?: string | undefined
}

/** A trained artefact, or why there is none. */
export type Loaded = { readonly artefact: Artefact } | { readonly fault: string }

/** What a strategy is made of for the targets of one priority of a rule. */
export interface Parts<T> {
  readonly targets: readonly T[]
  /** Its own member of `strategy`, as the manifest has it; empty where that is left out. */
  readonly settings: Json
  readonly random: () => number
  /** Milliseconds since the epoch. */
  readonly wall: () => number
  /** What `artefact` names, or why it is not there; undefined where it names none. */
  readonly artefact?: Loaded | undefined
  /** What was found of artefacts in service; undefined: nothing. */
  readonly guards?: Guards | undefined
  /** What was learnt under this rule so far; undefined: nothing, and it is forgotten with the configuration. */
  readonly memory?: Memory | undefined
}

/**
 * How a rule picks among the targets of one priority. `make` runs once for each rule and configuration; what it returns says for a request
 * what counts.
 */
export interface Strategy {
  readonly type: string
  /** The name and the schema of the member of `strategy` that holds its own settings. */
  readonly settings?: { readonly name: string; readonly schema: Schema; readonly required?: true }
  /** What it picks of the targets, for the eye: `fastest`. Undefined: shares by weight. */
  readonly picks?: string
  /** The name of the artefact that it decides by, where it does. */
  readonly artefact?: (settings: Json) => string | undefined
  /** What its memory has to be like, where it learns. */
  readonly memory?: (settings: Json) => Form
  /** Whether what is expected of each target is to be worked out for it: quality, cost and latency. */
  readonly weighs?: (settings: Json) => boolean
  readonly make: <T extends Choosable>(parts: Parts<T>) => (choice: Choice) => Preference<T>
}
