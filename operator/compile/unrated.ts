import type { ModelEndpoint } from '../../api/model-endpoint.ts'
import type { ModelRoute } from '../../api/model-route.ts'

/** A target that a floor keeps from ever being first, since nobody has said how good it is. */
export interface Unrated {
  /** `spec.rules[0].targets[1]`. */
  readonly path: string
  readonly message: string
}

/** The targets of rules with strategy LeastCost and a floor whose endpoint is there and states no quality for the model. */
export function unrated(
  { spec, metadata }: ModelRoute,
  endpoints: (name: string) => ModelEndpoint | undefined,
): readonly Unrated[] {
  return spec.rules.flatMap(({ strategy, adjust = [], targets }, i) => {
    const { leastCost } = strategy as { readonly leastCost?: { readonly floor?: string } } // members come by the registry
    const floor = leastCost?.floor !== undefined || adjust.some((each) => each.floor !== undefined)
    if (strategy.type !== 'LeastCost' || !floor) return []
    return targets.flatMap(({ endpoint }, j) => {
      const name = `${endpoint.namespace ?? metadata.namespace}/${endpoint.name}`
      const { models = [] } = endpoints(name)?.spec ?? {}
      const model = models.find((each) => each.name === endpoint.model) ?? (models.length === 1 ? models[0] : undefined)
      if (!model || model.quality) return []
      const message = `Model ${model.name} of ModelEndpoint ${name} states no quality, and so clears no floor: it is asked when no other target is left. State spec.models[].quality.`
      return [{ path: `spec.rules[${i}].targets[${j}]`, message }]
    })
  })
}
