import { costOf } from '../cost.ts'
import type { Exchange } from '../exchange.ts'
import type { Target } from '../target.ts'
import { NO_USAGE } from '../usage.ts'

/** What an answer is taken to be where nothing is known of it, tokens. */
const ANSWER = 256

/**
 * What a request costs at a target, expected, picodollars: its prompt as it is counted, an answer of so many tokens. Undefined where the
 * target has no price: what is unknown is never free.
 */
export function expectedCost(exchange: Exchange, { model }: Target, output = ANSWER): number | undefined {
  const { facts, signals } = exchange
  const price = model.pricing(model.name === '*' ? facts.requestedModel : model.name, facts.wall)
  return price && costOf({ ...NO_USAGE, input: signals.tokens, output: Math.ceil(output) }, price)
}

/** The same for what has been spent on it so far: calls that are still to say what they used count as expected. */
export function spent(exchange: Exchange, answered: Target, output: number): number | undefined {
  let total = 0
  for (const { cost, ended, usage, code } of exchange.facts.attempts)
    if (cost !== undefined) total += cost
    else if (ended === 0 || usage || code === undefined) {
      const expected = expectedCost(exchange, answered, output)
      if (expected === undefined) return undefined
      total += expected
    }
  return total
}
