import { array, object, optional, string } from '../core/schema.ts'
import type { Static } from '../core/schema.ts'
import { TASK_HEADER } from '../core/signals/caller.ts'
import { label, pattern } from './match.ts'
import { HEADER } from './names.ts'

const header = (description: string) => string({ maxLength: 256, minLength: 1, pattern: HEADER, description })

/** Where a route reads who asks and what for. */
export const caller = object(
  {
    tier: optional(
      object(
        {
          header: header(
            'The header that holds the tier. Whoever can set it chooses a tier: let a gateway of yours set it.',
          ),
          default: label('The tier of requests without the header, and of those whose value is none of `values`.'),
          values: optional(
            array(label('A tier.'), {
              minItems: 1,
              maxItems: 16,
              set: true,
              description: 'The tiers that there are; left out: any value of the header is one.',
            }),
          ),
        },
        {
          description: 'What the caller has paid for, such as free, pro or enterprise.',
          rules: [
            {
              rule: '!has(self.values) || self.default in self.values',
              message: 'default must be one of values.',
              fieldPath: '.default',
            },
          ],
        },
      ),
    ),
    task: optional(
      object(
        {
          header: header(
            `The header in which the caller may say what the request is for; ${TASK_HEADER} unless given.`,
          ),
        },
        { description: 'Where the caller says what the request is for.' },
      ),
    ),
  },
  { description: 'Where a request says who asks, and what for.' },
)

/** Tasks of the operator's own. */
export const tasks = array(
  object(
    {
      name: label('What matches, floors and prices call the task.'),
      patterns: array(
        pattern('The last user turn matches this somewhere, whatever the case; `(?-i)` in front minds it.'),
        {
          minItems: 1,
          maxItems: 8,
          description: 'Any of these.',
        },
      ),
    },
    { description: 'A task, and how its requests are known.' },
  ),
  {
    minItems: 1,
    maxItems: 32,
    key: 'name',
    description:
      'What requests are for: the first task that matches, where the caller does not say it. Where none does, it is guessed.',
  },
)

export type CallerSpec = Static<typeof caller>
export type TasksSpec = Static<typeof tasks>
