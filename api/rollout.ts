import { PHASES } from '../core/rollout/state.ts'
import {
  array,
  boolean,
  choice,
  decimal,
  duration,
  fraction,
  integer,
  object,
  optional,
  string,
} from '../core/schema.ts'
import type { Static } from '../core/schema.ts'
import { METRICS } from '../core/statistics/guardrail.ts'
import { endpointReference } from './endpoint-reference.ts'
import { HEADER } from './names.ts'

const LONGEST = '720h'
/** What a duration field must be; `from` is the least. */
const bounded = (name: string, from: '0s' | '1s') => ({
  rule: `!has(self.${name}) || (duration(self.${name}) >= duration("${from}") && duration(self.${name}) <= duration("${LONGEST}"))`,
  message: `${name} must be at least ${from} and at most ${LONGEST}.`,
  fieldPath: `.${name}`,
})
const samples = { minimum: 1, maximum: 1_000_000_000 }

const step = object(
  {
    weight: integer({ minimum: 1, maximum: 100, description: 'So many of a hundred requests go to the canary.' }),
    dwell: optional(
      duration({
        description:
          'How long the step lasts at least, from when every sidecar has it. Left out: as the rollout has it.',
      }),
    ),
    samples: optional(
      integer({
        ...samples,
        description: 'How many requests of each arm the step takes at least. Left out: as the rollout has it.',
      }),
    ),
    manual: boolean({
      default: false,
      description: 'Whether somebody has to let the rollout into this step: until then it is paused at the one before.',
    }),
  },
  {
    description: 'One step.',
    rules: [
      {
        rule: 'self.weight < 100 || (!has(self.dwell) && !has(self.samples))',
        message: 'A step of weight 100 is the promotion: it takes neither dwell nor samples.',
        fieldPath: '.weight',
      },
      bounded('dwell', '0s'),
    ],
  },
)

const guardrail = object(
  {
    metric: choice(METRICS, {
      description:
        'What is compared. ErrorRate: attempts that failed by no fault of the caller’s; Truncations: answers that stopped after the first byte; Refusals: answers that the model refused; Escalations: answers that the rule’s gate passed on to a stronger model; Latency and FirstToken: how many requests are slower than 95 of 100 of the stable targets’; Cost: USD a request; Quality: the mean mark of feedback, gate and judge.',
    }),
    margin: decimal({
      description:
        'So much worse than the stable targets is too much: of shares and of Quality an absolute difference (`0.02`: 2 points), of Latency, FirstToken and Cost a part of the stable targets’ (`0.2`: 20 %).',
    }),
    share: integer({
      minimum: 1,
      maximum: 100,
      default: 1,
      description: 'Its part of alpha, as a ratio to those of the other guardrails.',
    }),
  },
  {
    description: 'One guardrail.',
    rules: [
      {
        rule: "double(self.margin) > 0.0 && double(self.margin) <= (self.metric in ['Latency', 'FirstToken', 'Cost'] ? 10.0 : 1.0)",
        message: 'margin must be above 0, and at most 10 for Latency, FirstToken and Cost, 1 for the others.',
        fieldPath: '.margin',
      },
    ],
  },
)

/** A canary that moves itself, and knows when to stop. */
export const rollout = object(
  {
    canary: endpointReference('Which of the rule’s targets, written as it is there. The others are the stable ones.'),
    steps: array(step, {
      minItems: 2,
      maxItems: 20,
      default: [
        { weight: 1, manual: false },
        { weight: 5, manual: false },
        { weight: 10, manual: false },
        { weight: 25, manual: false },
        { weight: 50, manual: false },
        { weight: 100, manual: false },
      ],
      description: 'The way up, to 100.',
      rules: [
        {
          rule: 'self.map(s, s.weight) == self.map(s, s.weight).sort() && self.all(a, self.exists_one(b, b.weight == a.weight))',
          message: 'The weights of steps must rise.',
        },
        {
          rule: 'size(self) == 0 || self[size(self) - 1].weight == 100',
          message: 'The last step must have weight 100: it is the promotion.',
        },
      ],
    }),
    dwell: duration({ default: '5m', description: 'How long each step lasts at least.' }),
    samples: integer({
      ...samples,
      default: 450,
      description:
        'How many requests of each arm each step takes at least. 450 are what shows a difference of 5 points in the rate of errors.',
    }),
    guardrails: array(guardrail, {
      maxItems: 8,
      minItems: 1,
      key: 'metric',
      default: [
        { metric: 'ErrorRate', margin: '0.01', share: 1 },
        { metric: 'Truncations', margin: '0.01', share: 1 },
        { metric: 'Latency', margin: '0.15', share: 1 },
      ],
      description:
        'What the canary must not be worse in. Where one is shown to be, by more than its margin, the canary gets no more requests; and it is promoted once all are shown not to be.',
    }),
    alpha: fraction({
      default: '0.05',
      description:
        'How likely a canary that is no worse may be rolled back at most, however long and often one looks: for all guardrails together.',
    }),
    maxDuration: duration({
      default: '168h',
      description: 'How long a rollout may take, without the time that it is paused. After that it is rolled back.',
    }),
    cooldown: duration({
      default: '10m',
      description: 'How long after a rollback another canary has to wait. A retry does not wait.',
    }),
    cohort: optional(
      object(
        {
          headers: array(
            object(
              {
                name: string({ maxLength: 256, minLength: 1, pattern: HEADER, description: 'Its name, in any case.' }),
                value: string({ maxLength: 1024, description: 'Its value.' }),
              },
              { description: 'One header.' },
            ),
            { minItems: 1, maxItems: 8, description: 'Headers, one of which is enough.' },
          ),
        },
        {
          description:
            'Who gets the canary from the first step on, such as one’s own people. What becomes of these requests is no evidence, since nobody else is like them.',
        },
      ),
    ),
  },
  {
    description:
      'Gives one target, the canary, more and more of the requests, for as long as it is no worse than the others; and none at all where it is. The canary’s own weight then counts for nothing, and those of the others among themselves.',
    rules: [
      bounded('dwell', '0s'),
      bounded('maxDuration', '1s'),
      bounded('cooldown', '0s'),
      {
        rule: 'double(self.alpha) >= 0.0001 && double(self.alpha) <= 0.5',
        message: 'alpha must be from 0.0001 to 0.5.',
        fieldPath: '.alpha',
      },
    ],
  },
)

// Written so that the API server knows the size of all that is compared, by which it bounds the cost of a rule.
const same = (field: string) =>
  `(has(c.endpoint.${field}) ? has(self.rollout.canary.${field}) && c.endpoint.${field} == self.rollout.canary.${field} : !has(self.rollout.canary.${field}))`
const isCanary = `c.endpoint.name == self.rollout.canary.name && ${same('__namespace__')} && ${same('model')}`

/** The rules of a rule of a route that has a rollout. */
export const rolloutRules = [
  {
    rule: "!has(self.rollout) || self.strategy.type == 'Weighted'",
    message: 'rollout is for strategy Weighted only: it is about weights.',
    fieldPath: '.rollout',
  },
  {
    rule: `!has(self.rollout) || self.targets.exists(c, ${isCanary})`,
    message: 'canary must be one of the rule’s targets, written as it is there.',
    fieldPath: '.rollout.canary',
  },
  {
    rule: `!has(self.rollout) || !self.targets.exists(c, ${isCanary}) || self.targets.exists(c, ${isCanary} && self.targets.exists(t, t.priority == c.priority && t.weight > 0 && t.endpoint != c.endpoint))`,
    message: 'Besides the canary there must be a target of the same priority and a weight above 0, to compare it with.',
    fieldPath: '.rollout.canary',
  },
  {
    rule: "!has(self.rollout) || has(self.gate) || self.rollout.guardrails.all(g, g.metric != 'Escalations')",
    message: 'Guardrail Escalations needs gate: nothing else escalates.',
    fieldPath: '.rollout.guardrails',
  },
]

const time = (description: string) => string({ maxLength: 64, format: 'date-time', description })
const number = (description: string) => string({ maxLength: 32, description })
const whole = (description: string) =>
  integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, format: 'int64', description })
const arms = (of: string) =>
  object({ canary: whole('Of the canary.'), stable: whole('Of the stable targets together.') }, { description: of })

/** Where the rollouts of a route are: what the leader has decided, and why. */
export const rolloutStatus = array(
  object({
    rule: string({ maxLength: 63, description: 'The rule.' }),
    phase: choice(PHASES, { description: 'Where it is.' }),
    reason: string({ maxLength: 64, description: 'Why it is there, one word in CamelCase for programs.' }),
    message: string({ maxLength: 4096, description: 'The same for people, with the evidence.' }),
    canary: string({ maxLength: 576, description: 'The canary, `endpoint` or `endpoint/model`.' }),
    version: string({
      maxLength: 64,
      description: 'What evidence is told under: another one with each step, so that steps never mix.',
    }),
    step: whole('The step, from 0.'),
    steps: whole('How many there are.'),
    weight: integer({ minimum: 0, maximum: 100, description: 'The canary’s share in force, percent.' }),
    started: optional(time('When the canary got its first requests.')),
    since: time('Since when it is in this phase.'),
    stepSince: time('Since when it is at this step.'),
    by: optional(string({ maxLength: 256, description: 'Who paused, resumed, promoted, aborted or retried it last.' })),
    waitsFor: optional(
      array(string({ maxLength: 317, description: 'A pod, `namespace/name`.' }), {
        maxItems: 10,
        description: 'Pods whose sidecars have not acknowledged this step yet; up to ten of them.',
      }),
    ),
    waiting: whole('How many pods it waits for.'),
    samples: arms('Requests of this step that were shared out at random.'),
    harmed: whole('Requests that the canary failed beyond the stable targets’ share, over all steps.'),
    guardrails: array(
      object({
        metric: choice(METRICS, { description: 'What is compared.' }),
        margin: number('So much worse is too much.'),
        evidence: number('The E-value against “it is not worse by more than that”.'),
        needs: number('From this E-value on it is rolled back.'),
        canary: optional(number('What was measured of the canary.')),
        stable: optional(number('And of the stable targets.')),
        lower: optional(number('How much worse the canary is at least, with confidence.')),
        upper: optional(number('And at most.')),
        counts: arms('How many were measured.'),
      }),
      { maxItems: 8, key: 'metric', description: 'The evidence of each guardrail.' },
    ),
    memory: string({ maxLength: 32768, description: 'What the operator goes on from; not for people.' }),
  }),
  { maxItems: 16, key: 'rule', description: 'Where the rollout of each rule that has one is, and what is known.' },
)

export type RolloutStatus = Static<typeof rolloutStatus>[number]
