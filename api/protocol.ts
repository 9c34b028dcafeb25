import { checkTypes } from '../core/gate/checks/index.ts'
import type { WireArm, WireBase } from '../core/bandits/wire.ts'
import { providerTypes } from '../core/providers/index.ts'
import { strategyTypes } from '../core/strategies/index.ts'
import type { WireArm as WireTally, WireBase as WireTallies } from '../core/evidence/wire.ts'
import type { CompiledResource, ResourceKey } from './compiled.ts'

/**
 * What operator and sidecar say to each other: JSON messages on one WebSocket, `wss://…/v1/config`, the sidecar's token in the
 * `Authorization` header of the upgrade. Additive within a protocol number; unknown members are ignored, unknown messages too.
 */
export const PROTOCOL = 1
export const CONFIG_PATH = '/v1/config'

/** What this build understands beyond protocol 1's base; the operator withholds what a sidecar does not list. One word a feature. */
export const CAPABILITIES: readonly string[] = [
  ...strategyTypes.map((type) => `strategy:${type}`),
  ...checkTypes.map((type) => `check:${type}`),
  ...providerTypes.map((type) => `provider:${type}`),
  'match:model',
  'match:headers',
  'match:path',
  'match:tier',
  'match:task',
  'match:input',
  'match:tokens',
  'match:turns',
  'match:text',
  'match:tools',
  'match:jsonSchema',
  'match:language',
  'match:schedule',
  'match:not',
  'sticky:header',
  'onUnsupported',
  'rescue',
  'hedge',
  'adjust',
  'gate',
  'feedback',
  'gate:learned',
  'speculate',
  'audit',
  'artefact',
  'evidence',
  'experiment',
  'faults',
  'mirror',
]

/** The first message, and again where what the sidecar has is not what either side takes it to have. */
export interface Hello {
  readonly type: 'hello'
  readonly protocol: number
  /** The sidecar's own version, semver. */
  readonly version: string
  readonly capabilities: readonly string[]
  /** What it already holds (from its volume, or from before a reconnect): resource → digest. */
  readonly have: Readonly<Record<ResourceKey, string>>
}
/** Only what differs from what the sidecar has. */
export interface Update {
  readonly type: 'update'
  readonly nonce: number
  readonly set: Readonly<Record<ResourceKey, CompiledResource>>
  readonly remove: readonly ResourceKey[]
  /** Digest of the whole configuration after the update (`toggle` of `core/digest.ts`). */
  readonly digest: string
}
export interface Ack {
  readonly type: 'ack'
  readonly nonce: number
  /** Digest of the whole configuration that is now in force. */
  readonly digest: string
}
/** The update was refused as a whole; the last good configuration keeps serving. */
export interface Nack {
  readonly type: 'nack'
  readonly nonce: number
  readonly digest: string
  readonly errors: readonly { readonly resource: ResourceKey; readonly path: string; readonly message: string }[]
}
/** A renewed token on the open socket. */
export interface Auth {
  readonly type: 'auth'
  readonly token: string
}
/** Both ways, every 30 s: the digest of the whole configuration; one that sees a difference has the sidecar say hello again. */
export interface Check {
  readonly type: 'check'
  readonly digest: string
}

export type ModelState = 'closed' | 'open' | 'half-open' | 'ramp'
/** What the sidecar has seen, every few seconds and at once when a breaker or health state changes. Counts are of the window only. */
export interface Report {
  readonly type: 'report'
  /** Length of the window of the counts, ms. */
  readonly window: number
  readonly targets: readonly {
    /** `namespace/name`. */
    readonly route: string
    readonly rule: string
    readonly endpoint: string
    readonly model: string
    /** Attempts started, and those that failed. */
    readonly requests: number
    readonly errors: number
    /** What they cost where that is known, picodollars (10⁻¹² USD); absent: of a sidecar that does not tell. */
    readonly cost?: number
    /** How long callers waited for the answers that were this target's: a sketch of milliseconds, as `core/evidence/wire.ts` has it; absent as above. */
    readonly latency?: readonly number[]
  }[]
  /** The state of every model in use. */
  readonly models: readonly {
    readonly endpoint: string
    readonly model: string
    readonly state: ModelState
    readonly healthy: boolean
    /** Its rate limit is nearly used up, and it gets less traffic than its weight. */
    readonly scarce?: boolean
  }[]
  /** What audits have found of each promise that was audited. */
  readonly promises?: readonly {
    readonly route: string
    readonly rule: string
    /** Of the requests that the promise is about; `*`: all. */
    readonly segment: string
    readonly audits: number
    /** The last time that they took it back: from which score to which (absent: nothing stays cheap), on what evidence, after how many audits. */
    readonly alarm?: {
      readonly from: number
      readonly to?: number | undefined
      readonly evidence: number
      readonly audits: number
    }
  }[]
  /** Milliseconds since the configuration in force was acknowledged first. */
  readonly age: number
}

/** A rule that learns, and the form of its evidence: what is of another form is of no use to the other end, and is not heard. */
interface OfRule {
  /** `namespace/name`. */
  readonly route: string
  readonly rule: string
  readonly form: string
}

/** What the sidecar has learnt under some rules: all of it each time, so that what is lost, late or told twice does no harm. */
export interface Learned {
  readonly type: 'learned'
  readonly rules: readonly (OfRule & {
    /** Of this run of the sidecar. */
    readonly epoch: string
    /** Rises with each; 0: nothing yet. */
    readonly seq: number
    readonly arms: readonly WireArm[]
    /** What it was given to carry, once on each connection. */
    readonly base?: WireBase
  })[]
}
/** What all sidecars have learnt under a rule. */
export interface Merged extends OfRule {
  readonly type: 'merged'
  readonly epoch: string
  /** The last of the receiver's own that is in it; 0: none. */
  readonly seq: number
  /** The receiver's epoch has been closed, since it was gone: it goes on under another with what it has seen after `seq`. */
  readonly closed: boolean
  /** Sidecars that learn under it. */
  readonly peers: number
  readonly arms: readonly WireArm[]
}
/** What sidecars that have gone have learnt: to be kept, and told again on each connection, so that it outlives the operator. */
export interface Carry extends OfRule {
  readonly type: 'carry'
  readonly base: WireBase
}

/** A version of a rule that gathers evidence: what is told of one that no rule has any more is not heard. */
interface OfVersion {
  /** `namespace/name`. */
  readonly route: string
  readonly rule: string
  readonly version: string
}

/** What became of the sidecar's requests, by arm: all of it each time, since the version came into force there, so that what is lost, late or told twice does no harm. */
export interface Evidence {
  readonly type: 'evidence'
  readonly rules: readonly (OfVersion & {
    /** Of this run of the sidecar. */
    readonly epoch: string
    /** Rises with each. */
    readonly seq: number
    readonly arms: readonly WireTally[]
    /** What it was given to carry, once on each connection. */
    readonly base?: WireTallies
  })[]
}
/** Evidence has been heard. */
export interface Counted {
  readonly type: 'counted'
  readonly rules: readonly (OfVersion & {
    readonly epoch: string
    /** The last of the receiver's own that is counted. */
    readonly seq: number
    /** The receiver's epoch has been closed, since it was gone: it goes on under another with what it has counted after `seq`. */
    readonly closed: boolean
    /** What those have counted that have gone, from some on: to be kept, and told again on each connection, so that it outlives the operator. */
    readonly base?: WireTallies
  })[]
  /** How often what is new is to be told, ms: less often where there are many. */
  readonly every: number
}

/** Who puts together what sidecars tell is another one now: each is to tell its own again. */
export interface Retell {
  readonly type: 'retell'
}

export type FromSidecar = Hello | Ack | Nack | Auth | Check | Report | Learned | Evidence
export type FromOperator = Update | Check | Merged | Carry | Counted | Retell
