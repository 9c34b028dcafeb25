import { integer, object, optional, string } from '../core/schema.ts'
import { endpointReference } from './endpoint-reference.ts'

/** Watching in service what a classifier promises. */
export const audit = object(
  {
    percent: integer({
      minimum: 1,
      maximum: 100,
      default: 2,
      description: 'Of requests that stay cheap, so many of a hundred are answered by the strong model too.',
    }),
    novelPercent: integer({
      minimum: 0,
      maximum: 100,
      default: 20,
      description:
        'Of requests that are like nothing the artefact was trained on, and so go to the strong model, so many of a hundred are answered by the cheap model too: to be learnt from, in the decision log.',
    }),
    spendPercent: integer({
      minimum: 1,
      maximum: 100,
      default: 10,
      description:
        'What audits may cost, in percent of what the rule’s requests cost, by their prices. Beyond that fewer are audited, whichever come. Calls without a price are not counted.',
    }),
    judge: optional(
      object(
        {
          endpoint: endpointReference(
            'Who marks both answers. It needs a credential of its own: it gets none of the caller’s headers.',
          ),
          prompt: optional(
            string({
              maxLength: 8192,
              minLength: 1,
              description:
                'What the judge is told, in the place of our own words; it must ask for one number from 0 to 10. Conversation and answer follow in tags.',
            }),
          ),
        },
        {
          description:
            'A model that marks both answers. Left out: the gate’s judge; where the rule has none, answers are compared by what they come to in the end, and one that differs counts as lost.',
        },
      ),
    ),
  },
  {
    description:
      'Keeps testing, in service, what the artefact promises: some requests are answered by both models once the caller has its answer, and where that speaks against a promise, it is taken back step by step.',
  },
)
