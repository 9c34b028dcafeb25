import { object, optional, string } from '../core/schema.ts'

export const endpointName = string({
  maxLength: 253,
  minLength: 1,
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
  description: 'The ModelEndpoint’s name.',
})

/** Who is asked: an endpoint, by name, and one of its models. */
export const endpointReference = (description: string) =>
  object(
    {
      name: endpointName,
      namespace: optional(
        string({
          maxLength: 63,
          minLength: 1,
          pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
          description: 'Its namespace, if not the route’s own; its allowedRoutes must let the route in.',
        }),
      ),
      model: optional(
        string({
          maxLength: 256,
          minLength: 1,
          description: 'The model of the endpoint. May be left out where the endpoint has just one, or provider HTTP.',
        }),
      ),
    },
    { description },
  )
