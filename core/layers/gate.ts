import type { Exchange, Reply } from '../exchange.ts'
import { Audited, Whole } from '../gate/audited.ts'
import { Cascade } from '../gate/cascade.ts'
import { examiners } from '../gate/examine.ts'
import type { Gatehouse } from '../gate/gatehouse.ts'
import { Inquiry } from '../gate/inquiry.ts'
import { given, note, opened } from '../gate/record.ts'
import { Ear } from '../gate/said.ts'
import type { Layer } from '../pipeline.ts'
import type { Rule } from '../target.ts'

/**
 * Examines the answers of cheap targets, and asks a stronger one where an answer is wanting (`core/gate/`). Looks into chats alone, in whatever
 * dialect: of anything else nothing is known that could be judged.
 */
export const gate: Layer<Rule> = (rule, deps) => (next) => {
  const { gate: config } = rule
  if (!config) return next
  const house = { gate: config, deps, next, examiners: examiners(config), rates: new Map(), silent: new WeakSet() }
  return (exchange) => {
    const { surface } = exchange
    if (!surface.chat || !surface.watch) return next(exchange)
    return config.mode === 'Audit' ? audit(house, exchange) : new Cascade(house, exchange).climb()
  }
}

/** The answer goes its way, and what would have been found is written down. */
async function audit(house: Gatehouse, exchange: Exchange): Promise<Reply> {
  const { gate: config, next } = house
  const inquiry = new Inquiry(house, exchange)
  const facts = opened(exchange, config.mode)
  exchange.ear = inquiry.ear(exchange.candidates[0])
  let reply: Reply
  try {
    reply = await next(exchange)
  } catch (error) {
    if (!inquiry.silenced(exchange, error)) throw error
    exchange.ear = new Ear(false)
    reply = await next(exchange)
  }
  const { target } = exchange
  const judge = async (): Promise<void> => {
    const { ear } = exchange
    if (!target || !ear?.whole) return
    exchange.wait(inquiry)
    note(facts, target, await inquiry.find(ear, target, true))
    given(facts, target, 'audited')
    exchange.wait(undefined)
  }
  if (!Buffer.isBuffer(reply.body)) return { ...reply, body: new Audited(reply.body, judge) }
  if (config.agreement || config.judge) return { ...reply, body: new Audited(new Whole(reply.body), judge) }
  await judge()
  return reply
}
