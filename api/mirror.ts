import { array, decimal, integer, object, optional, string } from '../core/schema.ts'
import type { Static } from '../core/schema.ts'
import { SKIPS } from '../core/mirror/skip.ts'
import { endpointReference } from './endpoint-reference.ts'

const percent = (minimum: number, standard: number, description: string) =>
  integer({ minimum, maximum: 100, default: standard, description })

/** Sending a share of the requests to a candidate as well, whose answers nobody gets. */
export const mirror = object(
  {
    target: endpointReference(
      'The candidate. It need not be among the targets, and gets the request as it would as one; its credentials must be its own (not Passthrough).',
    ),
    percent: percent(
      0,
      5,
      'Of the rule’s requests, so many of a hundred are sent to it too, drawn at random. 0: none.',
    ),
    budget: object(
      {
        usdPerSidecarHour: optional(
          decimal({
            description:
              'The most that one sidecar spends on it in any hour, USD; with N sidecars it is N times that. A call whose worst case is above a quarter of it is never made.',
          }),
        ),
        spendPercent: optional(
          integer({
            minimum: 1,
            maximum: 1000,
            description:
              'The most that is spent on it, in percent of what the rule’s own requests have cost: in each sidecar, and so in all together. Requests without a price add nothing.',
          }),
        ),
      },
      {
        description:
          'What it may cost, judge included: a hard bound, by the prices of the endpoints. Before a call goes out its worst case is set aside, and a call that could pass the bound is not made; nor is one to a model without a price, or whose worst case is not known.',
        rules: [
          {
            rule: 'has(self.usdPerSidecarHour) || has(self.spendPercent)',
            message: 'budget needs at least one of usdPerSidecarHour and spendPercent.',
          },
          {
            rule: '!has(self.usdPerSidecarHour) || double(self.usdPerSidecarHour) > 0.0',
            message: 'usdPerSidecarHour must be above 0; percent: 0 stops the mirror.',
            fieldPath: '.usdPerSidecarHour',
          },
        ],
      },
    ),
    maxTokens: integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 4096,
      description: 'How long an answer may be, tokens, where the request sets no limit of its own.',
    }),
    maxConcurrent: integer({
      minimum: 1,
      maximum: 64,
      default: 4,
      description: 'How many are under way at a time, in each sidecar; what comes while so many are is not mirrored.',
    }),
    judge: optional(
      object(
        {
          endpoint: endpointReference(
            'Who marks both answers. It needs a credential of its own: it gets none of the caller’s headers.',
          ),
          percent: percent(1, 10, 'So many of a hundred pairs of answers are marked.'),
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
            'A model that marks both answers, each by itself, within the budget. Left out: it is only seen whether they come to the same.',
        },
      ),
    ),
  },
  {
    description:
      'Sends a share of the requests to a candidate as well, once the caller has its answer, and shows how the two differ: in status.mirrors, metrics and the decision log. Nothing of it reaches the caller, nor counts for breakers and the choice of targets.',
  },
)

const figure = (description: string) => optional(string({ maxLength: 24, description }))
const count = (description: string) => integer({ minimum: 0, maximum: 1e12, description })
const side = (description: string) =>
  object(
    {
      errors: count('Calls that failed, and not by the caller’s fault.'),
      truncations: count('Answers that stopped after they had begun.'),
      refusals: count('Answers that were refused, or cut by a filter.'),
      p50: figure('Median latency of whole answers, ms.'),
      p95: figure('95th percentile of the same, ms.'),
      firstTokenP50: figure('Median time to the first token of streams, ms.'),
      firstTokenP95: figure('95th percentile of the same, ms.'),
      cost: figure('USD for one request, on average.'),
      mark: figure('The judge’s marks, 0 to 1, on average.'),
    },
    { description },
  )

/** `status.mirrors`: how candidates differ from what answers. */
export const mirrorStatus = array(
  object({
    rule: string({ maxLength: 63, description: 'The rule.' }),
    target: string({ maxLength: 574, description: 'The candidate, endpoint or endpoint/model.' }),
    requests: count('Requests that both were asked.'),
    compared: count('Pairs of answers of which it could be said whether they come to the same.'),
    agreement: figure('The share of those that do, 0 to 1.'),
    judged: count('Pairs that the judge marked.'),
    lead: optional(
      object(
        {
          estimate: string({ maxLength: 24, description: 'The difference of mean marks, from -1 to 1.' }),
          lower: string({ maxLength: 24, description: 'Its lower bound.' }),
          upper: string({ maxLength: 24, description: 'Its upper bound.' }),
        },
        {
          description:
            'How much better the candidate’s answers are than the current ones, over all pairs of texts: by the marks of those that the judge saw, and by agreement of all. The bounds hold at every look with chance 95 %. Absent below 20 marks.',
        },
      ),
    ),
    candidate: side('The candidate’s.'),
    current: side('What the callers got, of the same requests.'),
    spent: string({
      maxLength: 24,
      description: 'USD, at most: calls that did not come to say what they used count in full.',
    }),
    cap: string({ maxLength: 128, description: 'The budget in words.' }),
    skipped: array(
      object({
        reason: string({ maxLength: 32, description: `One of ${SKIPS.join(', ')}.` }),
        count: count('How many.'),
      }),
      { maxItems: 32, key: 'reason', description: 'Requests that were drawn and not mirrored.' },
    ),
  }),
  {
    maxItems: 16,
    key: 'rule',
    description: 'What the mirrors of the rules have found since their sidecars began, or the mirror changed.',
  },
)

export type MirrorStatus = Static<typeof mirrorStatus>[number]
export type MirrorSideStatus = MirrorStatus['candidate']
