import { REASONS } from '../../api/conditions.ts'
import type { ModelRouteSpec } from '../../api/model-route.ts'
import type { NamespaceView } from '../world.ts'
import type { Fault } from './addresses.ts'
import type { Referred } from './endpoint.ts'
import { admits } from './selector.ts'

type Reference = ModelRouteSpec['rules'][number]['targets'][number]['endpoint']

/** What a target's reference came to: the endpoint and its model, or why it cannot be used. */
export interface Resolved {
  /** `namespace/name`, whether or not there is one. */
  readonly name: string
  /** Empty for provider HTTP, and where it cannot be told. */
  readonly model: string
  readonly endpoint?: Referred
  readonly fault?: Fault
}

/** Resolves a reference of a route in `namespace`. An endpoint elsewhere must let the route in, and its credentials out, each by its own policy. */
export function resolve(
  reference: Reference,
  namespace: string,
  endpoints: (name: string) => Referred | undefined,
  namespaces: ReadonlyMap<string, NamespaceView>,
): Resolved {
  const name = `${reference.namespace ?? namespace}/${reference.name}`
  const endpoint = endpoints(name)
  const fault = (reason: string, message: string) => ({
    name,
    model: reference.model ?? '',
    fault: { reason, message },
  })
  if (endpoint && !admits(endpoint.allowedRoutes, endpoint.namespace, namespace, namespaces))
    return fault(
      REASONS.refNotPermitted,
      `ModelEndpoint ${name} does not let routes of namespace ${namespace} in; its spec.allowedRoutes decides.`,
    )
  if (!endpoint)
    return fault(REASONS.endpointNotFound, `ModelEndpoint ${name} does not exist; create it or correct the name.`)
  const model = modelOf(reference, endpoint)
  if (model.fault) return { name, model: reference.model ?? '', fault: model.fault }
  if (endpoint.fault)
    return fault(endpoint.fault.reason, `ModelEndpoint ${name} cannot be used: ${endpoint.fault.message}`)
  if (endpoint.hasCredentials && !admits(endpoint.allowCredentialUse, endpoint.namespace, namespace, namespaces))
    return fault(
      REASONS.credentialNotPermitted,
      `ModelEndpoint ${name} does not let its credentials into namespace ${namespace}; its spec.allowCredentialUse decides.`,
    )
  return { name, model: model.name, endpoint }
}

function modelOf(
  { model }: Reference,
  { name, provider, models }: Referred,
): { readonly name: string; readonly fault?: undefined } | { readonly fault: Fault } {
  const fault = (message: string) => ({ fault: { reason: REASONS.modelNotServed, message } })
  if (provider === 'HTTP')
    return model === undefined ? { name: '' } : fault(`ModelEndpoint ${name} has no models; leave model out.`)
  if (model !== undefined)
    return models.includes(model) || models.includes('*')
      ? { name: model }
      : fault(`ModelEndpoint ${name} does not serve ${model}; it serves ${models.join(', ')}.`)
  const [only] = models
  return models.length === 1 && only !== undefined
    ? { name: only }
    : fault(`ModelEndpoint ${name} serves several models; say which: ${models.join(', ')}.`)
}
