import type { Deps, Due } from '../deps.ts'
import type { ErrorCode, Failure } from '../errors.ts'
import type { Exchange, Reply, Waiting, Why } from '../exchange.ts'
import { asFailure } from '../layers/errors.ts'
import { isCovered } from '../layers/fallback.ts'
import type { Handler } from '../pipeline.ts'
import type { Operation } from '../surfaces/surface.ts'
import type { Rule, Target } from '../target.ts'
import type { Times } from './times.ts'

/** Asking twice changes nothing and costs little: not so for images and sound, nor for what is passed through unknown. */
export const TWICE: ReadonlySet<Operation> = new Set([
  'chat',
  'completions',
  'responses',
  'embeddings',
  'rerank',
  'moderations',
  'count_tokens',
])

interface Parts {
  readonly rule: Rule
  readonly next: Handler
  readonly deps: Deps
  readonly exchange: Exchange
  /** Hears how long targets took, or that they took at least so long. */
  readonly times: Times
  /** ms; undefined: there is no second target. */
  readonly after: number | undefined
  /** Why the second target is asked. */
  readonly why: Why
  /** The second target, once it is time; undefined: none is asked. */
  readonly second: () => Target | undefined
}

/** One target that has been asked. */
interface Run {
  readonly fork: Exchange
  readonly target: Target
  readonly started: number
  failure: Failure | undefined
}

/** One request that may be asked of two targets: the first good answer wins. Each has an exchange of its own; the winner's becomes the caller's. */
export class Race implements Waiting, Due {
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
    const { exchange, deps, second: next } = this.parts
    deps.deadlines.remove(this)
    const second = this.over ? undefined : next()
    if (!second) return
    exchange.hedged = second
    this.ask(second)
  }

  cancel(code: ErrorCode): void {
    for (const { fork } of this.runs) fork.end(code)
  }

  // What becomes of the targets.

  private ask(target: Target): void {
    const { exchange, next, deps, why } = this.parts
    const fork = exchange.fork()
    fork.target = target
    if (this.runs.length > 0) fork.why = why
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
}
