import { obstacle } from '../availability.ts'
import type { Deps, Due } from '../deps.ts'
import type { ErrorCode, Failure } from '../errors.ts'
import type { Exchange, Reply, Waiting } from '../exchange.ts'
import { Latest } from '../hedging/latest.ts'
import { Share } from '../hedging/share.ts'
import type { Handler, Layer } from '../pipeline.ts'
import type { Operation } from '../surfaces/surface.ts'
import type { Rule, Target } from '../target.ts'
import { asFailure } from './errors.ts'
import { isCovered } from './fallback.ts'

/** Asking twice changes nothing and costs little: not so for images and sound, nor for what is passed through unknown. */
const HEDGED: ReadonlySet<Operation> = new Set([
  'chat',
  'completions',
  'responses',
  'embeddings',
  'rerank',
  'moderations',
  'count_tokens',
])

/**
 * Asks a second target besides the first when that has not given a first token (or a whole answer) in the time that the rule gives it, or that
 * 95 of 100 of its latest answers took (Dean and Barroso, The Tail at Scale, CACM 2013). The first good one is the answer, the other call ends
 * at once. Within a share of the requests, and only on targets that would be asked anyway.
 */
export const hedge: Layer<Rule> = (rule, deps) => (next) => {
  const { hedge: config } = rule
  if (!config || rule.targets.length < 2) return next
  const share = new Share(config.percent)
  const times = new Times()
  return (exchange) => {
    const { target, facts } = exchange
    // One answer that is gone on with has one writer.
    if (!target || exchange.resume || !HEDGED.has(facts.operation)) return next(exchange)
    share.request()
    const after = config.after ?? times.of(target, facts.stream).p95
    return new Hedging({ rule, next, deps, exchange, share, times, after }).run(target)
  }
}

/** Latencies by target, those of streams apart. */
class Times {
  private readonly known = new Map<Target, readonly [whole: Latest, stream: Latest]>()

  of(target: Target, stream: boolean): Latest {
    let pair = this.known.get(target)
    if (!pair) this.known.set(target, (pair = [new Latest(), new Latest()]))
    return pair[stream ? 1 : 0]
  }
}

interface Parts {
  readonly rule: Rule
  readonly next: Handler
  readonly deps: Deps
  readonly exchange: Exchange
  readonly share: Share
  readonly times: Times
  /** ms; undefined: there is no second target yet. */
  readonly after: number | undefined
}

/** One target that has been asked. */
interface Run {
  readonly fork: Exchange
  readonly target: Target
  readonly started: number
  failure: Failure | undefined
}

/** One request that may be asked of two targets. Each has an exchange of its own; the winner's becomes the caller's. */
class Hedging implements Waiting, Due {
  due = Infinity
  slot = -1
  private readonly parts: Parts
  private readonly runs: Run[] = []
  private resolve: (reply: Reply) => void = () => {}
  private reject: (failure: Failure) => void = () => {}
  private won: Run | undefined
  private over = false

  constructor(parts: Parts) {
    this.parts = parts
  }

  run(target: Target): Promise<Reply> {
    const { exchange, deps, after } = this.parts
    return new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
      if (after !== undefined) {
        this.due = deps.now() + after
        deps.deadlines.add(this)
      }
      this.ask(target)
      exchange.wait(this)
    })
  }

  // What the clock and the caller's exchange say.

  expire(): void {
    const { exchange, deps, share } = this.parts
    deps.deadlines.remove(this)
    const second = this.next()
    if (this.over || !second || !share.take()) return
    exchange.hedged = second
    this.ask(second)
  }

  cancel(code: ErrorCode): void {
    for (const { fork } of this.runs) fork.end(code)
  }

  // What becomes of the targets.

  private ask(target: Target): void {
    const { exchange, next, deps } = this.parts
    const fork = exchange.fork()
    fork.target = target
    if (this.runs.length > 0) fork.why = 'hedge'
    if (fork.until === 'event') fork.until = 'token'
    const run: Run = { fork, target, started: deps.now(), failure: undefined }
    this.runs.push(run)
    next(fork).then(
      (reply) => this.answered(run, reply),
      (error: unknown) => this.failed(run, asFailure(error)),
    )
  }

  private answered(run: Run, reply: Reply): void {
    if (this.over) return run.fork.end('hedge_lost')
    const { exchange } = this.parts
    this.won = run
    this.end()
    exchange.join(run.fork)
    if (Buffer.isBuffer(reply.body)) exchange.wait(undefined)
    else reply.body.settled(() => exchange.wait(undefined))
    this.resolve(reply)
  }

  private failed(run: Run, failure: Failure): void {
    run.failure = failure
    if (this.over) return
    const { exchange, rule } = this.parts
    const others = this.runs.filter(({ failure: known }) => !known)
    // The other may still answer, unless the rule would not have asked it after this failure.
    if (others.length > 0 && (run !== this.runs[0] || isCovered(failure, rule))) return
    this.end()
    exchange.wait(undefined)
    exchange.lastAddress = run.fork.lastAddress
    this.reject(others.length > 0 ? failure : (this.runs.at(-1)?.failure ?? failure))
  }

  /** It is decided: what is still under way is needed no more. */
  private end(): void {
    const { deps, exchange, times } = this.parts
    this.over = true
    deps.deadlines.remove(this)
    const now = deps.now()
    for (const run of this.runs) {
      if (run.failure) continue
      // Of one that lost, it is known that it takes at least as long.
      times.of(run.target, exchange.facts.stream).observe(now - run.started)
      if (run !== this.won) run.fork.end('hedge_lost')
    }
  }

  /** The next target that could be asked at this moment. */
  private next(): Target | undefined {
    const { exchange, deps } = this.parts
    const { candidates, target } = exchange
    const now = deps.now()
    return candidates
      .slice(target ? candidates.indexOf(target) + 1 : 0)
      .find((it) => obstacle(it, now) === undefined && it.endpoint.load.inFlight < it.endpoint.maxInFlight)
  }
}
