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
} as const
