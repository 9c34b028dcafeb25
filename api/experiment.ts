import { DECISIONS, EXPERIMENT_PHASES } from '../core/experiment/decision.ts'
import { METRICS } from '../core/statistics/guardrail.ts'
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
import { endpointReference } from './endpoint-reference.ts'
import { HEADER } from './names.ts'

const label = (description: string) =>
  string({ maxLength: 63, minLength: 1, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', description })

const arm = object(
  {
    name: label('What it is called in headers, logs and status.'),
    endpoint: endpointReference('Which of the rule’s targets its units are asked of first, written as it is there.'),
    weight: integer({
      minimum: 1,
      maximum: 1000000,
      default: 1,
      description: 'Its share of the experiment’s units: a ratio.',
    }),
  },
  { description: 'One of the alternatives that are compared.' },
)

const metric = object(
  {
    metric: choice(METRICS, {
      description:
        'What is compared. ErrorRate: first targets that failed by no fault of the caller’s; Truncations: answers that stopped after the first byte; Refusals: answers that the model refused; Escalations: answers that the rule’s gate passed on to a stronger model; Latency and FirstToken: their means, of requests that the arm’s target answered; Cost: USD a request; Quality: the mean mark of feedback and gate.',
    }),
    primary: boolean({
      default: false,
      description: 'Whether it decides; an arm must only not be worse in the others. One is.',
    }),
    direction: optional(
      choice(['Decrease', 'Increase'], {
        description: 'Which way is better. Left out: Increase for Quality, Decrease for all others.',
      }),
    ),
    minimumEffect: optional(
      decimal({
        description:
          'The least difference that counts: of shares and of Quality in points of 1 (`0.01`: one point), of Latency, FirstToken and Cost as a part of the control’s mean (`0.1`: 10 %). An arm that is worse by more is out; where none can be better by so much in the primary metric any more, the experiment stops. Left out: 0.01 for shares, 0.02 for Escalations and Quality, 0.1 for Latency and FirstToken, 0.05 for Cost.',
      }),
    ),
  },
  {
    description: 'One metric.',
    rules: [
      {
        rule: '!has(self.minimumEffect) || (double(self.minimumEffect) > 0.0 && double(self.minimumEffect) <= 1.0)',
        message: 'minimumEffect must be above 0 and at most 1.',
        fieldPath: '.minimumEffect',
      },
    ],
  },
)

/** An A/B experiment over the targets of a rule. */
export const experiment = object(
  {
    name: label('What it is called in headers, logs and status.'),
    unit: optional(
      object(
        {
          header: string({
            maxLength: 256,
            minLength: 1,
            pattern: HEADER,
            description:
              'The header that holds it, such as a user’s id. Requests without it are not part of the experiment.',
          }),
        },
        {
          description:
            'Who is assigned to an arm, and stays with it: all requests of one unit go the same way, and count together. Left out: each request by itself.',
        },
      ),
    ),
    salt: optional(
      string({
        maxLength: 63,
        minLength: 1,
        description:
          'Units are assigned by a hash with it: another salt is another draw, and begins anew. Left out: the name.',
      }),
    ),
    layer: optional(
      object(
        {
          name: label(
            'Experiments of the namespace that name the same layer divide its units among them; those of different layers are independent of each other.',
          ),
          from: integer({
            minimum: 0,
            maximum: 99,
            default: 0,
            description: 'Its part of the layer: from, in percent.',
          }),
          to: integer({ minimum: 1, maximum: 100, default: 100, description: 'And up to.' }),
        },
        {
          description:
            'The part of the units that the experiment has. The others are answered as if there were no experiment. Left out: all units. Of two experiments whose parts overlap, the younger route’s waits.',
          rules: [{ rule: 'self.from < self.to', message: 'from must be below to.', fieldPath: '.from' }],
        },
      ),
    ),
    arms: array(arm, {
      minItems: 2,
      maxItems: 4,
      key: 'name',
      description: 'What is compared.',
      rules: [
        {
          rule: 'self.all(a, self.exists_one(b, a.endpoint == b.endpoint))',
          message: 'Each target may be one arm’s only.',
        },
      ],
    }),
    control: optional(label('The arm that the others are compared with. Left out: the first.')),
    metrics: array(metric, {
      minItems: 1,
      maxItems: 8,
      key: 'metric',
      description: 'What is compared, one of them primary.',
      rules: [
        {
          rule: 'self.exists_one(m, m.primary)',
          message: 'One metric must be primary: the one that decides.',
        },
      ],
    }),
    alpha: fraction({
      default: '0.05',
      description:
        'How likely an arm that is not better may be shipped at most, however long and often one looks; and likewise, one that does no harm be stopped.',
    }),
    samples: integer({
      minimum: 0,
      maximum: 1_000_000_000,
      default: 1000,
      description: 'How many requests each arm takes at least before anything but harm is decided.',
    }),
    maxDuration: duration({
      default: '336h',
      description: 'How long it may take. After that it stops, and the control stays.',
    }),
    onDecision: choice(['Report', 'Ship'], {
      default: 'Report',
      description:
        'What follows from its decision. Report: nothing, units stay with their arms. Ship: all of the rule’s requests are asked of the winner’s target first: of the arm that is better, or of the control where the experiment stopped. Nothing is written to spec.',
    }),
  },
  {
    description:
      'Compares targets of the rule: units are assigned to arms at random and stay there, and what becomes of their requests is compared by intervals that hold however often one looks.',
    rules: [
      {
        rule: '!has(self.control) || self.arms.exists(a, a.name == self.control)',
        message: 'control must be the name of an arm.',
        fieldPath: '.control',
      },
      {
        rule: 'double(self.alpha) >= 0.0001 && double(self.alpha) <= 0.5',
        message: 'alpha must be from 0.0001 to 0.5.',
        fieldPath: '.alpha',
      },
      {
        rule: 'duration(self.maxDuration) >= duration("1s") && duration(self.maxDuration) <= duration("2160h")',
        message: 'maxDuration must be at least 1s and at most 2160h.',
        fieldPath: '.maxDuration',
      },
    ],
  },
)

const field = (name: string) =>
  `(has(a.endpoint.${name}) ? has(t.endpoint.${name}) && a.endpoint.${name} == t.endpoint.${name} : !has(t.endpoint.${name}))`

/** The rules of a rule of a route that has an experiment. */
export const experimentRules = [
  {
    rule: "!has(self.experiment) || self.strategy.type == 'Weighted'",
    message: 'experiment is for strategy Weighted only: others choose by themselves, and arms would not be alike.',
    fieldPath: '.experiment',
  },
  {
    rule: '!has(self.experiment) || !has(self.rollout)',
    message: 'rollout and experiment both move the same requests: use one of them in a rule.',
    fieldPath: '.experiment',
  },
  {
    rule: `!has(self.experiment) || self.experiment.arms.all(a, self.targets.exists(t, a.endpoint.name == t.endpoint.name && ${field('__namespace__')} && ${field('model')}))`,
    message: 'Each arm must be one of the rule’s targets, written as it is there.',
    fieldPath: '.experiment.arms',
  },
]

const time = (description: string) => string({ maxLength: 64, format: 'date-time', description })
const number = (description: string) => string({ maxLength: 32, description })
const whole = (description: string) =>
  integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, format: 'int64', description })

/** Where the experiments of a route are: what the leader has found and decided. */
export const experimentStatus = array(
  object({
    rule: string({ maxLength: 63, description: 'The rule.' }),
    name: string({ maxLength: 63, description: 'The experiment.' }),
    phase: choice(EXPERIMENT_PHASES, {
      description: 'Running; Blocked: what there is cannot be read, or it does not run; Decided: for good.',
    }),
    decision: optional(
      choice(DECISIONS, { description: 'Ship: an arm is better. Stop: none is, and the control stays.' }),
    ),
    winner: optional(string({ maxLength: 63, description: 'The arm that won; the control where it stopped.' })),
    reason: string({ maxLength: 64, description: 'Why, one word in CamelCase for programs.' }),
    message: string({ maxLength: 4096, description: 'The same for people, with the evidence.' }),
    version: string({
      maxLength: 64,
      description: 'What evidence is told under: another one where units, arms or weights are others.',
    }),
    started: time('When it began.'),
    since: time('Since when it is in this phase.'),
    ratio: optional(number('The E-value against “requests fall to the arms as their weights have it”.')),
    arms: array(
      object({
        name: string({ maxLength: 63, description: 'The arm.' }),
        target: string({ maxLength: 576, description: 'Its target, `endpoint` or `endpoint/model`.' }),
        requests: whole('Its requests.'),
      }),
      { maxItems: 4, key: 'name', description: 'How many requests each arm had.' },
    ),
    metrics: array(
      object({
        metric: choice(METRICS, { description: 'What is compared.' }),
        primary: boolean({ description: 'Whether it decides.' }),
        arm: string({ maxLength: 63, description: 'The arm that is compared with the control.' }),
        value: optional(number('Its mean: a share, ms, USD or a mark of 0 to 1.')),
        control: optional(number('And the control’s.')),
        measured: whole('How many of its requests were measured.'),
        estimate: optional(
          number('Arm less control: points of 1, or for Latency, FirstToken and Cost a part of the control’s mean.'),
        ),
        lower: optional(number('With confidence it is not below this; left out where there is no bound yet.')),
        upper: optional(number('Nor above this; left out where there is no bound yet.')),
        evidence: optional(number('The E-value against “there is no difference”.')),
        verdict: choice(['Unknown', 'Open', 'Better', 'Worse'], {
          description:
            'Better, Worse: a difference that is shown, where at most alpha of all that is shown is there by chance.',
        }),
      }),
      { maxItems: 24, description: 'Each arm beside the control, metric by metric; empty while they may not be read.' },
    ),
  }),
  { maxItems: 16, key: 'rule', description: 'Where the experiment of each rule that has one is, and what is known.' },
)

export type ExperimentSpec = Static<typeof experiment>
export type ExperimentStatus = Static<typeof experimentStatus>[number]
