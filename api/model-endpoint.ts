import { array, integer, object, optional } from '../core/schema.ts'
import type { Static } from '../core/schema.ts'
import { address } from './endpoint/address.ts'
import { circuitBreaker } from './endpoint/circuit-breaker.ts'
import { credentials } from './endpoint/credentials.ts'
import { headers } from './endpoint/headers.ts'
import { health } from './endpoint/health.ts'
import { model } from './endpoint/model.ts'
import { hasAddress, provider } from './endpoint/provider.ts'
import { proxy } from './endpoint/proxy.ts'
import { retryBudget } from './endpoint/retry-budget.ts'
import { status } from './endpoint/status.ts'
import { timeouts } from './endpoint/timeouts.ts'
import { tls } from './endpoint/tls.ts'
import { namespaces } from './selector.ts'
import type { Resource } from './resource.ts'

const spec = object(
  {
    provider,
    address: optional(address),
    credentials: optional(credentials),
    tls: optional(tls),
    headers: optional(headers),
    proxy: optional(proxy),
    models: optional(
      array(model, {
        minItems: 1,
        maxItems: 64,
        key: 'name',
        description: 'What the endpoint serves. Needed, but for provider HTTP, which has none.',
      }),
    ),
    limits: optional(
      object(
        {
          maxInFlight: integer({
            minimum: 1,
            maximum: 100000,
            description:
              'Requests in flight for each sidecar; when full, the next target is asked, else the answer is 429.',
          }),
        },
        { description: 'Bounds.' },
      ),
    ),
    timeouts,
    health: optional(health),
    circuitBreaker,
    retryBudget,
    allowedRoutes: namespaces('Who may refer to the endpoint from other namespaces.'),
    allowCredentialUse: namespaces(
      'Whose pods may be given the endpoint’s credentials; apart from allowedRoutes, and never wider by default.',
    ),
  },
  {
    description: 'One place (address, account), serving one or more models.',
    rules: [
      {
        rule: hasAddress,
        message: 'address is needed for this provider.',
        fieldPath: '.address',
      },
      {
        rule: "self.provider.type != 'OpenInference' || !has(self.models) || self.models.all(m, !has(m.parameters))",
        message: 'parameters are fields of requests that provider OpenInference does not have: leave them out.',
        fieldPath: '.models',
      },
      {
        rule: "(self.provider.type == 'HTTP') == !has(self.models)",
        message: 'models are needed, but for provider HTTP, which has none.',
        fieldPath: '.models',
      },
      {
        rule: "self.provider.type == 'Bedrock' || !has(self.credentials) || self.credentials.type != 'WebIdentity'",
        message: 'A web identity is for provider Bedrock.',
        fieldPath: '.credentials',
      },
    ],
  },
)

export const modelEndpoint = {
  kind: 'ModelEndpoint',
  plural: 'modelendpoints',
  singular: 'modelendpoint',
  shortNames: ['mep'],
  description: 'A place that serves models: a provider’s account, a Service or a set of pods.',
  spec,
  status,
  columns: [
    { name: 'Provider', type: 'string', jsonPath: '.spec.provider.type', description: 'The dialect.' },
    {
      name: 'Accepted',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Accepted')].status",
      description: 'Whether the manifest is in force.',
    },
    {
      name: 'Healthy',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Healthy')].status",
      description: 'Whether the sidecars find it healthy.',
    },
    { name: 'Using', type: 'integer', jsonPath: '.status.sidecars.using', description: 'Sidecars that use it.' },
    { name: 'Open', type: 'integer', jsonPath: '.status.sidecars.open', description: 'Sidecars with an open breaker.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since when it exists.' },
  ],
} as const

export type ModelEndpointSpec = Static<typeof spec>
export type ModelEndpointStatus = Static<typeof status>
export type ModelEndpoint = Resource<'ModelEndpoint', ModelEndpointSpec, ModelEndpointStatus>
