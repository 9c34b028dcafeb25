import { obstacle } from '../availability.ts'
import type { ChatRequest } from '../chat.ts'
import type { Deps } from '../deps.ts'
import { Failure } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import type { Exchange, Reply, Waiting, Why } from '../exchange.ts'
import { asFailure } from '../layers/errors.ts'
import { answerKey } from '../learning/answer-key.ts'
import type { Handler } from '../pipeline.ts'
import { segmentOf } from '../signals/segment.ts'
import type { Model, Target } from '../target.ts'
import { agreement, agrees } from './agreement.ts'
import type { Gate } from './config.ts'
import { drain } from './drain.ts'
import type { Examiners } from './examine.ts'
import { expectedCost, spent } from './expected.ts'
import type { Finding, GateFacts, GateReason } from './facts.ts'
import { Held } from './held.ts'
import { gateFor, judgeLearned } from './learned.ts'
import { above, bound, goDirect } from './ladder.ts'
import { markRequest, readMark } from './mark.ts'
import { EscalationRate } from './rate.ts'
import { Ear } from './said.ts'

/** What lives as long as the rule. */
export interface Gatehouse {
  readonly gate: Gate
  readonly deps: Deps
  readonly next: Handler
  readonly examiners: Examiners
  /** By target that answers first. */
  readonly rates: Map<Target, EscalationRate>
  /** Models that refuse to say how likely their tokens are. */
  readonly silent: WeakSet<Model>
}

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
  private readonly request: ChatRequest | undefined
  readonly facts: GateFacts

  constructor(house: Gatehouse, exchange: Exchange) {
    this.house = house
    this.exchange = exchange
    this.request = readRequest(exchange)
    const first = exchange.candidates[0]?.id ?? ''
    const { mode } = house.gate
    this.facts = exchange.facts.gate = {
      mode,
      first,
      final: first,
      direct: undefined,
      reason: 'unjudged',
      escalations: 0,
      wrong: undefined,
      answers: [],
    }
  }

  cancel(code: ErrorCode): void {
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
    const first = expectedCost(exchange, run.target, run.fork.ear?.output)
    for (;;) {
      const stronger = this.above(run.target)
      if (stronger.length === 0) return this.give(run, 'no_stronger')
      if (facts.escalations >= gate.maxEscalations) return this.give(run, 'max_escalations')
      const findings = await this.examine(run)
      const failed = findings.some((finding) => finding.failed)
      facts.answers.push({ ...nameOf(run.target), findings })
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

  /** The candidates in their order, unless going to a stronger one at once is cheaper or the only way to be in time. */
  private order(): readonly Target[] {
    const { exchange, house, facts } = this
    const { candidates } = exchange
    const [weak] = candidates
    const strong = weak && this.above(weak)[0]
    if (!weak || !strong) return candidates
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
    return facts.direct ? [strong, ...candidates.filter((target) => target !== strong)] : candidates
  }

  /** The rungs above a target that have not been asked yet. */
  private above(target: Target): readonly Target[] {
    const { candidates, facts } = this.exchange
    const asked = (it: Target) =>
      facts.attempts.some(({ endpoint, model }) => endpoint === it.endpoint.name && model === it.model.name)
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
    const fork = this.fork(candidates, opening, this.ear(first))
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
      if (this.silenced(fork, error)) return this.ask(candidates, opening)
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

  /** Listens to a target's answer, which is asked for log-probabilities where the gate looks at them and the target says them. */
  ear(target: Target | undefined): Ear {
    const { gate, silent } = this.house
    const wants = gate.logprobs !== undefined && this.request?.logprobs !== true
    return new Ear(wants && !(target && silent.has(target.model)))
  }

  /** Whether a target may have refused the request only since it was asked for log-probabilities; it is not asked for them again. */
  silenced({ target, ear, over }: Exchange, error: unknown): boolean {
    if (!target || !ear?.wantsLogprobs || over || asFailure(error).code !== 'upstream_refused') return false
    this.house.silent.add(target.model)
    return true
  }

  // Examining.

  /** What is found of an answer; nothing where it cannot be judged. */
  private async examine(run: Run): Promise<readonly Finding[]> {
    const { fork, reply, ended } = run
    const { ear } = fork
    if (ended?.code !== undefined) return [{ check: 'Finished', failed: true, detail: ended.code }]
    if (!ear || ear.lost || ear.said.length === 0) return []
    const whole = Buffer.isBuffer(reply.body) || ear.whole
    // It was too long to be held back, and flows.
    if (!whole && this.house.gate.mode !== 'Prefix') return []
    return this.find(ear, run.target, whole)
  }

  /** What the examiners find of what was heard, the costly ones last and only of a whole answer. */
  async find(ear: Ear, target: Target, whole: boolean): Promise<readonly Finding[]> {
    const { examiners, deps } = this.house
    const findings = [...(await examiners.cheap(ear, { request: this.request, schemas: deps.schemas }, whole))]
    if (!whole || findings.some(({ failed }) => failed)) return findings
    // What is learned of an answer takes in what others say; by itself their word counts where nothing was learned.
    const told = (await this.judge(ear, target)) ?? (await this.compare(ear, target))
    if (told) findings.push(told)
    if (told?.failed) return findings
    const marked = await this.mark(ear)
    if (marked) findings.push(marked)
    return findings
  }

  /** What a trained gate says; nothing where there is none for the target. Without the artefact no cheap answer is trusted. */
  private async judge(ear: Ear, target: Target): Promise<Finding | undefined> {
    const { gate, deps } = this.house
    const { learned, agreement: others } = gate
    const [said] = ear.said
    if (!learned || !said || ear.said.length > 1) return undefined
    if ('fault' in learned) return { check: 'Learned', failed: true, detail: learned.fault }
    const trained = gateFor(learned, target.model.name, others?.by?.model.name)
    if (!trained) return undefined
    const second = trained.second !== undefined && others?.by ? await this.aside(others.by) : undefined
    const { signals } = this.exchange
    return judgeLearned({
      gate: trained,
      threshold: learned.threshold,
      prompt: signals.textBy(learned.textRule),
      said,
      second,
      segment: segmentOf(trained.field, signals),
      wall: deps.wall(),
    })
  }

  /** Whether others come to the same; nothing where the answer comes to nothing short. */
  private async compare(ear: Ear, target: Target): Promise<Finding | undefined> {
    const { agreement: config } = this.house.gate
    const text = ear.said[0]?.text ?? ''
    if (!config || ear.said.length !== 1 || answerKey(text) === '') return undefined
    const by = config.by ?? target
    const others = await Promise.all(Array.from({ length: config.samples - 1 }, () => this.aside(by)))
    const share = agreement(
      text,
      others.filter((it) => it !== undefined),
    )
    if (share === undefined) return undefined
    const failed = !agrees(share)
    return { check: 'Agreement', failed, ...(failed ? { detail: 'others come to another answer' } : {}), score: share }
  }

  /** The mark of the judge, for a sample of the answers. */
  private async mark(ear: Ear): Promise<Finding | undefined> {
    const { gate, deps } = this.house
    const { judge } = gate
    const { request } = this
    if (!judge || !request || deps.random() * 100 >= judge.percent) return undefined
    const text = ear.said.map((said) => said.text).join('\n')
    if (text === '') return undefined
    const asking = markRequest(this.exchange, request, text, judge.prompt)
    const score = readMark((await this.aside(judge.by, asking)) ?? '')
    if (score === undefined) return undefined
    const failed = score < judge.bar
    return { check: 'Judge', failed, ...(failed ? { detail: 'the judge gave too low a mark' } : {}), score }
  }

  /** What a target says besides, to the same request or to another; undefined where it says nothing. */
  private async aside(target: Target, asking?: Exchange): Promise<string | undefined> {
    const { house, exchange } = this
    if (exchange.over || obstacle(target, house.deps.now()) !== undefined) return undefined
    const opening = asking ? 'judge' : 'agreement'
    const fork = asking ?? this.fork([target], opening, new Ear(false))
    if (asking) {
      asking.candidates = [target]
      asking.opening = opening
      asking.ear = new Ear(false)
      this.open.add(asking)
    }
    try {
      const whole = await drain(await house.next(fork))
      return whole ? fork.ear?.said[0]?.text : undefined
    } catch {
      // That it failed is in `attempts`; the answer is what it was.
      return undefined
    } finally {
      this.open.delete(fork)
    }
  }

  // What becomes of answers.

  private give(run: Run, reason: GateReason): Reply {
    const { exchange, facts, house } = this
    const { fork, reply } = run
    exchange.join(fork)
    facts.final = run.target.id
    facts.wrong = wrongOf(facts, run.target)
    facts.reason = reason
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

/** P(wrong) of the answer that is given, where somebody has said it. */
export function wrongOf({ answers }: GateFacts, { id }: Target): number | undefined {
  const found = answers.findLast(({ target }) => target === id)?.findings.find(({ check }) => check === 'Learned')
  return found?.score
}

export const nameOf = ({ id, endpoint, model }: Target) => ({
  target: id,
  endpoint: endpoint.name,
  model: model.name,
})

/** The request in the canonical form; undefined where only its own provider understands it. */
function readRequest(exchange: Exchange): ChatRequest | undefined {
  const { chat } = exchange.surface
  if (!chat) return undefined
  try {
    return exchange.read(chat)
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}
