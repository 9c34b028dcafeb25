import { obstacle } from '../availability.ts'
import type { ChatRequest } from '../chat.ts'
import { Failure } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import type { Exchange, Waiting } from '../exchange.ts'
import { asFailure } from '../layers/errors.ts'
import { answerKey } from '../learning/answer-key.ts'
import { segmentOf } from '../signals/segment.ts'
import type { Target } from '../target.ts'
import { agreement, agrees } from './agreement.ts'
import { drain } from './drain.ts'
import { expectedCost, spent } from './expected.ts'
import type { Finding } from './facts.ts'
import type { Gatehouse } from './gatehouse.ts'
import { affordable } from './ladder.ts'
import { gateFor, judgeLearned } from './learned.ts'
import { markRequest, readMark } from './mark.ts'
import { Ear } from './said.ts'

/** Looks into the answers to one request, and asks others about them where the rule says so. */
export class Inquiry implements Waiting {
  private readonly house: Gatehouse
  private readonly exchange: Exchange
  private readonly request: ChatRequest | undefined
  /** What is being asked besides. */
  private readonly open = new Set<Exchange>()

  constructor(house: Gatehouse, exchange: Exchange) {
    this.house = house
    this.exchange = exchange
    this.request = readRequest(exchange)
  }

  cancel(code: ErrorCode): void {
    for (const exchange of this.open) exchange.end(code)
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

  /** What is found of an answer, the costly examiners last and only where it is whole; nothing where nothing can be said of it. */
  async find(ear: Ear, target: Target, whole: boolean): Promise<readonly Finding[]> {
    const { examiners, deps } = this.house
    // A beginning without a word: it still thinks.
    if (ear.lost || ear.said.length === 0 || (!whole && ear.tokens === 0)) return []
    const findings = [...(await examiners.cheap(ear, { request: this.request, schemas: deps.schemas }, whole))]
    if (!whole) return findings
    const costly = [() => this.judge(ear, target), () => this.compare(ear, target, findings), () => this.mark(ear)]
    for (const examine of costly) {
      if (findings.some(({ failed }) => failed)) break
      const found = await examine()
      if (found) findings.push(found)
    }
    return findings
  }

  /** What a trained gate says; nothing where there is none for the target. Without the artefact no cheap answer is trusted. */
  private async judge(ear: Ear, target: Target): Promise<Finding | undefined> {
    const { gate, deps } = this.house
    const { learned, agreement: others } = gate
    const [said] = ear.said
    // It has learnt from words.
    if (!learned || !said || ear.said.length > 1 || said.calls.length > 0 || said.media) return undefined
    if ('fault' in learned) return { check: 'Learned', failed: true, detail: learned.fault }
    const trained = gateFor(learned, target.model.name, others?.by?.model.name)
    if (!trained) return undefined
    const second = trained.second !== undefined && others?.by ? await this.ask(others.by, ear) : undefined
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

  /** Whether others come to the same; nothing where the answer comes to nothing short, or where a trained gate has taken that in. */
  private async compare(ear: Ear, target: Target, so: readonly Finding[]): Promise<Finding | undefined> {
    const { agreement: config, learned } = this.house.gate
    const text = ear.said[0]?.text ?? ''
    if (!config || ear.said.length !== 1 || answerKey(text) === '') return undefined
    const by = config.by ?? target
    const judged = learned && !('fault' in learned) && so.some(({ check }) => check === 'Learned')
    if (judged && gateFor(learned, target.model.name, config.by?.model.name)?.second !== undefined) return undefined
    const others = await Promise.all(Array.from({ length: config.samples - 1 }, () => this.ask(by, ear)))
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
    const score = readMark((await this.ask(judge.by, ear, asking)) ?? '')
    if (score === undefined) return undefined
    const failed = score < judge.bar
    return { check: 'Judge', failed, ...(failed ? { detail: 'the judge gave too low a mark' } : {}), score }
  }

  /** What a target says besides, to the same request or to `asking`; undefined where it says nothing, or is not to be asked. */
  private async ask(target: Target, { output }: Ear, asking?: Exchange): Promise<string | undefined> {
    const { house, exchange, open } = this
    const { gate, deps, next } = house
    if (exchange.over || obstacle(target, deps.now()) !== undefined) return undefined
    if (gate.budget?.most !== undefined) {
      const cost = expectedCost(exchange, target, output)
      if (!affordable(gate.budget.most, spent(exchange, target, output), cost)) return undefined
    }
    const side = asking ?? exchange.fork()
    side.candidates = [target]
    side.opening = asking ? 'judge' : 'agreement'
    side.ear = new Ear(false)
    open.add(side)
    try {
      const whole = await drain(await next(side))
      return whole ? side.ear?.said[0]?.text : undefined
    } catch {
      // That it failed is in `attempts`; the answer is what it was.
      return undefined
    } finally {
      open.delete(side)
    }
  }
}

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
