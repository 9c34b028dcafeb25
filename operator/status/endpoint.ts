import { CONDITIONS, REASONS } from '../../api/conditions.ts'
import type { ModelEndpointStatus } from '../../api/model-endpoint.ts'
import type { EndpointResult } from '../compile/endpoint.ts'
import { keyOf } from '../compile/resource.ts'
import type { ObservedEndpoint } from '../fleet.ts'
import type { Untimed } from '../settle.ts'
import { accepted } from './accepted.ts'
import { programmed } from './programmed.ts'
import type { Reach, View } from './view.ts'

/** A status whose conditions do not say yet since when they hold. */
export type EndpointStatus = Omit<ModelEndpointStatus, 'conditions'> & { readonly conditions: readonly Untimed[] }

/** The status of an endpoint, as the compile and the fleet have it. */
export function endpointStatus(view: View, endpoint: EndpointResult): EndpointStatus {
  const { name, generation, refused, unpriced, unresolved, referred } = endpoint
  const key = keyOf('endpoint', name)
  const users = view.compiled.users(name)
  const namespaces = new Set(users.map((route) => route.slice(0, route.indexOf('/'))))
  const reach = view.reach(key, namespaces, (audience) => audience.keys.has(key))
  const observed = view.observed(name)
  const [fault] = unresolved
  return {
    conditions: [
      accepted(view, `ModelEndpoint ${name}`, generation, refused, withoutPrice(unpriced)),
      {
        type: CONDITIONS.resolvedRefs,
        status: fault ? 'False' : 'True',
        reason: fault?.reason ?? REASONS.resolvedRefs,
        message: unresolved.map(({ message }) => message).join(' ') || 'All that the endpoint refers to is there.',
        observedGeneration: generation,
      },
      referred.fault
        ? {
            type: CONDITIONS.programmed,
            status: 'False',
            reason: referred.fault.reason,
            message: `No sidecar gets it: ${referred.fault.message}`,
            observedGeneration: generation,
          }
        : users.length === 0
          ? {
              type: CONDITIONS.programmed,
              status: 'Unknown',
              reason: REASONS.unused,
              message: 'No route refers to it.',
              observedGeneration: generation,
            }
          : programmed(reach, generation, 'has a route that uses it'),
      healthy(reach, observed, generation),
    ],
    sidecars: { using: reach.connected, healthy: observed?.healthy ?? 0, open: observed?.open ?? 0 },
    models: referred.models.map((model) => {
      const found = observed?.models.find((it) => it.name === model)
      const scarce = found?.scarce ?? 0
      const counts = { name: model, healthy: found?.healthy ?? 0, open: found?.open ?? 0 }
      return scarce > 0 ? { ...counts, scarce } : counts
    }),
  }
}

/** So many are named. */
const NAMED = 5

function withoutPrice(models: readonly string[]): string {
  if (models.length === 0) return ''
  const more = models.length > NAMED ? ` and ${models.length - NAMED} more` : ''
  const names = `${models.slice(0, NAMED).join(', ')}${more}`
  return ` No price is known for ${names}, so calls of ${models.length > 1 ? 'these' : 'it'} have no cost; spec.models[].price gives one.`
}

/** True while most of the sidecars that tell of it find every model well: what one pod alone has against it shows in the counts. */
function healthy({ connected }: Reach, observed: ObservedEndpoint | undefined, generation: number): Untimed {
  const condition = (status: Untimed['status'], reason: string, message: string): Untimed => ({
    type: CONDITIONS.healthy,
    status,
    reason,
    message,
    observedGeneration: generation,
  })
  if (connected === 0) return condition('Unknown', REASONS.unused, 'No connected sidecar uses it.')
  if (!observed) return condition('Unknown', REASONS.pending, 'No sidecar has told of it yet.')
  const { healthy, open, models } = observed
  const bad = models.filter((model) => model.open > 0 || model.healthy < connected).map((model) => model.name || 'it')
  const message = `${healthy} of ${connected} sidecars find it healthy, ${open} have an open breaker on it`
  return healthy * 2 > connected
    ? condition('True', REASONS.healthy, `${message}.`)
    : condition('False', REASONS.unhealthy, `${message}: ${bad.join(', ')}.`)
}
