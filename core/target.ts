import type { AuditSettings } from './audit/settings.ts'
import type { Breaker } from './breaker.ts'
import type { Adjustment } from './decide/adjust.ts'
import type { Lengths } from './decide/lengths.ts'
import type { DecisionLog } from './decisions/record.ts'
import type { Call, Receiver, Running } from './deps.ts'
import type { FallbackKind, RetryKind } from './errors.ts'
import type { Experiment } from './experiment/assigned.ts'
import type { PeakEwma } from './ewma.ts'
import type { Fault } from './faults/fault.ts'
import type { FeedbackSettings } from './feedback/desk.ts'
import type { Gate } from './gate/config.ts'
import type { Edit } from './json-fields.ts'
import type { Capabilities, Json } from './dialects/dialect.ts'
import type { TextRule } from './learning/text.ts'
import type { Day } from './match/schedule.ts'
import type { MirrorSettings } from './mirror/settings.ts'
import type { Pricing } from './prices.ts'
import type { Provider } from './providers/provider.ts'
import type { RateLimits } from './rate-limits.ts'
import type { RetryBudget } from './retry-budget.ts'
import type { Caller } from './signals/caller.ts'
import type { LookedAt } from './signals/looked-at.ts'
import type { Script } from './signals/script.ts'
import type { InputKind } from './signals/signals.ts'
import type { StrategyType } from './strategies/index.ts'
import type { Choosable, Loaded } from './strategies/strategy.ts'

/**
 * What a configuration becomes on the request path. Rules, routes and targets are built anew from a changed resource; breakers, moving
 * averages, budgets and connections belong to longer-lived states and are only pointed at, so that they survive an edit.
 */

/** One place to connect to. */
export interface Address {
  readonly host: string
  readonly port: number
  /** `host:port`, for people. */
  readonly name: string
  readonly ewma: PeakEwma
  /** Of `ewma`, for the choice among addresses. */
  load(): number
  /** As active checks find it; true where there are none. */
  healthy: boolean
  /** Sends a request there; what becomes of it goes to the receiver. */
  call(call: Call, receiver: Receiver): Running
}

/** Authorises calls one by one: with a token that is minted and renewed, or with a signature over the call. */
export interface Signer {
  /**
   * Headers to add to the call (flat list), at once where what is needed is at hand, else when it has come. Rejects with
   * `Failure('credentials_unavailable')`. `wall` is in ms since the epoch.
   */
  sign(call: Call, wall: number): readonly string[] | Promise<readonly string[]>
  /** What must never show up in an answer to a caller. */
  secrets(): readonly string[]
}

/** A ModelEndpoint with what is known of it. */
export interface Endpoint {
  /** `namespace/name`. */
  readonly name: string
  readonly provider: Provider
  /** `spec.provider.<member>`, defaults filled in; empty where the provider has none. */
  readonly settings: Json
  readonly scheme: 'http' | 'https'
  /** The `host` header. */
  readonly authority: string
  /** The path of the base URL, such as `/v1`; never with a slash at the end. */
  readonly basePath: string
  readonly addresses: readonly Address[]
  readonly models: ReadonlyMap<string, Model>
  /** The header of the credential, or what makes it for each call; `passthrough`: the caller's own; undefined: none. Never printed. */
  readonly authorization: readonly [name: string, value: string] | Signer | 'passthrough' | undefined
  /** Flat list, names in lower case. */
  readonly setHeaders: readonly string[]
  /** Names in lower case that do not go on: those of `headers.remove` and those that `setHeaders` replaces. */
  readonly dropHeaders: ReadonlySet<string>
  /** ms. */
  readonly timeouts: {
    readonly connect: number
    readonly firstToken: number
    readonly idle: number
    readonly attempt: number
  }
  readonly maxInFlight: number
  /** Shared by every configuration that names the endpoint. */
  readonly load: { inFlight: number }
  readonly budget: RetryBudget
  /** Those of the whole account. */
  readonly limits: RateLimits
}

/** A model of an endpoint with what is known of it. */
export interface Model {
  readonly name: string
  readonly rank: number
  readonly capabilities: Capabilities
  /** How good its answers are expected to be, 0…1: over all, and for some tasks; undefined: not said. */
  readonly quality: { readonly default: number; readonly tasks: ReadonlyMap<string, number> } | undefined
  readonly pricing: Pricing
  /** Fields that are added where the caller gave none, and those that are set whatever it gave. */
  readonly defaults: readonly Edit[]
  readonly force: readonly Edit[]
  readonly state: ModelState
}

export interface ModelState {
  readonly breaker: Breaker
  /** Time to the first token or to the whole answer, over all addresses: what strategies compare targets by. */
  readonly ewma: PeakEwma
  /** How long its answers are. */
  readonly lengths: Lengths
  /** Of `Deps.now()`: until then the target asked to be left alone. Never moved back. */
  coolUntil: number
  readonly limits: RateLimits
  /** How often in a row it said that a quota is used up. */
  exhausted: number
}

/** One target of a rule. */
export interface Target extends Choosable {
  readonly endpoint: Endpoint
  readonly model: Model
  readonly priority: number
}

/** A target that does not resolve. */
export interface Unresolved {
  /** `namespace/name model`. */
  readonly id: string
  readonly weight: number
  readonly priority: number
  readonly reason: string
  readonly message: string
}

/** What a rule asks of a request: all that is there must hold. */
export interface Match {
  readonly model?: { readonly value: string; readonly prefix: boolean } | undefined
  readonly headers: readonly {
    readonly name: string
    readonly type: 'Exact' | 'Prefix' | 'Present'
    readonly value: string
  }[]
  readonly path?: { readonly type: 'Exact' | 'Prefix'; readonly value: string } | undefined
  /** Any of them; so with the other lists. */
  readonly tier?: readonly string[] | undefined
  readonly task?: readonly string[] | undefined
  readonly input?: readonly InputKind[] | undefined
  readonly language?: readonly Script[] | undefined
  /** Estimated, of the prompt. */
  readonly tokens?: { readonly min?: number | undefined; readonly max?: number | undefined } | undefined
  /** Of the user. */
  readonly turns?: { readonly min?: number | undefined; readonly max?: number | undefined } | undefined
  /** `said`: what the test asks for, as the end of "the text does not …". */
  readonly text?:
    | { readonly in: TextRule; readonly said: string; readonly test: (text: LookedAt) => boolean }
    | undefined
  readonly tools?: boolean | undefined
  readonly jsonSchema?: boolean | undefined
  /** Times of day are `HH:MM`. */
  readonly schedule?:
    | { readonly timeZone: string; readonly days: readonly Day[]; readonly from: string; readonly to: string }
    | undefined
  /** Requests that match this do not match. */
  readonly not?: Match | undefined
}

export interface Rule {
  readonly name: string
  /** `namespace/name` of the route. */
  readonly route: string
  /** Of the route. */
  readonly generation: number
  /** ms. */
  readonly requestTimeout: number
  /** Any of them; an empty list matches all. */
  readonly matches: readonly Match[]
  readonly targets: readonly Target[]
  readonly unresolved: readonly Unresolved[]
  /** `settings`: of the strategy's own schema; empty where the manifest has none. */
  readonly strategy: { readonly type: StrategyType; readonly settings: Json; readonly artefact?: Loaded | undefined }
  readonly adjust: readonly Adjustment[]
  readonly sticky: string | undefined
  /** Where tier and task of a request are read; undefined: tasks as anywhere, no tiers. */
  readonly caller?: Caller | undefined
  readonly retry: { readonly attempts: number; readonly when: ReadonlySet<RetryKind> }
  readonly fallback: { readonly when: ReadonlySet<FallbackKind> }
  readonly rescue: 'Stream' | 'Buffer' | 'Off'
  /** `after` in ms; undefined: the target's own 95th percentile. `percent`: of the requests. */
  readonly hedge: { readonly after: number | undefined; readonly percent: number } | undefined
  /** Asks a stronger target besides, where P(it is needed) is between the two; `percent`: of the requests. */
  readonly speculate?: { readonly from: number; readonly to: number; readonly percent: number } | undefined
  readonly gate?: Gate | undefined
  /** Undefined: nothing is audited. */
  readonly audit?: AuditSettings | undefined
  /** Undefined: nothing is mirrored. */
  readonly mirror?: MirrorSettings | undefined
  /** What becomes of what callers think of its answers; undefined: nothing, but strategies that learn hear of it. */
  readonly feedback?: FeedbackSettings | undefined
  /** Undefined: none. */
  readonly experiment?: Experiment | undefined
  /** Under which version what becomes of its requests is counted; undefined: it is not. */
  readonly evidence?: { readonly version: string } | undefined
  /** What is written down of its decisions; undefined: all of them, without content. */
  readonly log?: DecisionLog | undefined
  /** Failures that are injected on purpose; undefined: none. */
  readonly faults?: readonly Fault[] | undefined
  readonly onUnavailable: 'Redistribute' | 'Fail'
  /** What happens where a request has fields that the target's dialect has no place for. */
  readonly onUnsupported: 'Report' | 'Fail'
}
