import { FAULT_TYPES } from '../core/faults/fault.ts'
import { array, choice, duration, integer, object, optional, string } from '../core/schema.ts'
import type { Rule, Static } from '../core/schema.ts'
import { isTarget, someTargets } from './adjust.ts'
import { headers } from './match.ts'

/** RFC 3339, section 5.6, in capitals; leap seconds aside. */
const DATE_TIME =
  '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$'

const fault = object(
  {
    type: choice(FAULT_TYPES, {
      description:
        'Delay: the answer comes later; Abort: the target is not called, and an error stands for its answer; Cut: the connection dies in the middle of the answer; Stall: nothing more comes of it.',
    }),
    percent: integer({
      minimum: 1,
      maximum: 100,
      default: 100,
      description:
        'How many of a hundred requests: drawn at random once for each request, so that its retries meet the same.',
    }),
    delay: optional(duration({ description: 'How much later, with type Delay.' })),
    status: optional(
      integer({ minimum: 400, maximum: 599, description: 'The HTTP status of the error, with type Abort.' }),
    ),
    afterBytes: optional(
      integer({
        minimum: 0,
        maximum: 1e9,
        description:
          'After how many bytes of the answer’s body, with types Cut and Stall. Left out: before the first. An answer that is no longer than that is whole.',
      }),
    ),
    targets: someTargets(
      'Only calls of these; left out: all calls that the rule makes, those of judges and audits too.',
    ),
    headers: optional(headers('Only requests with these headers, all of which must match.')),
    until: string({
      maxLength: 35,
      minLength: 20,
      pattern: DATE_TIME,
      description:
        'When it ends, by the sidecar’s own clock, such as `2026-01-31T18:00:00Z`: at most 24 hours ahead. Nothing is injected later, nor earlier than 24 hours before.',
    }),
  },
  {
    description: 'One fault.',
    rules: [
      {
        rule: "(self.type == 'Delay') == has(self.delay)",
        message: 'delay goes with type Delay, and only with it.',
        fieldPath: '.delay',
      },
      {
        rule: '!has(self.delay) || (duration(self.delay) > duration("0s") && duration(self.delay) <= duration("10m"))',
        message: 'delay must be longer than 0s and at most 10m.',
        fieldPath: '.delay',
      },
      {
        rule: "(self.type == 'Abort') == has(self.status)",
        message: 'status goes with type Abort, and only with it.',
        fieldPath: '.status',
      },
      {
        rule: "!has(self.afterBytes) || self.type in ['Cut', 'Stall']",
        message: 'afterBytes goes with types Cut and Stall only.',
        fieldPath: '.afterBytes',
      },
    ],
  },
)

/** Failures that are made on purpose, to see what becomes of them. */
export const faults = array(fault, {
  minItems: 1,
  maxItems: 8,
  description:
    'Failures that are injected into calls of targets, to prove that fallbacks, rescues and guardrails hold: everything takes them for real. Delays add up; of the other types, the first that is drawn is injected. For a time only.',
})

/** What a fault names are targets of its rule (CEL, of the rule). */
export const faultRule: Rule = {
  rule: `!has(self.faults) || self.faults.all(f, !has(f.targets) || f.targets.all(s, self.targets.exists(t, ${isTarget('s')})))`,
  message: 'targets of a fault names what is no target of the rule.',
  fieldPath: '.faults',
}

export type FaultSpec = Static<typeof fault>
