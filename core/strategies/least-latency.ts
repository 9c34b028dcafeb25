import { duration, milliseconds, object, optional } from '../schema.ts'
import { rendezvous } from '../sticky.ts'
import type { Choosable, Strategy } from './strategy.ts'

/**
 * The fastest first, by peak-EWMA latency and requests in flight; weights do not count. One that ramps up counts as slower by what it may
 * not yet use, and those that are unavailable come last. With `slo`, all that keep to it count as equally fast, and the cheapest of them is
 * asked. A sticky key keeps its target while that is available.
 */
export const leastLatency = {
  type: 'LeastLatency',
  picks: 'fastest',
  settings: {
    name: 'leastLatency',
    schema: object(
      {
        slo: optional(
          duration({
            description:
              'Targets whose first token (or whole answer, where it is not streamed) comes within this time are fast enough, and the cheapest of them is asked. Left out: the fastest is.',
          }),
        ),
      },
      {
        description: 'Of strategy LeastLatency.',
        rules: [
          {
            rule: '!has(self.slo) || duration(self.slo) > duration("0s")',
            message: 'slo must be longer than 0s.',
            fieldPath: '.slo',
          },
        ],
      },
    ),
  },
  weighs: ({ slo }) => slo !== undefined,
  make: ({ targets, settings }) => {
    const slo = typeof settings['slo'] === 'string' ? milliseconds(settings['slo']) : undefined
    // Cost only tells those apart that are equally fast: a thousandth of the price is less than a millisecond in a thousand.
    const terms =
      slo === undefined ? { quality: 0, lambda: 0, mu: 1, slo: 0 } : { quality: 0, lambda: 0.001, mu: 1, slo }
    return ({ key, values }) => {
      const first = key === undefined ? undefined : rendezvous(targets, key, (target) => target.available())
      if (first) return { reason: 'sticky', first, terms, values: values ?? loads(targets) }
      return { reason: 'fastest', terms, values: values ?? loads(targets) }
    }
  },
} as const satisfies Strategy

function loads(targets: readonly Choosable[]) {
  return targets.map((target) => ({ quality: Number.NaN, cost: Number.NaN, latency: loadOf(target) }))
}

/** ms; infinite for one that may not be asked. */
function loadOf(target: Choosable): number {
  const part = target.available()
  return part === 0 ? Number.POSITIVE_INFINITY : target.load() / part
}
