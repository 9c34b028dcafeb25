import { decimal, duration, fraction, milliseconds, object, optional } from '../schema.ts'
import type { Json } from '../dialects/dialect.ts'
import type { Strategy } from './strategy.ts'

/** The fields by which a strategy weighs quality, cost and latency; `LeastCost` and those that learn what quality is have them alike. */
export const objective = {
  floor: optional(
    fraction({
      description:
        'The least quality, 0 to 1, that a target is expected to answer with; the others are asked only when none of those is left, the best first.',
    }),
  ),
  lambda: optional(
    decimal({
      description:
        'Weighs quality against cost: what the price of the dearest target is worth in quality. Left out: the cheapest above the floor is asked, however good the others are.',
    }),
  ),
  slo: optional(
    duration({
      description:
        'How soon the first token (or a whole answer that is not streamed) is to come; a target expected to be twice as slow is as bad as one of no quality, or of the dearest price.',
    }),
  ),
}

export const objectiveRules = [
  {
    rule: '!has(self.slo) || duration(self.slo) > duration("0s")',
    message: 'slo must be longer than 0s.',
    fieldPath: '.slo',
  },
] as const

/** What those fields come to. `lambda`: what an adjustment has put in its place. */
export function termsOf({ lambda, slo }: Json) {
  const weighed = lambda !== undefined
  return {
    quality: weighed ? 1 : 0,
    lambda: weighed ? Number(lambda) : 1,
    mu: slo === undefined ? 0 : 1,
    slo: typeof slo === 'string' ? milliseconds(slo) : 0,
  }
}

/** The least quality that the settings ask for; undefined: any will do. */
export const floorOf = ({ floor }: Json): number | undefined => (floor === undefined ? undefined : Number(floor))

/** The cheapest that is good enough for the task, as the endpoints' manifests say what they are good for. */
export const leastCost = {
  type: 'LeastCost',
  picks: 'cheapest',
  settings: {
    name: 'leastCost',
    schema: object(objective, { description: 'Of strategy LeastCost.', rules: objectiveRules }),
  },
  weighs: () => true,
  make: ({ settings }) => {
    const preference = {
      reason: settings['lambda'] === undefined ? ('least_cost' as const) : ('best_value' as const),
      terms: termsOf(settings),
      floor: floorOf(settings),
    }
    return () => preference
  },
} as const satisfies Strategy
