import { priced } from '../audit/desk.ts'
import type { Exchange, Reply } from '../exchange.ts'
import { Kept } from '../mirror/kept.ts'
import { Mirrored } from '../mirror/mirrored.ts'
import type { Given, House } from '../mirror/mirrored.ts'
import { boundOf } from '../mirror/bound.ts'
import { tell } from '../mirror/tell.ts'
import { Skipped } from '../mirror/skip.ts'
import type { Layer } from '../pipeline.ts'
import type { Rule } from '../target.ts'
import { call } from './attempt.ts'
import type { Permit } from './attempt.ts'

/**
 * Sends a share of the requests to a candidate as well, whose answers nobody gets (`core/mirror/`). It begins when the caller's answer has left, so that it takes
 * nothing of its time; until then a stream's bytes are pointed at and nothing is read.
 */
export const mirror: Layer<Rule> = (rule, deps) => (next) => {
  const { mirror: settings, route, name, generation } = rule
  const { mirrors: desk } = deps
  if (!settings || !desk) return next
  const post = desk.post(route, name, settings, generation)
  const aside: House['aside'] = new Map()
  const permit: Permit = (exchange, { call: outgoing, model }) => {
    const price = exchange.target?.model.pricing(model, deps.wall())
    const most = boundOf(outgoing.body, price, exchange.surface.operation)
    if (!post.purse.take(most)) throw new Skipped('unaffordable')
    aside.set(exchange, most)
  }
  const house: House = { rule, settings, deps, desk, post, ask: call(deps, permit), aside }
  const { version } = settings

  const after = (exchange: Exchange, given: Given | undefined): void =>
    desk.later(() => {
      post.adopt(settings, generation)
      post.purse.earn(priced(exchange.facts.attempts))
      if (given)
        void new Mirrored(house, exchange, given).run().then((record) => {
          tell(record, version, deps)
        })
    })

  return async (exchange) => {
    const drawn = deps.random() * 100 < settings.percent
    if (drawn) exchange.facts.mirror = settings.target.id
    let reply: Reply
    try {
      reply = await next(exchange)
    } catch (error) {
      after(exchange, drawn ? { chunks: undefined, streamed: false } : undefined)
      throw error
    }
    const { body } = reply
    if (Buffer.isBuffer(body)) {
      after(exchange, drawn ? { chunks: [body], streamed: false } : undefined)
      return reply
    }
    const { surface, facts } = exchange
    const { stream } = facts
    // Of what is not compared nothing is kept.
    if (!drawn || !surface.chat) {
      body.settled(() => after(exchange, drawn ? { chunks: undefined, streamed: stream } : undefined))
      return reply
    }
    return { ...reply, body: new Kept(body, desk, (chunks) => after(exchange, { chunks, streamed: stream })) }
  }
}
