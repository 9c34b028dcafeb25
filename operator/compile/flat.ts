import type { ModelEndpoint } from '../../api/model-endpoint.ts'
import type { ModelRoute } from '../../api/model-route.ts'

/** A gate that has nobody to escalate to. */
export interface Flat {
  /** `spec.rules[0].gate`. */
  readonly path: string
  readonly message: string
}

/** The gates whose rules have targets of one rank alone, as far as the endpoints are there. Those that only audit escalate nothing. */
export function flat(
  { spec, metadata }: ModelRoute,
  endpoints: (name: string) => ModelEndpoint | undefined,
): readonly Flat[] {
  return spec.rules.flatMap(({ gate, targets }, i) => {
    if (!gate || gate.mode === 'Audit' || gate.maxEscalations === 0) return []
    const ranks = targets.flatMap(({ endpoint }) => {
      const { models = [] } = endpoints(`${endpoint.namespace ?? metadata.namespace}/${endpoint.name}`)?.spec ?? {}
      const model = models.find((each) => each.name === endpoint.model) ?? (models.length === 1 ? models[0] : undefined)
      return model ? [model.rank] : []
    })
    if (ranks.length < targets.length || new Set(ranks).size > 1) return []
    const message = `All targets are of rank ${ranks[0]}, so that the gate has no stronger one to ask. State spec.models[].rank of their ModelEndpoints, or add a stronger target.`
    return [{ path: `spec.rules[${i}].gate`, message }]
  })
}
