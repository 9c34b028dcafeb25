import { IMPLICIT } from '../core/feedback/implicit.ts'
import { KINSHIPS } from '../core/feedback/traits.ts'
import { array, choice, duration, fraction, object, optional } from '../core/schema.ts'

const bounded = (field: string) =>
  ({
    rule: `!has(self.${field}) || (duration(self.${field}) > duration("0s") && duration(self.${field}) <= duration("168h"))`,
    message: `${field} must be longer than 0s and at most 168h.`,
    fieldPath: `.${field}`,
  }) as const

/** What a rule makes of what callers think of its answers. */
export const feedback = object(
  {
    upgrade: object(
      {
        for: duration({ default: '1h', description: 'How long after the last bad rating.' }),
        halfLife: optional(duration({ description: 'After which a rating counts half. Default: five times `for`.' })),
        bar: fraction({
          default: '0.2',
          description:
            'Requests are upgraded while it is 95 % sure that more than this part of the answers to requests like them are bad. At 0.2 one bad rating is enough, and one good rating as new outweighs it.',
        }),
        similar: array(choice(KINSHIPS, { description: 'In what requests are alike.' }), {
          minItems: 1,
          maxItems: 4,
          set: true,
          default: ['Text', 'Conversation', 'Near'],
          description:
            'Which requests are like the one that was rated. Text: the same last user turn, but for case and blanks; Conversation: the same sticky key, or the same beginning; Near: enough of the same n-grams in the last user turn; Task: the same task.',
        }),
        nearness: fraction({
          default: '0.6',
          description: 'Of Near: the part of all words, pairs of words and runs of 3 to 5 letters that both have.',
        }),
      },
      {
        default: {},
        description:
          'Bad ratings put off, for requests like the one that was rated, the models of that rank and below, in favour of stronger ones of the same priority.',
        rules: [bounded('for'), bounded('halfLife')],
      },
    ),
    implicit: optional(
      array(choice(IMPLICIT, { description: 'What users do.' }), {
        minItems: 1,
        maxItems: 2,
        set: true,
        description:
          'Counts as half a bad rating of the answer before. Repeat: the user asks the same again in a conversation; Correction: the user says that it was wrong.',
      }),
    ),
  },
  { description: 'What is made of feedback (POST /v1/feedback). Left out: only strategies that learn hear of it.' },
)
