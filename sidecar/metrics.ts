import type { AuditOutcome, AuditRecord } from '../core/audit/record.ts'
import type { ErrorCode } from '../core/errors.ts'
import { Sketch } from '../core/evidence/sketch.ts'
import type { AttemptFacts, Facts, Rescued, Why } from '../core/exchange.ts'
import type { FaultType } from '../core/faults/fault.ts'
import type { Outcome } from '../core/feedback/desk.ts'
import type { Examiner, GatedAnswer, GateFacts, GateReason } from '../core/gate/facts.ts'
import type { MirrorRecord } from '../core/mirror/record.ts'
import type { Operation } from '../core/surfaces/surface.ts'
import type { Usage } from '../core/usage.ts'
import { Histogram } from './histogram.ts'

/** Bounds as the semantic conventions ask for them: seconds, and tokens. */
const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const FIRST_TOKEN = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const PER_TOKEN = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864]

/** What is counted of the answers to callers, of one combination of labels. */
export interface Answers {
  readonly operation: Operation
  readonly status: number
  readonly code: ErrorCode | undefined
  readonly stream: boolean
  count: number
}

export interface Durations {
  readonly operation: Operation
  readonly code: ErrorCode | undefined
  readonly seconds: Histogram
}

export interface Tried {
  readonly why: Why
  readonly code: ErrorCode | undefined
  count: number
}

/** Answers that a gate looked at, by the check that found them wanting; undefined: none did. `escalated`: those for which a stronger target was asked. */
export interface Examined {
  readonly check: Examiner | undefined
  count: number
  escalated: number
}

/** Requests behind a gate, by why their answer was given. */
export interface Gated {
  readonly reason: GateReason
  readonly direct: GateFacts['direct']
  count: number
}

/** Requests that were drawn to be answered by both models, by what came of it. */
export interface Audited {
  readonly kind: AuditRecord['kind']
  readonly outcome: AuditOutcome
  count: number
}

/** What a feedback says: better or worse than half; neither, or nothing of the kind; or something that nobody was asked for. */
export type Verdict = 'good' | 'bad' | 'neutral' | 'implicit'

/** Of one operation. */
export interface Generation {
  readonly operation: Operation
  readonly input: Histogram
  readonly output: Histogram
  readonly firstToken: Histogram
  readonly perToken: Histogram
}

/**
 * What is counted of one target of one rule. Plain numbers that the hot path finds by a few look-ups and adds to; they become metrics when
 * somebody asks for those. Names are of the configuration, so that callers cannot make up new ones.
 */
export class TargetCounts {
  readonly route: string
  readonly rule: string
  /** Empty, as the model is, for requests that no target was asked for. */
  readonly endpoint: string
  readonly model: string
  readonly answers: Answers[] = []
  readonly durations: Durations[] = []
  readonly tried: Tried[] = []
  /** Answers that stopped after their first byte, by what became of them. */
  readonly rescues: Record<Rescued, number> = { continued: 0, replayed: 0, failed: 0 }
  readonly examined: Examined[] = []
  readonly gated: Gated[] = []
  readonly audited: Audited[] = []
  /** Requests that were drawn to be sent to it as well, by what came of them. */
  readonly mirrored = new Map<MirrorRecord['outcome'], number>()
  /** Of its answers to them, those that came to the same as the caller's, and to something else. */
  readonly agreed = { same: 0, other: 0 }
  /** Picodollars that mirroring to it has cost at most. */
  mirrorSpent = 0
  /** What was injected into calls of it on purpose. */
  readonly injected = new Map<FaultType, number>()
  /** How often audits of its answers have spoken against a promise. */
  alarms = 0
  /** What callers said of its answers. */
  readonly feedback: Record<Verdict, number> = { good: 0, bad: 0, neutral: 0, implicit: 0 }
  readonly generations: Generation[] = []
  readonly tokens = {
    input: 0,
    output: 0,
    cached: 0,
    cacheWrite: 0,
    reasoning: 0,
    audioInput: 0,
    audioOutput: 0,
    imageInput: 0,
    imageOutput: 0,
  }
  /** Of those, the ones of calls that were ended since another answer was given. */
  readonly wasted = { input: 0, output: 0 }
  /** Picodollars of the attempts whose price is known, and how many used something without one. */
  cost = 0
  unpriced = 0
  /** Attempts that ended, and those of them that failed. */
  requests = 0
  errors = 0
  /** How long callers waited for its answers, ms, since the operator was last told. */
  latency = new Sketch()

  constructor(route: string, rule: string, endpoint: string, model: string) {
    this.route = route
    this.rule = rule
    this.endpoint = endpoint
    this.model = model
  }

  answered({ operation, status, code, stream, rescue, gate, started, ended }: Facts): void {
    let answers = this.answers.find(
      (it) => it.status === status && it.code === code && it.operation === operation && it.stream === stream,
    )
    if (!answers) this.answers.push((answers = { operation, status, code, stream, count: 0 }))
    answers.count++
    let durations = this.durations.find((it) => it.code === code && it.operation === operation)
    if (!durations) this.durations.push((durations = { operation, code, seconds: new Histogram(SECONDS) }))
    durations.seconds.observe((ended - started) / 1000)
    this.latency.add(ended - started)
    if (rescue !== undefined) this.rescues[rescue]++
    if (gate) this.gatedBy(gate)
  }

  /** An answer of this target was looked at. */
  examine({ findings }: GatedAnswer, escalated: boolean): void {
    const check = findings.find(({ failed }) => failed)?.check
    let examined = this.examined.find((it) => it.check === check)
    if (!examined) this.examined.push((examined = { check, count: 0, escalated: 0 }))
    examined.count++
    if (escalated) examined.escalated++
  }

  /** An answer of this target was drawn to be compared. */
  audit({ kind, outcome, verdict }: AuditRecord): void {
    let audited = this.audited.find((it) => it.kind === kind && it.outcome === outcome)
    if (!audited) this.audited.push((audited = { kind, outcome, count: 0 }))
    audited.count++
    if (verdict?.alarm) this.alarms++
  }

  /** A request was drawn to be sent to this target as well. */
  mirror({ outcome, pair, spent }: MirrorRecord): void {
    this.mirrored.set(outcome, (this.mirrored.get(outcome) ?? 0) + 1)
    if (pair?.alike !== undefined) this.agreed[pair.alike === 1 ? 'same' : 'other']++
    this.mirrorSpent += spent
  }

  private gatedBy({ reason, direct }: GateFacts): void {
    let gated = this.gated.find((it) => it.reason === reason && it.direct === direct)
    if (!gated) this.gated.push((gated = { reason, direct, count: 0 }))
    gated.count++
  }

  attempted(
    { operation, stream }: Facts,
    { why, code, usage, cost, started, firstByte, ended, injected }: AttemptFacts,
  ): void {
    if (injected) for (const type of injected) this.injected.set(type, (this.injected.get(type) ?? 0) + 1)
    // What nobody waited for is no part of how requests were shared out, nor of how they fared.
    if (why !== 'mirror') this.requests++
    if (why !== 'mirror' && code !== undefined && code !== 'client_closed') this.errors++
    let tried = this.tried.find((it) => it.why === why && it.code === code)
    if (!tried) this.tried.push((tried = { why, code, count: 0 }))
    tried.count++
    if (cost !== undefined) this.cost += cost
    else if (usage) this.unpriced++
    if (usage && (code === 'hedge_lost' || code === 'escalated')) {
      this.wasted.input += usage.input
      this.wasted.output += usage.output
    }
    if (!usage && !(stream && firstByte > 0)) return
    const generation = this.generation(operation)
    if (usage) this.used(generation, usage)
    if (!stream || firstByte === 0 || code !== undefined || why === 'mirror') return
    generation.firstToken.observe((firstByte - started) / 1000)
    if (usage && usage.output > 1) generation.perToken.observe((ended - firstByte) / 1000 / (usage.output - 1))
  }

  private generation(operation: Operation): Generation {
    let generation = this.generations.find((it) => it.operation === operation)
    if (!generation) {
      const [input, output] = [new Histogram(TOKENS), new Histogram(TOKENS)]
      const [firstToken, perToken] = [new Histogram(FIRST_TOKEN), new Histogram(PER_TOKEN)]
      this.generations.push((generation = { operation, input, output, firstToken, perToken }))
    }
    return generation
  }

  private used(generation: Generation, usage: Usage): void {
    const { input, output, cached, reasoning } = usage
    generation.input.observe(input)
    if (output > 0) generation.output.observe(output)
    const { tokens } = this
    tokens.input += input
    tokens.output += output
    tokens.cached += cached
    tokens.cacheWrite += usage.cacheWrite + usage.cacheWrite1h
    tokens.reasoning += reasoning
    tokens.audioInput += usage.audioInput
    tokens.audioOutput += usage.audioOutput
    tokens.imageInput += usage.imageInput
    tokens.imageOutput += usage.imageOutput ?? 0
  }
}

type Tree = Map<string, Map<string, Map<string, Map<string, TargetCounts>>>>

/** All counts of the sidecar. */
export class Metrics {
  private readonly tree: Tree = new Map()

  /** An attempt has ended. */
  attemptEnded(facts: Facts, attempt: AttemptFacts): void {
    this.of(attempt.route, attempt.rule, attempt.endpoint, attempt.model).attempted(facts, attempt)
  }

  /** An exchange has ended: it counts for the target that gave the answer, or was asked last. */
  exchangeEnded(facts: Facts): void {
    const last = answeredBy(facts)
    this.of(facts.route, facts.rule, last?.endpoint ?? '', last?.model ?? '').answered(facts)
    const { gate, route, rule } = facts
    // Each escalation follows an answer that was looked at.
    for (const [at, answer] of gate?.answers.entries() ?? [])
      this.of(route, rule, answer.endpoint, answer.model).examine(answer, at < (gate?.escalations ?? 0))
  }

  /** A request was answered by both models. */
  audited(record: AuditRecord): void {
    const [endpoint, model] = partsOf(record.own)
    this.of(record.route, record.rule, endpoint, model).audit(record)
  }

  /** A request was drawn to be sent to a candidate as well. */
  mirrored(record: MirrorRecord): void {
    const [endpoint, model] = partsOf(record.target)
    this.of(record.route, record.rule, endpoint, model).mirror(record)
  }

  /** Somebody has said what they think of an answer. */
  fedBack({ known, feedback, implicit }: Outcome): void {
    const { route = '', rule = '', target = '' } = known ?? {}
    const [endpoint, model] = partsOf(target)
    const reward = feedback?.reward ?? 0.5
    const verdict = implicit ? 'implicit' : reward > 0.5 ? 'good' : reward < 0.5 ? 'bad' : 'neutral'
    this.of(route, rule, endpoint, model).feedback[verdict]++
  }

  *targets(): Generator<TargetCounts> {
    for (const rules of this.tree.values())
      for (const endpoints of rules.values())
        for (const models of endpoints.values()) for (const counts of models.values()) yield counts
  }

  /** Lets go of the counts of routes that are no more. */
  retain(routes: { has(route: string): boolean }): void {
    for (const route of this.tree.keys()) if (route !== '' && !routes.has(route)) this.tree.delete(route)
  }

  private of(route: string, rule: string, endpoint: string, model: string): TargetCounts {
    const models = branch(branch(branch(this.tree, route), rule), endpoint)
    let counts = models.get(model)
    if (!counts) models.set(model, (counts = new TargetCounts(route, rule, endpoint, model)))
    return counts
  }
}

/** The attempt that gave the answer, or the last. A gate may have asked others after it. */
function answeredBy({ attempts, gate, endpoint, model }: Facts): AttemptFacts | undefined {
  const is = (it: AttemptFacts) =>
    it.code === undefined && it.endpoint === endpoint && (it.model === model || it.model === '*')
  return (gate && attempts.findLast(is)) ?? attempts.at(-1)
}

/** Endpoint and model of a target's id. */
function partsOf(target: string): readonly [endpoint: string, model: string] {
  const space = target.indexOf(' ')
  return space < 0 ? [target, ''] : [target.slice(0, space), target.slice(space + 1)]
}

function branch<K, B>(map: Map<string, Map<K, B>>, key: string): Map<K, B> {
  let found = map.get(key)
  if (!found) map.set(key, (found = new Map<K, B>()))
  return found
}
