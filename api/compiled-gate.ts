import { checkTypes } from '../core/gate/checks/index.ts'
import { array, choice, integer, object, optional, string } from '../core/schema.ts'
import type { Static } from '../core/schema.ts'

const text = (maxLength = 4096) => string({ maxLength })

/** An endpoint and a model of it, both known to resolve. */
const aside = object({ endpoint: text(), model: text() })

/** The quality gate of a rule as it goes down. */
export const compiledGate = object({
  mode: choice(['Buffer', 'Prefix', 'Audit']),
  /** `within` in ms. */
  prefix: object({
    tokens: integer({ minimum: 1, maximum: 4096 }),
    within: integer({ minimum: 1, maximum: 60_000 }),
  }),
  checks: array(
    object({
      type: choice(checkTypes),
      refusal: optional(object({ patterns: array(text(), { maxItems: 64 }) })),
      citations: optional(object({ minimum: integer({ minimum: 1, maximum: 100 }) })),
      pattern: optional(object({ must: optional(text()), mustNot: optional(text()) })),
    }),
    { maxItems: 64 },
  ),
  /** Decimals, as the manifest has them. */
  logProbs: optional(object({ minimum: optional(text(16)), mean: optional(text(16)) })),
  /** `artefact`: of the route’s own namespace; `threshold` as the manifest has it. */
  learned: optional(object({ artefact: text(), threshold: optional(text(8)) })),
  agreement: optional(object({ samples: integer({ minimum: 2, maximum: 8 }), with: optional(aside) })),
  judge: optional(
    object({
      by: aside,
      percent: integer({ minimum: 1, maximum: 100 }),
      bar: integer({ minimum: 1, maximum: 10 }),
      prompt: optional(text(8192)),
    }),
  ),
  maxEscalations: integer({ minimum: 0, maximum: 8 }),
  /** `request` in USD. */
  budget: optional(
    object({ request: optional(text(16)), multiple: optional(integer({ minimum: 2, maximum: 10_000 })) }),
  ),
})

export type CompiledGate = Static<typeof compiledGate>
