import { duration, integer, object, string } from '../../core/schema.ts'

export const health = object(
  {
    active: object(
      {
        path: string({
          maxLength: 1024,
          minLength: 1,
          pattern: '^/[^#]*$',
          description: 'The path of the check, from the root of the address. A 2xx answer is healthy.',
        }),
        interval: duration({ default: '30s', description: 'Between two checks of one address; jittered.' }),
        timeout: duration({ default: '2s', description: 'Of one check.' }),
        unhealthyAfter: integer({
          minimum: 1,
          maximum: 100,
          default: 3,
          description: 'Failed checks in a row that make an address unhealthy.',
        }),
        healthyAfter: integer({
          minimum: 1,
          maximum: 100,
          default: 1,
          description: 'Passed checks in a row that make it healthy again.',
        }),
      },
      {
        description: 'Asks each address at an interval. Off unless given.',
        rules: [
          {
            rule: 'duration(self.interval) >= duration("100ms") && duration(self.interval) <= duration("24h")',
            message: 'interval must be between 100ms and 24h.',
            fieldPath: '.interval',
          },
          {
            rule: 'duration(self.timeout) > duration("0s") && duration(self.timeout) <= duration(self.interval)',
            message: 'timeout must be longer than 0s and not longer than interval.',
            fieldPath: '.timeout',
          },
        ],
      },
    ),
  },
  { description: 'Health checks besides the passive ones, which are always on.' },
)
