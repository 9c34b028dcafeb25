import { array, decimal, fraction, integer, object, optional, string } from '../core/schema.ts'
import type { Rule } from '../core/schema.ts'
import { match } from './match.ts'
import { endpointName } from './endpoint-reference.ts'

/** Some of the rule's targets. */
const some = {
  name: endpointName,
  namespace: optional(
    string({
      maxLength: 63,
      minLength: 1,
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      description: 'Its namespace, if not the route’s own.',
    }),
  ),
  model: optional(string({ maxLength: 256, minLength: 1, description: 'One model of it; left out: all of them.' })),
}
/** A list of targets of a rule. */
export const someTargets = (description: string) =>
  optional(array(object(some, { description: 'Targets of the rule.' }), { minItems: 1, maxItems: 8, description }))
const rank = (description: string) => optional(integer({ minimum: 0, maximum: 100, description }))

/** In CEL, whether a target `t` is one of those that are named. One that leaves its model out has whichever the endpoint has. */
export const isTarget = (named: string) =>
  `t.endpoint.name == ${named}.name && (!has(${named}.model) || !has(t.endpoint.model) || t.endpoint.model == ${named}.model)`

/** A change to the choice for some requests of a rule. */
export const adjustment = object(
  {
    when: match,
    minRank: rank('Targets of a lower rank are not asked.'),
    maxRank: rank('Targets of a higher rank are not asked.'),
    floor: optional(
      fraction({ description: 'The least quality, in the place of the strategy’s own floor; of several the highest.' }),
    ),
    lambda: optional(
      decimal({
        description: 'Weighs quality against cost, in the place of the strategy’s own lambda; of several the last.',
      }),
    ),
    boost: optional(
      array(
        object(
          { ...some, by: decimal({ signed: true, description: 'What is added, such as `-0.1`.' }) },
          { description: 'Targets of the rule.' },
        ),
        { minItems: 1, maxItems: 8, description: 'Adds to the quality that is expected of some targets.' },
      ),
    ),
    allow: someTargets('Only these are asked.'),
    deny: someTargets('These are not asked.'),
    pin: optional(
      object(some, { description: 'This one is asked first; the others stay what they are for fallback.' }),
    ),
  },
  {
    description: 'A change to the choice for some requests.',
    rules: [
      {
        rule: 'has(self.minRank) || has(self.maxRank) || has(self.floor) || has(self.lambda) || has(self.boost) || has(self.allow) || has(self.deny) || has(self.pin)',
        message: 'An adjustment needs at least one of minRank, maxRank, floor, lambda, boost, allow, deny and pin.',
      },
      {
        rule: '!has(self.minRank) || !has(self.maxRank) || self.minRank <= self.maxRank',
        message: 'minRank must not be above maxRank.',
        fieldPath: '.minRank',
      },
    ],
  },
)

/** What an adjustment names are targets of its rule: rules (CEL) of the rule. */
export const adjustmentRules: readonly Rule[] = [
  ...(['allow', 'deny', 'boost'] as const).map((list) => ({
    rule: `!has(self.adjust) || self.adjust.all(a, !has(a.${list}) || a.${list}.all(s, self.targets.exists(t, ${isTarget('s')})))`,
    message: `${list} of an adjustment names what is no target of the rule.`,
    fieldPath: '.adjust',
  })),
  {
    rule: `!has(self.adjust) || self.adjust.all(a, !has(a.pin) || self.targets.exists(t, ${isTarget('a.pin')}))`,
    message: 'pin of an adjustment names what is no target of the rule.',
    fieldPath: '.adjust',
  },
]
