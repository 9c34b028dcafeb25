import { priceSchema } from '../../core/price.ts'
import { array, boolean, choice, fraction, free, integer, map, object, optional, string } from '../../core/schema.ts'

/** Fields that Tradewind itself decides by are not for the manifest to set; all others are the provider's. */
const requestFields = (description: string) =>
  free({
    maxProperties: 32,
    description,
    known: {
      model: string({ maxLength: 256, description: 'Not to be given: the target names the model.' }),
      stream: boolean({ description: 'Not to be given: the caller decides.' }),
      messages: array(free({ maxProperties: 64, description: 'A message.' }), {
        maxItems: 64,
        description: 'Not to be given: the caller says them.',
      }),
    },
    rules: [
      {
        rule: '!has(self.model) && !has(self.stream) && !has(self.messages)',
        message: 'The fields model, stream and messages are the caller’s and cannot be given here.',
      },
    ],
  })

export const model = object(
  {
    name: string({
      maxLength: 256,
      minLength: 1,
      description: 'The provider’s own name for the model; `*` passes on what the caller asked for.',
    }),
    rank: integer({
      minimum: 0,
      maximum: 100,
      default: 0,
      description:
        'Its place on the ladder from cheap (0) to strong. When a target fails, the others of its priority are tried from the nearest rank upwards, so that an answer is not weaker than it need be.',
    }),
    capabilities: optional(
      object(
        {
          contextWindow: optional(
            integer({
              minimum: 1,
              maximum: 1_000_000_000,
              description:
                'Tokens of prompt and answer together. A request that is too long for one target goes on to those with a larger window only.',
            }),
          ),
          maxOutputTokens: optional(
            integer({
              minimum: 1,
              maximum: 1_000_000_000,
              description:
                'The longest answer, tokens: what is asked for where the provider wants to be told and the caller did not say.',
            }),
          ),
          input: optional(
            array(
              choice(['Text', 'Image', 'Audio', 'File'], { description: 'Something that a request may consist of.' }),
              {
                minItems: 1,
                maxItems: 4,
                set: true,
                description:
                  'What the model takes. Requests that have something else are kept from it. Left out: it takes all that its API has a place for.',
              },
            ),
          ),
          features: optional(
            array(choice(['Tools', 'JSONSchema', 'Prefill'], { description: 'Something that the model can do.' }), {
              maxItems: 8,
              set: true,
              description:
                'What the model can do; left out: what is known of the provider and the model. Requests with tools or a JSON schema are kept from a model whose list is without Tools or JSONSchema. Prefill: goes on from a last message that is the beginning of its answer, and so with an answer of another target that stopped. An empty list: it can do none of them.',
            }),
          ),
        },
        { description: 'What the model is able to do.' },
      ),
    ),
    quality: optional(
      object(
        {
          default: fraction({ description: 'Over all tasks, 0 to 1: the share of its answers that are good enough.' }),
          tasks: optional(
            map(fraction({ description: 'Of this task.' }), {
              maxProperties: 64,
              description: 'Of tasks that it is better or worse at, by the task’s name.',
            }),
          ),
        },
        {
          description:
            'How good its answers are expected to be: what LeastCost compares with its floor, and what a learner starts from. Measure it with `tradewind simulate`, or take it from a benchmark of your own tasks.',
        },
      ),
    ),
    price: optional(priceSchema),
    parameters: optional(
      object(
        {
          defaults: optional(requestFields('Request fields that are added where the caller gave none.')),
          force: optional(requestFields('Request fields that are set whatever the caller gave.')),
        },
        { description: 'Request fields for this model.' },
      ),
    ),
  },
  { description: 'A model that the endpoint serves. Breaker and health are kept for each.' },
)
