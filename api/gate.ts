import { artefactReference } from '../core/learning/artefact-reference.ts'
import { checkTypes } from '../core/gate/checks/index.ts'
import { array, choice, duration, fraction, integer, object, optional, string } from '../core/schema.ts'
import type { Static } from '../core/schema.ts'
import { endpointReference } from './endpoint-reference.ts'
import { pattern } from './match.ts'
import { memberRules } from './union.ts'

const logprob = (description: string) =>
  optional(string({ maxLength: 12, pattern: '^(0|-[0-9]{1,2})(\\.[0-9]{1,6})?$', description }))

const check = object(
  {
    type: choice(checkTypes, {
      description:
        'Length: it was cut at its bound on tokens. Empty: it says nothing. Refusal: it refuses. ToolArguments: a call is not what the tool’s schema takes. Format: JSON, or JSON of a schema, was asked for, and it is not. Citations: it points to too few sources. Pattern: it does not match what it must, or matches what it must not. Code: a fence is not closed, its JSON does not parse, or its brackets do not pair. Language: it is in another script than the question. Repetition: it says the same again and again.',
    }),
    refusal: optional(
      object(
        {
          patterns: array(pattern('How a refusal begins, in any case; looked for in the first 400 characters.'), {
            minItems: 1,
            maxItems: 16,
            description: 'In the place of the usual ones, which are English.',
          }),
        },
        { description: 'Words of refusal.' },
      ),
    ),
    citations: optional(
      object(
        { minimum: integer({ minimum: 1, maximum: 100, default: 1, description: 'The fewest sources.' }) },
        { description: 'How many sources.' },
      ),
    ),
    pattern: optional(
      object(
        {
          must: optional(pattern('What an answer has to match.')),
          mustNot: optional(pattern('What an answer must not match.')),
        },
        {
          description: 'What an answer is compared with.',
          rules: [
            {
              rule: 'has(self.must) || has(self.mustNot)',
              message: 'A pattern needs at least one of must and mustNot.',
            },
          ],
        },
      ),
    ),
  },
  {
    description: 'One deterministic check.',
    rules: memberRules(
      [
        { type: 'Refusal', settings: { name: 'refusal' } },
        { type: 'Citations', settings: { name: 'citations' } },
        { type: 'Pattern', settings: { name: 'pattern', required: true } },
      ],
      'check',
    ),
  },
)

/** The quality gate of a rule. */
export const gate = object(
  {
    mode: choice(['Buffer', 'Prefix', 'Audit'], {
      default: 'Buffer',
      description:
        'How streams are judged. Buffer: the answer is held back until it is whole (up to 1 MiB). Prefix: its beginning is held back, and judged by what a beginning can show. Audit: nothing is held back and nobody else asked; what is found is written down, for whole answers too.',
    }),
    prefix: object(
      {
        tokens: integer({ minimum: 1, maximum: 4096, default: 40, description: 'So many tokens are held back.' }),
        within: duration({ default: '800ms', description: 'Or what comes in this time.' }),
      },
      {
        default: {},
        description: 'How much of a stream mode Prefix holds back.',
        rules: [
          {
            rule: 'duration(self.within) > duration("0s") && duration(self.within) <= duration("1m")',
            message: 'within must be longer than 0s and at most 1m.',
            fieldPath: '.within',
          },
        ],
      },
    ),
    checks: array(check, {
      maxItems: 16,
      default: [
        { type: 'Length' },
        { type: 'Empty' },
        { type: 'Refusal' },
        { type: 'ToolArguments' },
        { type: 'Format' },
      ],
      description:
        'What is looked for in an answer, cheapest first whatever their order here; one that is found is enough.',
    }),
    logProbs: optional(
      object(
        {
          minimum: logprob('The least log-probability that each token must have, such as `-9`.'),
          mean: logprob('The least that they must have on average, such as `-0.7`.'),
        },
        {
          description:
            'How likely the tokens must be to the model itself (natural logarithms), where it says so. Models are asked for it; callers that did not ask do not get it.',
          rules: [
            {
              rule: 'has(self.minimum) || has(self.mean)',
              message: 'logProbs needs at least one of minimum and mean.',
            },
          ],
        },
      ),
    ),
    learned: optional(
      object(
        {
          artefact: artefactReference,
          threshold: optional(
            fraction({
              description:
                'The highest P(wrong) that is good enough. Left out: what is certified in the artefact, and nothing where that has no certificate, or one that has expired.',
            }),
          ),
        },
        {
          description:
            'Judges by a gate that was trained on answers of the same model, by its name. Where the artefact is missing or does not load, the strongest target is asked at once; a model that it has no gate for is judged by the rest.',
        },
      ),
    ),
    agreement: optional(
      object(
        {
          samples: integer({
            minimum: 2,
            maximum: 3,
            default: 2,
            description: 'How many answers there are in all; at least half of the others have to come to the same.',
          }),
          with: optional(
            object(
              { endpoint: endpointReference('Who gives the other answers; best another cheap model.') },
              { description: 'Left out: the same model is asked again, which says something at temperatures above 0.' },
            ),
          ),
        },
        {
          description:
            'Compares the short answer that an answer comes to with others to the same request: `\\boxed{…}`, what follows “the answer is” or `####`, a JSON field `answer`, or a short last line. Answers that come to none are not compared.',
        },
      ),
    ),
    judge: optional(
      object(
        {
          endpoint: endpointReference(
            'Who marks answers. It needs a credential of its own: it gets none of the caller’s headers.',
          ),
          percent: integer({
            minimum: 1,
            maximum: 100,
            default: 5,
            description: 'So many of a hundred answers are marked, of those that nothing else was found in.',
          }),
          bar: integer({
            minimum: 1,
            maximum: 10,
            default: 6,
            description: 'The least mark that is good enough, of 10.',
          }),
          prompt: optional(
            string({
              maxLength: 8192,
              minLength: 1,
              description:
                'What the judge is told, in the place of our own words; it must ask for one number from 0 to 10. Conversation and answer follow in tags.',
            }),
          ),
        },
        { description: 'A model marks a sample of the answers. It is paid for, and waited for.' },
      ),
    ),
    maxEscalations: integer({
      minimum: 0,
      maximum: 8,
      default: 2,
      description:
        'How many stronger targets may be asked after one another, each of a higher rank than the one before.',
    }),
    budget: optional(
      object(
        {
          request: optional(
            string({
              maxLength: 16,
              pattern: '^[0-9]{1,4}(\\.[0-9]{1,9})?$',
              description: 'What all calls for one request may cost together, in USD.',
            }),
          ),
          multiple: optional(
            integer({
              minimum: 2,
              maximum: 10000,
              description: 'The same as a multiple of what the first answer costs.',
            }),
          ),
        },
        {
          description:
            'A stronger target is asked only where the request stays within, as its prices have it; one without a price is not.',
          rules: [
            {
              rule: 'has(self.request) || has(self.multiple)',
              message: 'budget needs at least one of request and multiple.',
            },
          ],
        },
      ),
    ),
  },
  {
    description:
      'Judges the answers of cheap targets, and asks the next stronger one (of a higher rank) of the rule’s targets where an answer is found wanting. The caller gets the best answer that there is: if a stronger target fails, the one before.',
    rules: [
      {
        rule: 'size(self.checks) > 0 || has(self.logProbs) || has(self.learned) || has(self.agreement) || has(self.judge)',
        message: 'A gate needs something to judge by: checks, logProbs, learned, agreement or judge.',
      },
      {
        rule: "self.mode != 'Prefix' || (!has(self.learned) && !has(self.agreement) && !has(self.judge))",
        message: 'learned, agreement and judge need whole answers: use mode Buffer or Audit.',
        fieldPath: '.mode',
      },
    ],
  },
)

export type GateSpec = Static<typeof gate>
