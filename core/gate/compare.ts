import { obstacle } from '../availability.ts'
import type { ErrorCode } from '../errors.ts'
import type { Exchange, Reply } from '../exchange.ts'
import type { Comparison } from '../strategies/strategy.ts'
import type { Target } from '../target.ts'
import { Audited, Whole } from './audited.ts'
import { nameOf } from './cascade.ts'
import type { Gatehouse } from './cascade.ts'
import { drain } from './drain.ts'
import { markRequest, readMark } from './mark.ts'
import { Ear } from './said.ts'

/**
 * Has an answer compared with another target's to the same request, by the rule's judge, when the caller has it: so that whoever promised that the one is as good as
 * the other hears what came of it. Nothing of it reaches the caller, and nothing is compared where another target gave the answer in the end.
 */
export async function compared(
  house: Gatehouse,
  exchange: Exchange,
  { own, other, heard }: Comparison<Target>,
  answer: Promise<Reply>,
): Promise<Reply> {
  const reply = await answer
  const { judge } = house.gate
  if (!judge || exchange.target !== own) return reply

  const compare = async (): Promise<void> => {
    const asked = new Set<Exchange>()
    const ask = async (target: Target, fork: Exchange): Promise<string | undefined> => {
      if (exchange.over || obstacle(target, house.deps.now()) !== undefined) return undefined
      fork.candidates = [target]
      fork.opening = 'audit'
      fork.ear = new Ear(false)
      asked.add(fork)
      return (await drain(await house.next(fork))) ? textOf(fork) : undefined
    }
    const mark = async (text: string): Promise<number | undefined> => {
      const { chat } = exchange.surface
      if (!chat) return undefined
      return readMark((await ask(judge.by, markRequest(exchange, exchange.read(chat), text, judge.prompt))) ?? '')
    }
    const text = textOf(exchange)
    if (text === undefined) return
    exchange.wait({ cancel: (code: ErrorCode) => asked.forEach((fork) => fork.end(code)) })
    try {
      const theirs = await ask(other, exchange.fork())
      if (theirs === undefined) return
      const [mine, others] = [await mark(text), await mark(theirs)]
      if (mine === undefined || others === undefined) return
      for (const [target, score] of [
        [own, mine],
        [other, others],
      ] as const)
        exchange.facts.gate?.answers.push({ ...nameOf(target), findings: [{ check: 'Judge', failed: false, score }] })
      heard(mine / 10, others / 10)
    } finally {
      exchange.wait(undefined)
    }
  }
  return { ...reply, body: new Audited(Buffer.isBuffer(reply.body) ? new Whole(reply.body) : reply.body, compare) }
}

/** What was said, where it was one whole answer in words. */
function textOf({ ear }: Exchange): string | undefined {
  if (!ear?.whole || ear.lost || ear.said.length !== 1) return undefined
  return ear.said[0]?.text || undefined
}
