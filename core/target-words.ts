import { credentialsOf, headersWithout, withoutCredentials } from './credential.ts'
import { Failure } from './errors.ts'
import type { AttemptFacts, Exchange } from './exchange.ts'
import { answerHeadersOf, lower } from './headers.ts'
import type { Fault } from './judge.ts'
import type { Target } from './target.ts'

/** Of a target's words about an error inside an answer no more is said than this, characters. */
const MOST = 500

/** What a target says, as it may be told: its name is said with it, and no credential that the target was sent is in it. */
export class TargetWords {
  private readonly exchange: Exchange
  private readonly target: Target
  private readonly facts: AttemptFacts

  constructor(exchange: Exchange, target: Target, facts: AttemptFacts) {
    this.exchange = exchange
    this.target = target
    this.facts = facts
  }

  /** The target's headers that go on to the caller; `good`: of an answer of an API that we know. */
  passedOn(headers: readonly string[], good = true): string[] {
    return headersWithout(answerHeadersOf(headers, good), this.credentials)
  }

  /** The headers of an answer that is said anew, as that content type. */
  saidAnew(headers: readonly string[], type = ''): string[] {
    const passed = this.passedOn(headers)
    const at = passed.findIndex((name, i) => i % 2 === 0 && lower(name) === 'content-type')
    if (at >= 0) passed.splice(at, 2)
    passed.push('content-type', type)
    return passed
  }

  /** The body of an error; `cut`: not all of it is there. */
  ofError(body: Buffer, cut: boolean): Buffer {
    return withoutCredentials(body, this.credentials, cut)
  }

  failureOf({ code, detail, retryAfter }: Fault): Failure {
    // Cut only once no credential is in them, of which half would stay.
    const said = withoutCredentials(Buffer.from(detail), this.credentials).toString().slice(0, MOST)
    return new Failure(code, { detail: this.named(said), retryAfter })
  }

  /** Names the target, for the words of an error, and what was done to it on purpose. */
  named(detail = ''): string {
    const { injected } = this.facts
    const who = injected ? `${this.target.id}, ${injected.join(' and ')} injected` : this.target.id
    return `${detail}${detail ? ' ' : ''}(${who})`
  }

  /** The endpoint's own, or the caller's, which no log is to keep. */
  private get credentials(): readonly string[] {
    return credentialsOf(this.target.endpoint, (name) => this.exchange.header(name))
  }
}
