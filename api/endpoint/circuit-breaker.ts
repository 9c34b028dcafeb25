import { array, duration, integer, object } from '../../core/schema.ts'

export const circuitBreaker = object(
  {
    consecutive: integer({ minimum: 1, maximum: 1000, default: 5, description: 'Failures in a row that open it.' }),
    ratio: object(
      {
        percent: integer({
          minimum: 1,
          maximum: 100,
          default: 50,
          description: 'The share of failures that opens it.',
        }),
        minimum: integer({
          minimum: 1,
          maximum: 100000,
          default: 20,
          description: 'Requests in the window below which the share says nothing.',
        }),
        within: duration({ default: '30s', description: 'The window.' }),
      },
      {
        default: {},
        description: 'Opens at a share of failures within a window.',
        rules: [
          {
            rule: 'duration(self.within) >= duration("1s") && duration(self.within) <= duration("1h")',
            message: 'within must be between 1s and 1h.',
            fieldPath: '.within',
          },
        ],
      },
    ),
    openFor: duration({
      default: '30s',
      description:
        'How long it stays open before requests are let through as probes; they are at once when all addresses of the endpoint are new.',
    }),
    probes: integer({
      minimum: 1,
      maximum: 100,
      default: 1,
      description: 'Requests at a time, and successes in a row, while it is half-open.',
    }),
    rampUp: array(integer({ minimum: 1, maximum: 100, description: 'Percent of its share.' }), {
      default: [5, 25, 100],
      minItems: 1,
      maxItems: 10,
      description:
        'The percent of its share that the model gets after it closes, step by step, each a tenth of openFor long.',
      rules: [
        { rule: 'size(self) == 0 || self[size(self) - 1] == 100', message: 'The last step must be 100.' },
        {
          rule: 'self.all(a, self.exists_one(b, b == a)) && self == self.sort()',
          message: 'The steps must rise.',
        },
      ],
    }),
  },
  {
    default: {},
    description: 'Per model: stops asking one that keeps failing.',
    rules: [
      {
        rule: 'duration(self.openFor) >= duration("10ms") && duration(self.openFor) <= duration("24h")',
        message: 'openFor must be between 10ms and 24h.',
        fieldPath: '.openFor',
      },
    ],
  },
)
