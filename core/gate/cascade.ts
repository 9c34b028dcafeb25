import { Failure } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import type { Exchange, Reply, Waiting, Why } from '../exchange.ts'
import type { Target } from '../target.ts'
import { expectedCost, spent } from './expected.ts'
import type { Finding, GateFacts, GateReason } from './facts.ts'
import type { Gatehouse } from './gatehouse.ts'
import { Held } from './held.ts'
import { Inquiry } from './inquiry.ts'
import { above, bound, goDirect } from './ladder.ts'
import { EscalationRate } from './rate.ts'
import { given, note, opened } from './record.ts'
import type { Ear } from './said.ts'

/** Why targets are asked that are not to answer. */
const ASIDE: ReadonlySet<Why> = new Set(['agreement', 'judge'])

/** One answer that was asked for. */
interface Run {
  readonly fork: Exchange
  readonly reply: Reply
  /** Who gave it. */
  readonly target: Target
  /** Of a stream that has ended: whether it is whole. */
  ended: { readonly code: ErrorCode | undefined } | undefined
}

/**
 * One request behind a gate: asks the cheap target, has the answer examined, and asks the next stronger one as long as the answer is
 * wanting and count, deadline and money allow. Each answer has an exchange of its own; that of the one that is given becomes the caller's.
 * The last answer is kept until a better one has come: no answer is lost to a stronger target that fails.
 */
export class Cascade implements Waiting {
  private readonly house: Gatehouse
  private readonly exchange: Exchange
  private readonly open = new Set<Exchange>()
  private readonly inquiry: Inquiry
  private readonly facts: GateFacts

  constructor(house: Gatehouse, exchange: Exchange) {
    this.house = house
    this.exchange = exchange
    this.inquiry = new Inquiry(house, exchange)
    this.facts = opened(exchange, house.gate.mode)
  }

  cancel(code: ErrorCode): void {
    this.inquiry.cancel(code)
    for (const fork of this.open) fork.end(code)
  }

  /** The answer to the request. Rejects as the first answer's failure does; a later one's is no failure of the request. */
  async climb(): Promise<Reply> {
    const { exchange, facts, house } = this
    const { gate, deps } = house
    exchange.wait(this)
    let run: Run
    try {
      run = await this.ask(this.order(), undefined)
    } catch (error) {
      exchange.wait(undefined)
      throw error
    }
    const first = gate.budget && expectedCost(exchange, run.target, run.fork.ear?.output)
    for (;;) {
      const stronger = this.above(run.target)
      if (stronger.length === 0) return this.give(run, 'strongest')
      if (facts.escalations >= gate.maxEscalations) return this.give(run, 'max_escalations')
      const findings = await this.examine(run)
      const failed = findings.some((finding) => finding.failed)
      note(facts, run.target, findings)
      const output = run.fork.ear?.output ?? 0
      if (findings.length > 0) this.rate(run.target).observe(failed, output)
      if (this.left) throw this.leave()
      if (!failed) return this.give(run, findings.length > 0 ? 'passed' : 'unjudged')
      const [next] = stronger
      const why = bound(gate, {
        escalations: facts.escalations,
        spent: gate.budget && spent(exchange, run.target, output),
        next: gate.budget && next && expectedCost(exchange, next, output),
        first,
        latency: next?.model.state.ewma.latency() ?? 0,
        left: exchange.due - deps.now(),
      })
      if (why) return this.give(run, why)
      facts.escalations++
      let better: Run
      try {
        better = await this.ask(stronger, 'escalation')
      } catch {
        if (this.left) throw this.leave()
        return this.give(run, 'stronger_failed')
      }
      this.drop(run)
      run = better
    }
  }

  // Where to begin.

  /** The candidates in their order, unless going to a stronger one at once is cheaper, the only way to be in time, or all that can be trusted. */
  private order(): readonly Target[] {
    const { exchange, house, facts } = this
    const { candidates } = exchange
    const [weak] = candidates
    const rungs = weak ? this.above(weak) : []
    const [strong] = rungs
    if (!weak || !strong) return candidates
    const first = (target: Target) => [target, ...candidates.filter((it) => it !== target)]
    const { learned } = house.gate
    if (learned && 'fault' in learned) {
      facts.direct = 'direct_untaught'
      return first(rungs.at(-1) ?? strong)
    }
    const rate = this.rate(weak)
    // What these cost is looked up only once something is known.
    if (rate.probability === undefined) return candidates
    facts.direct = goDirect({
      rate,
      weakCost: expectedCost(exchange, weak, rate.output),
      strongCost: expectedCost(exchange, strong, rate.output),
      weakLatency: weak.model.state.ewma.latency(),
      strongLatency: strong.model.state.ewma.latency(),
      left: exchange.due - house.deps.now(),
    })
    return facts.direct ? first(strong) : candidates
  }

  /** The rungs above a target that have not been asked for an answer yet; one that lost a race has not been heard. */
  private above(target: Target): readonly Target[] {
    const { candidates, facts } = this.exchange
    const answering = facts.attempts.filter(({ why, code }) => !ASIDE.has(why) && code !== 'hedge_lost')
    const asked = ({ endpoint, model }: Target) =>
      answering.some((it) => it.endpoint === endpoint.name && it.model === model.name)
    return above(candidates, target, this.house.deps.now()).filter((it) => !asked(it))
  }

  private rate(target: Target): EscalationRate {
    const { rates } = this.house
    let rate = rates.get(target)
    if (!rate) rates.set(target, (rate = new EscalationRate()))
    return rate
  }

  // Asking.

  private async ask(candidates: readonly Target[], opening: Why | undefined): Promise<Run> {
    const { exchange, house, facts } = this
    const { gate, deps } = house
    const [first] = candidates
    const fork = this.fork(candidates, opening, this.inquiry.ear(first))
    const last = !first || facts.escalations >= gate.maxEscalations || this.above(first).length === 0
    const { stream } = exchange.facts
    // What is asked for in the place of an answer that is there has to be whole, or to have begun, before that one is let go of.
    if (stream && gate.mode === 'Buffer' && (!last || opening)) fork.until = 'end'
    if (stream && gate.mode === 'Prefix' && (!last || opening) && fork.until === 'event') fork.until = 'token'
    let reply: Reply
    try {
      reply = await house.next(fork)
    } catch (error) {
      this.open.delete(fork)
      if (this.inquiry.silenced(fork, error)) return this.ask(candidates, opening)
      if (opening === undefined) {
        exchange.join(fork)
        exchange.exhausted = fork.exhausted
        exchange.retryAfter = fork.retryAfter
      }
      throw error
    }
    if (!fork.target) throw new Error('nobody gave the answer')
    const run: Run = { fork, reply, target: fork.target, ended: undefined }
    if (Buffer.isBuffer(reply.body)) return run
    reply.body.settled((code) => (run.ended = { code }))
    if (gate.mode !== 'Prefix' || last) return run
    const { tokens, within } = gate.prefix
    const enough = () => fork.ear === undefined || fork.ear.tokens >= tokens || fork.ear.whole
    const held = new Held(reply.body, { deadlines: deps.deadlines, now: deps.now, within, enough })
    await held.judgeable
    return Object.assign(run, { reply: { ...reply, body: held } })
  }

  private fork(candidates: readonly Target[], opening: Why | undefined, ear: Ear): Exchange {
    const { exchange } = this
    if (exchange.over) throw new Failure(exchange.over)
    const fork = exchange.fork()
    fork.candidates = candidates
    fork.opening = opening
    fork.ear = ear
    this.open.add(fork)
    return fork
  }

  // Examining.

  /** What is found of an answer; nothing where it cannot be judged. */
  private async examine({ fork, reply, target, ended }: Run): Promise<readonly Finding[]> {
    const { ear } = fork
    if (ended?.code !== undefined) return [{ check: 'Finished', failed: true, detail: ended.code }]
    if (!ear) return []
    const whole = Buffer.isBuffer(reply.body) || ear.whole
    // It was too long to be held back, and flows.
    if (!whole && this.house.gate.mode !== 'Prefix') return []
    return this.inquiry.find(ear, target, whole)
  }

  // What becomes of answers.

  private give(run: Run, reason: GateReason): Reply {
    const { exchange, facts, house } = this
    const { fork, reply } = run
    exchange.join(fork)
    given(facts, run.target, reason)
    this.open.delete(fork)
    this.cancel('escalated')
    this.open.clear()
    this.open.add(fork)
    if (Buffer.isBuffer(reply.body)) {
      exchange.wait(undefined)
      return reply
    }
    exchange.facts.firstByte = house.deps.now()
    exchange.wait(this)
    reply.body.settled(() => exchange.wait(undefined))
    return reply
  }

  /** A better answer is there. */
  private drop({ fork }: Run): void {
    this.open.delete(fork)
    fork.end('escalated')
  }

  /** Nobody waits for an answer any more. A deadline that has passed is no reason not to give the one that is there. */
  private get left(): boolean {
    return this.exchange.over === 'client_closed'
  }

  private leave(): Failure {
    this.cancel('client_closed')
    this.exchange.wait(undefined)
    return new Failure('client_closed')
  }
}
