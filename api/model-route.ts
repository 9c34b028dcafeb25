import { array, choice, duration, integer, object, optional, string } from '../core/schema.ts'
import type { Static } from '../core/schema.ts'
import { strategies, strategyTypes } from '../core/strategies/index.ts'
import { adjustment, adjustmentRules } from './adjust.ts'
import { audit } from './audit.ts'
import { conditions } from './conditions.ts'
import { caller, tasks } from './caller.ts'
import { endpointReference } from './endpoint-reference.ts'
import { faultRule, faults } from './faults.ts'
import { experiment, experimentRules, experimentStatus } from './experiment.ts'
import { FALLBACK_WHEN, RETRY_WHEN } from './failure-kinds.ts'
import { feedback } from './feedback.ts'
import { gate } from './gate.ts'
import { match, pattern } from './match.ts'
import { mirror, mirrorStatus } from './mirror.ts'
import { HEADER } from './names.ts'
import { rollout, rolloutRules, rolloutStatus } from './rollout.ts'
import { speculate } from './speculate.ts'
import { labelSelector } from './selector.ts'
import { memberRules, members } from './union.ts'
import type { Resource } from './resource.ts'

const count = (description: string) => integer({ minimum: 0, maximum: 1e9, description })
const target = object(
  {
    endpoint: endpointReference('Who is asked.'),
    weight: integer({
      minimum: 0,
      maximum: 1000000,
      default: 1,
      description:
        'Its share among the targets of its priority: a ratio, which need not sum to 100. 0: exactly no traffic.',
    }),
    priority: integer({
      minimum: 0,
      maximum: 15,
      default: 0,
      description: 'Tried when those with a lower number are exhausted.',
    }),
  },
  { description: 'One endpoint and model.' },
)

const rule = object(
  {
    name: optional(
      string({
        maxLength: 63,
        minLength: 1,
        pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
        description: 'What the rule is called in headers, logs, metrics and status. Default: its index.',
      }),
    ),
    matches: optional(array(match, { maxItems: 8, minItems: 1, description: 'Which requests; left out: all.' })),
    targets: array(target, {
      minItems: 1,
      maxItems: 16,
      description: 'Who may answer.',
      rules: [
        {
          rule: 'self.all(a, self.exists_one(b, a.endpoint == b.endpoint))',
          message: 'Each endpoint and model may stand in a rule once.',
        },
      ],
    }),
    strategy: object(
      {
        type: choice(strategyTypes, {
          default: 'Weighted',
          description:
            'Weighted: exact shares by weight; LeastLatency: the fastest at the moment; LeastCost: the cheapest that is good enough; Classifier: the same, by what was trained; Bandit: by what it learns in service. Only for Weighted do weights other than 0 count.',
        }),
        ...members(strategies),
      },
      {
        default: {},
        rules: memberRules(strategies, 'strategy'),
        description:
          'How the target is picked; among a target’s addresses it is always the better of two drawn at random.',
      },
    ),
    adjust: optional(
      array(adjustment, {
        minItems: 1,
        maxItems: 16,
        description:
          'Changes the choice for requests that match: all that match apply. They change who may be asked and how quality is weighed, never who answers a request that they do not match.',
      }),
    ),
    sticky: optional(
      object(
        {
          header: string({
            maxLength: 256,
            minLength: 1,
            pattern: HEADER,
            description:
              'The header that holds the key, such as a conversation’s id. Requests without it are split as usual.',
          }),
        },
        {
          description:
            'Keeps one key on one target, by weighted rendezvous hashing: raising a weight moves only the keys that it must. Where cost is weighed, leaving a target costs what its prompt cache would have saved, and a key moves only where another is cheaper even so.',
        },
      ),
    ),
    retry: object(
      {
        attempts: integer({
          minimum: 0,
          maximum: 10,
          default: 1,
          description: 'Further attempts on the same target, besides the first.',
        }),
        when: array(choice(RETRY_WHEN, { description: 'A kind of failure.' }), {
          maxItems: 8,
          set: true,
          default: ['Connect', 'Reset', 'Status5xx', 'Status429'],
          description: 'Which failures. Timeout is not among the defaults: a silent target is not asked again.',
        }),
      },
      {
        default: {},
        description:
          'Asks the same target again, with full-jitter exponential back-off, within the endpoint’s retry budget.',
      },
    ),
    fallback: object(
      {
        when: array(choice(FALLBACK_WHEN, { description: 'A kind of failure.' }), {
          maxItems: 8,
          set: true,
          default: ['Connect', 'Reset', 'Timeout', 'Status5xx', 'Status429', 'ContextLength', 'Truncated'],
          description: 'Which failures. ContentFilter is not among the defaults: no shopping for a model that agrees.',
        }),
      },
      { default: {}, description: 'Asks the next target in the same request.' },
    ),
    rescue: object(
      {
        mode: choice(['Stream', 'Buffer', 'Off'], {
          default: 'Stream',
          description:
            'Stream: tokens go to the caller as they come, and the next target goes on where the answer stopped, or gives the same answer again. Buffer: the answer is held back until it is whole (up to 1 MiB), so that the next target can begin anew. Off: the caller gets an error in the stream.',
        }),
      },
      {
        default: {},
        description:
          'What happens when a streamed answer stops before it is finished: targets that have not been asked go on with it, after the failures that fallback names.',
      },
    ),
    hedge: optional(
      object(
        {
          after: optional(
            duration({
              description:
                'How long the first target has to give its first token, or a whole answer that is not streamed. Left out: as long as 95 of 100 of its latest answers took.',
            }),
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
            'Asks a second target besides the first when that is slow; the first good token wins, and the other call is ended and paid for. Not for requests that make images or sound, nor for what is passed through.',
          rules: [
            {
              rule: '!has(self.after) || (duration(self.after) > duration("0s") && duration(self.after) <= duration("10m"))',
              message: 'after must be longer than 0s and at most 10m.',
              fieldPath: '.after',
            },
          ],
        },
      ),
    ),
    gate: optional(gate),
    audit: optional(audit),
    feedback: optional(feedback),
    speculate: optional(speculate),
    rollout: optional(rollout),
    experiment: optional(experiment),
    faults: optional(faults),
    mirror: optional(mirror),
    onUnavailable: choice(['Redistribute', 'Fail'], {
      default: 'Redistribute',
      description:
        'What happens to the share of a target that is dead or does not resolve: the others take it, or those requests fail.',
    }),
    onUnsupported: choice(['Report', 'Fail'], {
      default: 'Report',
      description:
        'What happens where a request has fields that the API of its target has no place for: they are left out and named in the answer’s x-tradewind-dropped, or the request is refused with 400 once no target can take it whole.',
    }),
  },
  {
    description: 'The first rule that matches decides.',
    rules: [
      {
        rule: "!has(self.adjust) || self.strategy.type in ['Weighted', 'LeastLatency'] == false || self.adjust.all(a, !has(a.floor) && !has(a.lambda) && !has(a.boost))",
        message: 'floor, lambda and boost are for strategies that weigh quality: not for Weighted and LeastLatency.',
        fieldPath: '.adjust',
      },
      ...adjustmentRules,
      faultRule,
      {
        rule: "!has(self.speculate) || self.strategy.type == 'Classifier'",
        message: 'speculate is for strategy Classifier only: it goes by how sure the classifier is.',
        fieldPath: '.speculate',
      },
      {
        rule: "!has(self.audit) || (self.strategy.type == 'Classifier' && (!has(self.strategy.classifier) || self.strategy.classifier.promises == 'Keep'))",
        message: 'audit is for strategy Classifier with promises: Keep, since it watches what that promises.',
        fieldPath: '.audit',
      },
      {
        rule: '!has(self.speculate) || !has(self.hedge)',
        message: 'speculate and hedge both ask twice: use one of them.',
        fieldPath: '.speculate',
      },
      ...rolloutRules,
      ...experimentRules,
    ],
  },
)

const spec = object(
  {
    workloads: optional(
      object(
        { selector: labelSelector('Labels of the pods.') },
        { description: 'Which pods’ sidecars get the route; left out: all of the namespace.' },
      ),
    ),
    models: optional(
      array(string({ maxLength: 256, minLength: 1, description: 'A model name; `*` matches any.' }), {
        minItems: 1,
        maxItems: 64,
        set: true,
        description:
          'What callers put in `model`. May be left out where every rule matches on a path: opaque pass-through.',
      }),
    ),
    caller: optional(caller),
    tasks: optional(tasks),
    timeouts: object(
      {
        request: duration({
          default: '600s',
          description: 'The whole request, with all its attempts: what the SDKs wait.',
        }),
      },
      {
        default: {},
        description: 'The deadline that bounds everything inside it.',
        rules: [
          {
            rule: 'duration(self.request) > duration("0s") && duration(self.request) <= duration("24h")',
            message: 'request must be longer than 0s and at most 24h.',
            fieldPath: '.request',
          },
        ],
      },
    ),
    decisions: optional(
      object(
        {
          percent: integer({
            minimum: 0,
            maximum: 100,
            default: 100,
            description: 'How many of a hundred requests get a line.',
          }),
          content: optional(
            object(
              {
                percent: integer({
                  minimum: 1,
                  maximum: 100,
                  description: 'How many of a hundred lines have it.',
                }),
                redact: optional(
                  array(pattern('What is taken out besides what always is.'), {
                    minItems: 1,
                    maxItems: 16,
                    set: true,
                    description:
                      'Credentials, addresses of electronic mail, numbers of cards, accounts and telephones are always taken out.',
                  }),
                ),
              },
              {
                description:
                  'Writes down what the user asked last and what was answered, redacted, up to 16 Ki characters of each. Left out: never.',
              },
            ),
          ),
        },
        {
          description:
            'What is written to the decision log, where the sidecar has one (TRADEWIND_DECISIONS). Left out: a line for each request, without content.',
        },
      ),
    ),
    rules: array(rule, {
      minItems: 1,
      maxItems: 16,
      description: 'How requests are answered; the first that matches decides, and the last may have no match.',
      rules: [
        {
          rule: 'self.all(a, !has(a.name) || self.exists_one(b, has(b.name) && b.name == a.name))',
          message: 'Rule names must be unique.',
        },
        {
          rule: 'size(self) == 0 || self.filter(r, !has(r.matches)).size() == [self[size(self) - 1]].filter(r, !has(r.matches)).size()',
          message: 'Only the last rule may have no matches: those after it would never be reached.',
        },
      ],
    }),
  },
  {
    description: 'What callers ask for, and how it is answered.',
    rules: [
      {
        rule: 'has(self.models) || self.rules.all(r, has(r.matches) && r.matches.all(m, has(m.path)))',
        message: 'models may be left out only where every match of every rule has a path.',
        fieldPath: '.models',
      },
      {
        rule: '(has(self.caller) && has(self.caller.tier)) || self.rules.all(r, (!has(r.matches) || r.matches.all(m, !has(m.tier) && !(has(m.not) && has(m.not.tier)))) && (!has(r.adjust) || r.adjust.all(a, !has(a.when.tier) && !(has(a.when.not) && has(a.when.not.tier)))))',
        message: 'A match on tier needs spec.caller.tier, which says where the tier is read.',
        fieldPath: '.caller',
      },
      {
        rule: '!has(self.caller) || !has(self.caller.tier) || !has(self.caller.tier.values) || self.rules.all(r, (!has(r.matches) || r.matches.all(m, !has(m.tier) || m.tier.all(t, t in self.caller.tier.values))) && (!has(r.adjust) || r.adjust.all(a, !has(a.when.tier) || a.when.tier.all(t, t in self.caller.tier.values))))',
        message: 'Every tier of a match must be one of spec.caller.tier.values.',
        fieldPath: '.caller',
      },
      {
        rule: '(has(self.caller) && has(self.caller.tier)) || self.rules.all(r, !has(r.strategy.bandit) || !has(r.strategy.bandit.explore.exceptTiers))',
        message: 'exceptTiers needs spec.caller.tier, which says where the tier is read.',
        fieldPath: '.caller',
      },
    ],
  },
)

const status = object(
  {
    conditions: optional(conditions),
    sidecars: optional(
      object(
        {
          targeted: count('Running injected pods that the route selects.'),
          connected: count('Those that are connected.'),
          acknowledged: count('Those that serve this generation.'),
          rejected: count('Those that refused it.'),
        },
        { description: 'Which sidecars serve which generation.' },
      ),
    ),
    programmed: optional(
      string({ maxLength: 32, description: 'Acknowledged of targeted, such as `1998/2000`, for the eye.' }),
    ),
    split: optional(
      string({ maxLength: 1024, description: 'The split of the last rule’s first priority, for the eye.' }),
    ),
    rules: optional(
      array(
        object({
          name: string({ maxLength: 63, description: 'The rule.' }),
          targets: array(
            object({
              endpoint: string({
                maxLength: 317,
                description: 'The endpoint; `namespace/name` where it is another namespace’s.',
              }),
              model: optional(string({ maxLength: 256, description: 'The model.' })),
              weight: count('Its weight.'),
              priority: count('Its priority.'),
              requests: count('Attempts on it of the last minute, as the sidecars report them.'),
            }),
            { maxItems: 16, description: 'Its targets.' },
          ),
        }),
        { maxItems: 16, description: 'The shares in force, and what was observed.' },
      ),
    ),
    rollout: optional(
      string({ maxLength: 1024, description: 'Where the rollouts are, such as `Progressing 2/6 5%`, for the eye.' }),
    ),
    rollouts: optional(rolloutStatus),
    experiments: optional(experimentStatus),
    mirrors: optional(mirrorStatus),
  },
  { description: 'What the operator and the sidecars make of the route.' },
)

export const modelRoute = {
  kind: 'ModelRoute',
  plural: 'modelroutes',
  singular: 'modelroute',
  shortNames: ['mroute'],
  description: 'What callers ask for in `model` (or by path), and which endpoints answer, in which shares.',
  spec,
  status,
  columns: [
    { name: 'Models', type: 'string', jsonPath: '.spec.models', description: 'What callers ask for.' },
    {
      name: 'Accepted',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Accepted')].status",
      description: 'Whether the manifest is in force.',
    },
    {
      name: 'Resolved',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='ResolvedRefs')].status",
      description: 'Whether all it refers to is there.',
      priority: 1,
    },
    {
      name: 'Programmed',
      type: 'string',
      jsonPath: '.status.programmed',
      description: 'Sidecars that serve this generation, of those targeted.',
    },
    { name: 'Split', type: 'string', jsonPath: '.status.split', description: 'The shares in force.' },
    {
      name: 'Faults',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='FaultsInjected')].status",
      description: 'Whether failures are injected on purpose.',
    },
    { name: 'Rollout', type: 'string', jsonPath: '.status.rollout', description: 'Where its rollouts are.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since when it exists.' },
  ],
} as const

export type ModelRouteSpec = Static<typeof spec>
export type ModelRouteStatus = Static<typeof status>
export type ModelRoute = Resource<'ModelRoute', ModelRouteSpec, ModelRouteStatus>
