import { fraction, integer, object } from '../core/schema.ts'

/** Asking a stronger target besides, where the classifier is not sure. */
export const speculate = object(
  {
    band: object(
      {
        from: fraction({ default: '0.3', description: 'Not below this: the cheap target will most likely do.' }),
        to: fraction({ default: '0.7', description: 'Not above this: it will most likely not.' }),
      },
      {
        default: {},
        description:
          'Between which chances that the target asked first will not do: 1 less what the classifier expects of it.',
        rules: [
          {
            rule: 'double(self.from) < double(self.to)',
            message: 'from must be below to.',
            fieldPath: '.from',
          },
        ],
      },
    ),
    percent: integer({
      minimum: 1,
      maximum: 100,
      default: 5,
      description: 'At most so many of a hundred requests are asked of a second target.',
    }),
  },
  {
    description:
      'Asks the next stronger target besides, where the classifier is not sure of the cheap one: once that has taken longer than 90 of 100 of its latest answers, or as late as the stronger one can still be in time. The first good answer wins, and the other call is ended and paid for.',
  },
)
