import { array, integer, object, optional, string } from '../../core/schema.ts'
import { conditions } from '../conditions.ts'

export const status = object(
  {
    conditions: optional(conditions),
    sidecars: optional(
      object(
        {
          using: integer({
            minimum: 0,
            maximum: 1e9,
            description: 'Connected sidecars whose routes use the endpoint.',
          }),
          healthy: integer({ minimum: 0, maximum: 1e9, description: 'Those that find every model of it healthy.' }),
          open: integer({ minimum: 0, maximum: 1e9, description: 'Those with an open breaker on it.' }),
        },
        { description: 'How the sidecars find the endpoint.' },
      ),
    ),
    models: optional(
      array(
        object({
          name: string({ maxLength: 256, description: 'The model.' }),
          healthy: integer({ minimum: 0, maximum: 1e9, description: 'Sidecars that find it healthy.' }),
          open: integer({ minimum: 0, maximum: 1e9, description: 'Sidecars with an open breaker on it.' }),
          scarce: optional(
            integer({
              minimum: 0,
              maximum: 1e9,
              description: 'Sidecars that spare it because its rate limit is nearly used up; left out where none do.',
            }),
          ),
        }),
        { maxItems: 64, key: 'name', description: 'How the sidecars find each model.' },
      ),
    ),
  },
  { description: 'What the operator and the sidecars find.' },
)
