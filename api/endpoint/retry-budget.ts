import { integer, object } from '../../core/schema.ts'

export const retryBudget = object(
  {
    percent: integer({
      minimum: 0,
      maximum: 100,
      default: 20,
      description: 'Retries as a share of the requests of the last ten seconds.',
    }),
    minPerSecond: integer({
      minimum: 0,
      maximum: 1000,
      default: 3,
      description: 'Retries a second that are always allowed.',
    }),
  },
  { default: {}, description: 'Bounds the retries of one sidecar on this endpoint, over all routes that use it.' },
)
