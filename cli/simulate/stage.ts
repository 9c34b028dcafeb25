import { Memories } from '../../core/bandits/memory.ts'
import { Bytes } from '../../core/bytes.ts'
import { costOf } from '../../core/cost.ts'
import type { Decision } from '../../core/decide/decision.ts'
import type { Deps } from '../../core/deps.ts'
import { Failure as Refusal } from '../../core/errors.ts'
import { estimateTokens } from '../../core/estimate.ts'
import { Exchange } from '../../core/exchange.ts'
import type { AttemptFacts } from '../../core/exchange.ts'
import { asFailure } from '../../core/layers/errors.ts'
import { routeByModel } from '../../core/layers/route.ts'
import { seeded } from '../../core/learning/random.ts'
import type { Handler, Prepared } from '../../core/pipeline.ts'
import { fixedPaths } from '../../core/surfaces/index.ts'
import type { Rule, Target } from '../../core/target.ts'
import { NO_USAGE } from '../../core/usage.ts'
import type { Usage } from '../../core/usage.ts'
import type { Configuration } from '../../sidecar/config.ts'
import { newFacts, readDoor } from '../../sidecar/door.ts'
import { schemas } from '../../sidecar/schemas.ts'
import { configured } from '../configured.ts'
import type { Pod } from '../configured.ts'
import { Failure } from '../failure.ts'
import type { Known, Row } from './rows.ts'

/** What came of one request. Money in picodollars, times in ms. */
export interface Played {
  readonly row: Row
  readonly rule: Rule
  /** Of the answer that the caller got. */
  readonly target: Target
  readonly quality: number
  readonly cost: number
  readonly ms: number
  readonly escalations: number
  readonly attempts: number
  readonly reason: string
  readonly task: string
  readonly decision: Decision | undefined
}

/** By target's model: what the data set calls it. */
export type Names = ReadonlyMap<string, string>

/** A request comes every so often, ms. */
const INTERVAL = 100
const CHAT = '/v1/chat/completions'
/** An answer of which nothing is said but its quality, tokens. */
const ANSWER = 256

/**
 * A configuration of a directory on which requests are played: through the layers of the sidecar, with its own clock and seeded chance, and
 * the answers of a data set in the place of calls. Nothing is connected to.
 */
export class Stage {
  private clock = 0
  /** Now: prices and certificates are those of today. */
  private readonly epoch = Date.now()
  private readonly deps: Deps
  private readonly memories: Memories
  private readonly names: Names
  private readonly rows = new Map<string, Row>()
  private readonly handlers = new WeakMap<Prepared, Handler>()
  private played = 0
  private configuration: Configuration | undefined

  private constructor(names: Names, seed: number) {
    this.names = names
    let made = 0
    this.memories = new Memories(() => `simulated-${++made}`)
    this.deps = {
      now: () => this.clock,
      wall: () => this.epoch + this.clock,
      random: seeded(seed),
      sleep: async (ms) => {
        this.clock += ms
      },
      // Nothing is silent here, so that no deadline passes.
      deadlines: { add: () => {}, remove: () => {} },
      telemetry: {
        decisions: true,
        attemptStarted: () => undefined,
        attemptEnded: () => {},
        exchangeStarted: () => {},
        exchangeEnded: () => {},
      },
      memories: this.memories,
      schemas,
    }
  }

  /** Throws `Failure` where the directory cannot be read. */
  static async of(directory: string, pod: Pod, names: Names, seed: number): Promise<Stage> {
    const stage = new Stage(names, seed)
    stage.configuration = await configured(directory, pod, stage.deps, simulatedSecrets)
    return stage
  }

  close(): void {
    this.configuration?.close()
  }

  /** The model that callers ask for where it is not said: that of the only route. Throws `Failure` where there are several. */
  get model(): string {
    const names = [...(this.runtime.table.models.keys() ?? [])]
    const [only] = names
    if (only !== undefined && names.length === 1) return only
    throw new Failure(
      `The routes have ${names.length} models (${names.join(', ')}): say by --model which one is asked for.`,
    )
  }

  /** The rule of a request, without playing it. Throws `Failure`. */
  ruleOf(row: Row, model: string): Rule {
    return this.find(this.exchange(row, model)).rule
  }

  /** Plays one request. Rewards strategies that learn with the quality that it had. Throws `Failure` where it is not answered. */
  async play(row: Row, model: string): Promise<Played> {
    this.clock += INTERVAL
    const exchange = this.exchange(row, model)
    const { rule, entry } = this.find(exchange)
    this.rows.set(exchange.facts.requestId, row)
    const started = this.clock
    try {
      await this.handler(entry)(exchange)
    } catch (error) {
      throw new Failure(`Request ${row.id} gets an error: ${asFailure(error).message}`)
    } finally {
      this.rows.delete(exchange.facts.requestId)
    }
    const { target, facts } = exchange
    const answer = target && this.answer(row, target)
    if (!target || !answer) throw new Error('what was answered has a target')
    this.memories.reward(facts.requestId, answer.quality, this.clock)
    return {
      row,
      rule,
      target,
      quality: answer.quality,
      cost: facts.attempts.reduce((sum, { cost = 0 }) => sum + cost, 0),
      ms: this.clock - started,
      escalations: facts.gate?.escalations ?? 0,
      attempts: facts.attempts.length,
      reason: facts.reason,
      task: exchange.signals.task,
      decision: facts.decision,
    }
  }

  /** Decides about a request without asking anybody. Throws `Failure`. */
  async decide(row: Row, model: string): Promise<Decision | undefined> {
    this.clock += INTERVAL
    const exchange = this.exchange(row, model)
    const { entry } = this.find(exchange)
    const last = () => Promise.reject(new Refusal('upstream_refused'))
    await entry
      .through(last)(exchange)
      .catch(() => {})
    return exchange.facts.decision
  }

  /** The header that the route of a model reads tiers from, in lower case; undefined where it reads none. */
  tierHeader(model: string): string | undefined {
    const { table } = this.runtime
    return table.has(model) ? table.routeOf(model).rules[0]?.rule.caller?.tier?.header : undefined
  }

  /** What the data set has of a target's answer; undefined: nothing. */
  answer(row: Row, { model: { name } }: Target): Known | undefined {
    return row.models.get(this.names.get(name) ?? name)
  }

  /** What a target would take for it, picodollars. Throws `Failure` where it has no price. */
  price(row: Row, target: Target): number {
    const answer = this.answer(row, target)
    const price = target.model.pricing(target.model.name, this.deps.wall())
    const cost = answer && price && costOf(usageOf(row, answer), price)
    if (cost === undefined)
      throw new Failure(`${target.id} has no price: say one in its endpoint (spec.models[].price).`)
    return cost
  }

  private get runtime() {
    const runtime = this.configuration?.runtime
    if (!runtime) throw new Error('a configuration that is not refused has a runtime')
    return runtime
  }

  private exchange(row: Row, asked: string): Exchange {
    const place = fixedPaths.get(CHAT)
    if (!place) throw new Error('chats have a path')
    const body = new Bytes([Buffer.from(JSON.stringify({ model: row.model ?? asked, messages: row.messages }))])
    const headers = Object.entries({
      'content-type': 'application/json',
      ...row.headers,
      'x-request-id': `s${++this.played}`,
    }).flat()
    const incoming = { ...place, method: 'POST', query: '', headers, body }
    return new Exchange(incoming, newFacts(incoming, readDoor(headers), this.clock, this.deps.wall()))
  }

  private find(exchange: Exchange): { readonly rule: Rule; readonly entry: Prepared } {
    const { table } = this.runtime
    try {
      const entry = routeByModel(table, exchange)
      const found = table.routeOf(exchange.model).rules.find((it) => it.entry === entry)
      if (found) return { rule: found.rule, entry }
    } catch (error) {
      throw new Failure(asFailure(error).message)
    }
    throw new Failure(`Requests for ${exchange.model} are passed through: there is nothing to simulate.`)
  }

  /** The rule's layers around the data set, built once: a rule's sequence lives in them. */
  private handler(entry: Prepared): Handler {
    let handler = this.handlers.get(entry)
    if (!handler) this.handlers.set(entry, (handler = entry.through((exchange) => this.call(exchange))))
    return handler
  }

  /** In the place of the call of an address: the answer that the data set has. */
  private async call(exchange: Exchange): ReturnType<Handler> {
    const { target, rule, facts, why, ear } = exchange
    const row = this.rows.get(facts.requestId)
    if (!target || !rule || !row) throw new Error('a call has a target, a rule and a row')
    const answer = this.answer(row, target)
    if (!answer) throw new Refusal('upstream_error', { detail: `The data set has no answer of ${target.id}.` })
    const started = this.clock
    this.clock += answer.ms
    const usage = usageOf(row, answer)
    const price = target.model.pricing(target.model.name, this.deps.wall())
    const attempt: AttemptFacts = {
      route: rule.route,
      rule: rule.name,
      endpoint: target.endpoint.name,
      model: target.model.name,
      address: '',
      why,
      started,
      firstByte: this.clock,
      ended: this.clock,
      status: 200,
      code: undefined,
      usage,
      cost: price && costOf(usage, price),
      span: undefined,
    }
    facts.attempts.push(attempt)
    facts.endpoint = attempt.endpoint
    facts.model = attempt.model
    facts.usage = usage
    facts.finishReason = 'stop'
    ear?.begin()
    if (answer.text === undefined) ear?.lose()
    else
      ear?.hear([
        { type: 'text', choice: 0, text: answer.text },
        { type: 'finish', choice: 0, reason: 'stop' },
      ])
    return { status: 200, headers: [], body: Buffer.alloc(0) }
  }
}

/** What is not said is estimated by the text. */
function usageOf(row: Row, { input, output, text }: Known): Usage {
  const asked = () =>
    row.messages.reduce((sum, { content }) => sum + estimateTokens(typeof content === 'string' ? content : ''), 0)
  return {
    ...NO_USAGE,
    input: input ?? asked(),
    output: output ?? (text === undefined ? ANSWER : estimateTokens(text)),
  }
}

/** Credentials are asked for by manifests, and by nobody here. */
const simulatedSecrets: NodeJS.ProcessEnv = new Proxy(process.env, {
  get: (real, name) =>
    typeof name === 'string' ? (real[name] ?? (/^[A-Z]\w*$/.test(name) ? 'simulated' : undefined)) : undefined,
})
