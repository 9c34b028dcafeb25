import { Audit } from '../audit/audit.ts'
import { priced } from '../audit/desk.ts'
import { Ear } from '../gate/said.ts'
import type { Exchange, Reply } from '../exchange.ts'
import type { Layer } from '../pipeline.ts'
import type { Comparison } from '../strategies/strategy.ts'
import type { Rule, Target } from '../target.ts'

/**
 * Has a share of the requests that a classifier keeps cheap, and of those that it knows nothing like, answered by the other model too, so that what it
 * promises is watched in service (`core/audit/`). It begins when the caller has its answer, and nothing of it reaches the caller.
 */
export const audit: Layer<Rule> = (rule, deps) => {
  const { audit: settings } = rule
  const { audits: desk } = deps
  if (!settings || !desk) return (next) => next
  const purse = desk.purse(rule.route, rule.name)

  /** What is to be compared where the request is drawn. Chance decides and not what it costs, so that those that are compared are like all. */
  const drawn = ({ comparison, surface }: Exchange): Comparison<Target> | undefined => {
    if (!comparison || !surface.chat || !surface.watch) return undefined
    const percent = comparison.kind === 'kept' ? settings.percent : settings.novelPercent
    return deps.random() * 100 < percent ? comparison : undefined
  }

  return (next) => {
    const compare = async (exchange: Exchange, comparison: Comparison<Target>): Promise<void> => {
      const { facts, target } = exchange
      // Somebody else answered, since the one that was to did not: that says nothing of how good it is.
      const escalated = target === comparison.other && (facts.gate?.escalations ?? 0) > 0
      if (target !== comparison.own && !escalated) return
      const audited = new Audit({ rule, settings, deps, desk, purse, next }, exchange, comparison)
      // Where nothing has a price, there is nothing to spend.
      if (purse.balance <= 0 && priced(facts.attempts) > 0) return audited.skip('unaffordable')
      if (!desk.enter()) return audited.skip('busy')
      // The answer that was just given leaves first.
      await deps.sleep(0, exchange)
      await audited.run()
      desk.leave()
    }
    return async (exchange) => {
      const comparison = drawn(exchange)
      if (comparison) exchange.ear ??= new Ear(false)
      const reply: Reply = await next(exchange)
      const then = (): void => {
        purse.balance += (priced(exchange.facts.attempts) * settings.spendPercent) / 100
        if (comparison) void compare(exchange, comparison)
      }
      if (Buffer.isBuffer(reply.body)) then()
      else reply.body.settled((code) => (code === undefined ? then() : undefined))
      return reply
    }
  }
}
