import {
  array,
  boolean,
  choice,
  decimal,
  fraction,
  free,
  integer,
  map,
  object,
  optional,
  string,
} from '../core/schema.ts'
import { TEXT_RULES } from '../core/learning/text.ts'
import { FAULT_TYPES } from '../core/faults/fault.ts'
import { DAYS } from '../core/match/schedule.ts'
import { datedPrices, priceLists } from '../core/prices.ts'
import { IMPLICIT } from '../core/feedback/implicit.ts'
import { KINSHIPS } from '../core/feedback/traits.ts'
import type { Static } from '../core/schema.ts'
import { providerTypes } from '../core/providers/index.ts'
import { SCRIPTS } from '../core/signals/script.ts'
import { INPUT_KINDS } from '../core/signals/signals.ts'
import { strategyTypes } from '../core/strategies/index.ts'
import { compiledGate } from './compiled-gate.ts'
import { FALLBACK_WHEN, RETRY_WHEN } from './failure-kinds.ts'

/**
 * The configuration as it goes down to the sidecars: one user object is one resource, so that a small edit is a small push,
 * and what is shared (an endpoint, its addresses, a secret) is sent once and joined by the sidecar.
 *
 * | key | what |
 * |---|---|
 * | `route/NAMESPACE/NAME` | a ModelRoute |
 * | `endpoint/NAMESPACE/NAME` | a ModelEndpoint |
 * | `addresses/NAMESPACE/NAME` | where a ModelEndpoint of address type Service or Pods is, at the moment |
 * | `artefact/NAMESPACE/NAME` | what `tradewind train` made, which a route's rule decides by |
 * | `secret/NAMESPACE/NAME:KEY` | one key of a Secret that an endpoint uses (`NAME:tls`: a certificate and its key); never logged, dumped or measured |
 */
export type ResourceKey = `${ResourceKind}/${string}/${string}`
export type ResourceKind = keyof typeof compiledSchemas

const ms = (minimum = 0) => integer({ minimum, maximum: 86_400_000 })
const count = integer({ minimum: 0, maximum: 1_000_000_000 })
const tokens = integer({ minimum: 1, maximum: 1_000_000_000 })
const text = (maxLength = 4096) => string({ maxLength })

const labels = (maxItems = 64) => array(text(), { maxItems })

const compiledConditions = {
  /** A model's name, or its beginning where `prefix`. */
  model: optional(object({ value: text(), prefix: boolean() })),
  /** Header names in lower case. */
  headers: array(object({ name: text(), type: choice(['Exact', 'Prefix', 'Present']), value: text() }), {
    maxItems: 64,
  }),
  path: optional(object({ type: choice(['Exact', 'Prefix']), value: text() })),
  tier: optional(labels()),
  task: optional(labels()),
  input: optional(array(choice(INPUT_KINDS), { maxItems: 16 })),
  tokens: optional(object({ min: optional(count), max: optional(count) })),
  turns: optional(object({ min: optional(count), max: optional(count) })),
  /** One of `contains` and `pattern`, which is of RE2's syntax. */
  text: optional(
    object({
      contains: optional(labels()),
      pattern: optional(text()),
      in: choice(TEXT_RULES),
      ignoreCase: boolean(),
    }),
  ),
  tools: optional(boolean()),
  jsonSchema: optional(boolean()),
  language: optional(array(choice(SCRIPTS), { maxItems: 64 })),
  schedule: optional(
    object({ timeZone: text(), days: array(choice(DAYS), { minItems: 1, maxItems: 7 }), from: text(5), to: text(5) }),
  ),
}

export const compiledMatch = object({ ...compiledConditions, not: optional(object(compiledConditions)) })

const compiledCaller = object({
  /** The header's name in lower case. */
  tier: optional(object({ header: text(), default: text(), values: optional(labels()) })),
  taskHeader: optional(text()),
  /** Patterns are of RE2's syntax, and take no heed of case. */
  tasks: optional(array(object({ name: text(), patterns: labels() }), { maxItems: 64 })),
})

const compiledTarget = object({
  /** `namespace/name` of the endpoint. */
  endpoint: text(),
  /** Empty for provider HTTP. `*`: what the caller asked for. */
  model: text(),
  weight: integer({ minimum: 0, maximum: 1_000_000 }),
  priority: integer({ minimum: 0, maximum: 15 }),
  /** Set where the reference does not resolve; such a target gets no request and `onUnavailable` decides about its share. */
  unavailable: optional(object({ reason: text(), message: text() })),
})

/** `namespace/name` of the endpoint; without a model, all of its targets in the rule. */
const some = { endpoint: text(), model: optional(text()) }
const rank = optional(integer({ minimum: 0, maximum: 100 }))
const compiledAdjustment = object({
  when: compiledMatch,
  minRank: rank,
  maxRank: rank,
  floor: optional(fraction({})),
  lambda: optional(decimal()),
  boost: optional(array(object({ ...some, by: decimal({ signed: true }) }), { maxItems: 64 })),
  allow: optional(array(object(some), { maxItems: 64 })),
  deny: optional(array(object(some), { maxItems: 64 })),
  pin: optional(object(some)),
})

const compiledRule = object({
  name: text(),
  /** Empty: matches all. */
  matches: array(compiledMatch, { maxItems: 64 }),
  targets: array(compiledTarget, { minItems: 1, maxItems: 64 }),
  /** `settings`: the strategy's own member, as the manifest has it. */
  strategy: object({ type: choice(strategyTypes), settings: optional(free({ maxProperties: 64 })) }),
  adjust: optional(array(compiledAdjustment, { maxItems: 64 })),
  sticky: optional(object({ header: text() })),
  retry: object({ attempts: integer({ minimum: 0, maximum: 10 }), when: array(choice(RETRY_WHEN), { maxItems: 16 }) }),
  fallback: object({ when: array(choice(FALLBACK_WHEN), { maxItems: 16 }) }),
  /** Absent: Stream. */
  rescue: optional(object({ mode: choice(['Stream', 'Buffer', 'Off']) })),
  /** `after` in ms; absent: the target's own 95th percentile. */
  hedge: optional(object({ after: optional(ms(1)), percent: integer({ minimum: 1, maximum: 100 }) })),
  gate: optional(compiledGate),
  audit: optional(
    object({
      percent: integer({ minimum: 1, maximum: 100 }),
      novelPercent: integer({ minimum: 0, maximum: 100 }),
      spendPercent: integer({ minimum: 1, maximum: 100 }),
      judge: optional(object({ by: object({ endpoint: text(), model: text() }), prompt: optional(text(8192)) })),
    }),
  ),
  feedback: optional(
    object({
      within: ms(1),
      halfLife: ms(1),
      bar: fraction({}),
      similar: array(choice(KINSHIPS), { minItems: 1, maxItems: 16 }),
      nearness: fraction({}),
      implicit: array(choice(IMPLICIT), { maxItems: 16 }),
    }),
  ),
  /** Fractions, as the manifest has them. */
  speculate: optional(object({ from: text(8), to: text(8), percent: integer({ minimum: 1, maximum: 100 }) })),
  /** Absent: nothing is injected. Each has what its type takes: `delay` (ms), `status`, `afterBytes`. `until`: ms since the epoch. */
  faults: optional(
    array(
      object({
        type: choice(FAULT_TYPES),
        percent: integer({ minimum: 1, maximum: 100 }),
        delay: optional(ms(1)),
        status: optional(integer({ minimum: 400, maximum: 599 })),
        afterBytes: optional(count),
        targets: optional(array(object(some), { maxItems: 64 })),
        headers: compiledConditions.headers,
        until: integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      }),
      { maxItems: 64 },
    ),
  ),
  /** `usdPerSidecarHour`: as the manifest has it. `version`: what is found of it is told under that. Absent: nothing is mirrored. */
  mirror: optional(
    object({
      version: text(128),
      by: object({ endpoint: text(), model: text() }),
      percent: integer({ minimum: 0, maximum: 100 }),
      budget: object({
        usdPerSidecarHour: optional(decimal()),
        spendPercent: optional(integer({ minimum: 1, maximum: 1000 })),
      }),
      maxTokens: integer({ minimum: 1, maximum: 1_000_000 }),
      maxConcurrent: integer({ minimum: 1, maximum: 64 }),
      judge: optional(
        object({
          by: object({ endpoint: text(), model: text() }),
          percent: integer({ minimum: 1, maximum: 100 }),
          prompt: optional(text(8192)),
        }),
      ),
    }),
  ),
  /** `unit`: a header's name in lower case; absent: each request. */
  experiment: optional(
    object({
      name: text(),
      unit: optional(text()),
      salt: text(),
      layer: optional(
        object({
          /** `namespace/name`. */
          name: text(),
          from: integer({ minimum: 0, maximum: 100 }),
          to: integer({ minimum: 0, maximum: 100 }),
        }),
      ),
      arms: array(
        object({
          name: text(),
          /** As a target of the rule has them. */
          endpoint: text(),
          model: text(),
          weight: integer({ minimum: 1, maximum: 1_000_000 }),
        }),
        { minItems: 2, maxItems: 16 },
      ),
    }),
  ),
  /** What becomes of its requests is counted, by target, and told under that version; absent: nothing is. */
  evidence: optional(object({ version: text(128) })),
  onUnavailable: choice(['Redistribute', 'Fail']),
  /** Absent: Report. */
  onUnsupported: optional(choice(['Report', 'Fail'])),
})

/** What is written down of decisions; patterns are of RE2's syntax. */
const compiledDecisions = object({
  percent: integer({ minimum: 0, maximum: 100 }),
  content: optional(object({ percent: integer({ minimum: 1, maximum: 100 }), redact: optional(labels()) })),
})

export const compiledRoute = object({
  /** `namespace/name`. */
  name: text(),
  generation: integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  /** Milliseconds since the epoch: the older of two equal claims wins. */
  created: integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  /** Whether it selects pods by label: such a claim beats a namespace-wide one. */
  selective: boolean(),
  models: array(text(), { maxItems: 64 }),
  /** Where tier and task are read; absent: no tiers, and the header and the tasks that are everywhere. */
  caller: optional(compiledCaller),
  requestTimeout: ms(1),
  /** Absent: all, without content. */
  decisions: optional(compiledDecisions),
  rules: array(compiledRule, { minItems: 1, maxItems: 64 }),
})

/** Points at one key of a secret resource. */
const secretKey = object({ secret: text(), key: text() })

export const compiledEndpoint = object({
  name: text(),
  generation: integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  /** `settings`: of the provider's own schema, defaults filled in. */
  provider: object({ type: choice(providerTypes), settings: optional(free({ maxProperties: 64 })) }),
  /** The base URL without a trailing slash. Where `dynamic`, its host is only a name: connections go to the `addresses` resource. */
  url: text(),
  dynamic: boolean(),
  /** For provider HTTP one model with the empty name. */
  models: array(
    object({
      name: text(),
      rank: integer({ minimum: 0, maximum: 100 }),
      capabilities: optional(
        object({
          contextWindow: optional(tokens),
          maxOutputTokens: optional(tokens),
          prefill: optional(boolean()),
          tools: optional(boolean()),
          jsonSchema: optional(boolean()),
          input: optional(array(text(), { maxItems: 16 })),
        }),
      ),
      quality: optional(object({ default: fraction({}), tasks: optional(map(fraction({}), { maxProperties: 64 })) })),
      /** Neither of the two: its price is unknown. `priceLists` is for `*`, by the name that the caller gave. */
      prices: optional(datedPrices),
      priceLists: optional(priceLists),
      defaults: free({ maxProperties: 64 }),
      force: free({ maxProperties: 64 }),
    }),
    { minItems: 1, maxItems: 64 },
  ),
  credentials: optional(
    object({ type: choice(['Secret', 'Passthrough', 'WebIdentity']), secret: optional(secretKey) }),
  ),
  tls: optional(
    object({
      ca: optional(secretKey),
      /** The secret resource with `tls.crt` and `tls.key`. */
      clientCertificate: optional(text()),
      serverName: optional(text()),
    }),
  ),
  headers: object({ set: map(text(), { maxProperties: 64 }), remove: array(text(), { maxItems: 64 }) }),
  proxy: optional(text()),
  maxInFlight: optional(integer({ minimum: 1, maximum: 100_000 })),
  timeouts: object({ connect: ms(1), firstToken: ms(1), idle: ms(1), attempt: ms(1) }),
  health: optional(
    object({
      path: text(),
      interval: ms(1),
      timeout: ms(1),
      unhealthyAfter: integer({ minimum: 1, maximum: 100 }),
      healthyAfter: integer({ minimum: 1, maximum: 100 }),
    }),
  ),
  breaker: object({
    consecutive: integer({ minimum: 1, maximum: 1000 }),
    percent: integer({ minimum: 1, maximum: 100 }),
    minimum: integer({ minimum: 1, maximum: 100_000 }),
    within: ms(1),
    openFor: ms(1),
    probes: integer({ minimum: 1, maximum: 100 }),
    rampUp: array(integer({ minimum: 1, maximum: 100 }), { minItems: 1, maxItems: 10 }),
  }),
  retryBudget: object({
    percent: integer({ minimum: 0, maximum: 100 }),
    minPerSecond: integer({ minimum: 0, maximum: 1000 }),
  }),
})

export const compiledAddresses = object({
  addresses: array(object({ host: text(), port: integer({ minimum: 1, maximum: 65535 }) }), { maxItems: 10_000 }),
})

export const compiledSecret = object({ data: map(text(1_048_576), { maxProperties: 64 }) })

/** A trained artefact as `tradewind train` wrote it, in base64. */
export const compiledArtefact = object({ artefact: text(2_097_152) })

/** The schema of each kind of resource, by the first word of its key. */
export const compiledSchemas = {
  route: compiledRoute,
  endpoint: compiledEndpoint,
  addresses: compiledAddresses,
  secret: compiledSecret,
  artefact: compiledArtefact,
} as const

export type CompiledRoute = Static<typeof compiledRoute>
export type CompiledMatch = Static<typeof compiledMatch>
export type CompiledCaller = Static<typeof compiledCaller>
export type CompiledRule = Static<typeof compiledRule>
export type CompiledFault = NonNullable<CompiledRule['faults']>[number]
export type CompiledTarget = Static<typeof compiledTarget>
export type CompiledEndpoint = Static<typeof compiledEndpoint>
export type CompiledAddresses = Static<typeof compiledAddresses>
export type CompiledSecret = Static<typeof compiledSecret>
export type CompiledArtefact = Static<typeof compiledArtefact>
export type CompiledBody = CompiledRoute | CompiledEndpoint | CompiledAddresses | CompiledSecret | CompiledArtefact

/** One resource with the digest of its body (`digest` of `core/digest.ts`). */
export interface CompiledResource {
  readonly digest: string
  readonly body: CompiledBody
}
export type CompiledConfig = ReadonlyMap<ResourceKey, CompiledResource>
