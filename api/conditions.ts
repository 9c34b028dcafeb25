import { array, choice, integer, object, optional, string } from '../core/schema.ts'
import type { Static } from '../core/schema.ts'

/** `metav1.Condition`, as Gateway API uses it: each condition says which generation it speaks of. */
export const condition = object({
  type: string({ maxLength: 316, description: 'The name of the condition, in CamelCase.' }),
  status: choice(['True', 'False', 'Unknown'], { description: 'Whether the condition holds.' }),
  observedGeneration: optional(
    integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      format: 'int64',
      description: 'The metadata.generation that the condition was computed from.',
    }),
  ),
  lastTransitionTime: string({ maxLength: 64, format: 'date-time', description: 'When the status last changed.' }),
  reason: string({ maxLength: 1024, minLength: 1, description: 'One word in CamelCase for programs.' }),
  message: string({ maxLength: 32768, description: 'A full sentence that says what is the matter and what to do.' }),
})
export type Condition = Static<typeof condition>

export const conditions = array(condition, {
  maxItems: 8,
  key: 'type',
  description: 'The state of the resource, one entry per kind of condition.',
})

/** The types of condition and their reasons, written once. */
export const CONDITIONS = {
  accepted: 'Accepted',
  resolvedRefs: 'ResolvedRefs',
  partiallyInvalid: 'PartiallyInvalid',
  programmed: 'Programmed',
  healthy: 'Healthy',
  promisesKept: 'PromisesKept',
  promoted: 'Promoted',
  decided: 'Decided',
  faultsInjected: 'FaultsInjected',
} as const

export const REASONS = {
  accepted: 'Accepted',
  invalid: 'Invalid',
  conflicted: 'Conflicted',
  resolvedRefs: 'ResolvedRefs',
  endpointNotFound: 'EndpointNotFound',
  modelNotServed: 'ModelNotServed',
  refNotPermitted: 'RefNotPermitted',
  credentialNotPermitted: 'CredentialNotPermitted',
  secretNotFound: 'SecretNotFound',
  secretNotLabelled: 'SecretNotLabelled',
  artefactNotFound: 'ArtefactNotFound',
  artefactInvalid: 'ArtefactInvalid',
  serviceNotFound: 'ServiceNotFound',
  noAddresses: 'NoAddresses',
  loopback: 'LoopbackNotAllowed',
  programmed: 'Programmed',
  pending: 'Pending',
  rejected: 'Rejected',
  noSidecars: 'NoSidecars',
  sidecarTooOld: 'SidecarTooOld',
  healthy: 'Healthy',
  unhealthy: 'Unhealthy',
  unused: 'Unused',
  promisesKept: 'PromisesKept',
  promiseBroken: 'PromiseBroken',
  faultsInjected: 'FaultsInjected',
  faultsTooFarAhead: 'FaultsTooFarAhead',
  faultsNotAllowed: 'FaultsNotAllowed',
} as const

/** What each condition says, for the reference page. */
export const CONDITION_MEANINGS = {
  accepted: 'Whether the manifest is in force. False: nothing of it is, and what an earlier generation said goes on.',
  resolvedRefs: 'Whether everything that it refers to is there and may be used. A target that is not gets no request.',
  partiallyInvalid: 'True where a part of it is not in force; the message names the part. Left out otherwise.',
  programmed: 'Whether every connected sidecar that it concerns has acknowledged this generation.',
  healthy: 'ModelEndpoint only: whether the sidecars that use it find every model of it healthy and no breaker open.',
  promoted:
    'ModelRoute only, where a rule has a rollout: whether every canary has been promoted. Unknown: it is on its way. The reason is the phase.',
  decided:
    'ModelRoute only, where a rule has an experiment: whether every experiment is decided. Unknown: one runs; False: one cannot be read, or does not run.',
  promisesKept:
    'ModelRoute only, once requests were audited: whether what its artefact promises holds in service, as far as audits tell.',
  faultsInjected:
    'ModelRoute only: True while failures are injected on purpose (spec.rules[].faults), with what and until when. Left out otherwise.',
} as const satisfies Record<keyof typeof CONDITIONS, string>

/** When each reason is given, for the reference page. */
export const REASON_MEANINGS = {
  accepted: 'The manifest is in force.',
  invalid: 'The manifest breaks the schema or its rules.',
  conflicted:
    'Another route answers the same model on the same pods: an exact model beats `*`, a selector beats the whole namespace, the older beats the newer.',
  resolvedRefs: 'Every reference resolves.',
  endpointNotFound: 'A target names a ModelEndpoint that does not exist.',
  modelNotServed: 'A target names a model that the endpoint does not serve, or none where it serves several.',
  refNotPermitted: 'The endpoint is in another namespace and its allowedRoutes does not let the route in.',
  credentialNotPermitted: 'The endpoint’s allowCredentialUse does not let its credentials into the route’s namespace.',
  secretNotFound: 'A Secret, or the key in it, does not exist.',
  secretNotLabelled: 'A Secret lacks the label `tradewind.dev/use: credentials`, without which it is never read.',
  artefactNotFound:
    'A ConfigMap with a trained artefact does not exist, has none, or lacks the label `tradewind.dev/use: artefact`.',
  artefactInvalid: 'A trained artefact is cut off, changed, or of another format.',
  serviceNotFound: 'A Service, or the port of it, does not exist.',
  noAddresses: 'A Service or selector has no ready address at the moment.',
  loopback: 'A URL points at the pod itself, which is for local mode only.',
  programmed: 'Every connected sidecar has acknowledged this generation.',
  pending: 'Some connected sidecars have not answered yet.',
  rejected:
    'A sidecar refused this generation and serves the last one that it accepted; the message names it and says why.',
  noSidecars: 'No sidecar is concerned.',
  sidecarTooOld: 'Some sidecars are too old for a part of it, which is withheld from them.',
  healthy: 'Every model is healthy for every sidecar that uses it.',
  unhealthy: 'Some sidecars find a model unhealthy or hold its breaker open.',
  unused: 'No connected sidecar uses it.',
  promisesKept: 'No audit speaks against a promise.',
  promiseBroken:
    'Audits have shown that cheap answers lose more than was promised; fewer requests stay cheap, or none.',
  faultsInjected: 'Failures are injected on purpose, until the time that the message says.',
  faultsTooFarAhead:
    'A fault ends more than 24 hours from now: nothing is injected before that. Set an earlier `until`.',
  faultsNotAllowed:
    'The operator does not allow fault injection (`faults.allow: false`): the rule is in force without.',
} as const satisfies Record<keyof typeof REASONS, string>
