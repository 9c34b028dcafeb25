import { Attempt } from '../attempt.ts'
import { p2c } from '../balance.ts'
import { costOf } from '../cost.ts'
import type { Call, Deps, Receiver } from '../deps.ts'
import { Failure } from '../errors.ts'
import type { AttemptFacts, Exchange, Reply } from '../exchange.ts'
import { addTraceContext } from '../headers.ts'
import { drawn } from '../faults/draw.ts'
import { Tampered } from '../faults/tampered.ts'
import type { Handler } from '../pipeline.ts'
import type { Address, Endpoint, Target } from '../target.ts'
import { readRateLimits } from '../rate-limit-headers.ts'
import { isOfAccount } from '../rate-limits.ts'
import { translate } from '../translate.ts'
import type { Translated } from '../translate.ts'

/** Has the last word before a call goes out: throws where it is not to. */
export type Permit = (exchange: Exchange, outgoing: Translated) => void

/** The innermost: translates the request for its target and calls one of the target's addresses. */
export function call(deps: Deps, permit?: Permit): Handler {
  const { now, wall, deadlines, telemetry, random } = deps
  return (exchange) => {
    const { target, rule, facts, panic, why } = exchange
    if (!target || !rule) return Promise.reject(new Error('no target was set'))
    const { endpoint, model } = target
    try {
      const own = answerLocally(exchange, target)
      if (own) return Promise.resolve(own)
    } catch (error) {
      return Promise.reject(error)
    }
    const address = chooseAddress(endpoint, random, panic, exchange.lastAddress)
    if (!address) return Promise.reject(new Failure('unhealthy', { detail: target.id }))
    exchange.lastAddress = address
    const attempt: AttemptFacts = {
      route: rule.route,
      rule: rule.name,
      endpoint: endpoint.name,
      model: model.name,
      address: address.name,
      why,
      started: now(),
      firstByte: 0,
      ended: 0,
      status: 0,
      code: undefined,
      usage: undefined,
      cost: undefined,
      injected: undefined,
      span: undefined,
    }
    let translated: Translated
    try {
      translated = translate(exchange, target, now)
      permit?.(exchange, translated)
    } catch (error) {
      return Promise.reject(error)
    }
    const { call: outgoing, answering } = translated
    facts.attempts.push(attempt)
    addTraceContext(outgoing.headers, telemetry.attemptStarted(facts, attempt), facts.tracestate)
    facts.endpoint = endpoint.name
    facts.model = translated.model
    facts.dropped = translated.dropped
    // What nobody waits for says nothing of where callers fare best.
    const balanced = endpoint.addresses.length > 1 && why !== 'mirror'
    const context = {
      now,
      wall,
      deadlines,
      head: (headers: readonly string[]) => learn(target, headers, wall),
      ended: (ended: AttemptFacts) => {
        if (balanced) account(address, ended)
        const price = ended.usage && model.pricing(translated.model, wall())
        if (ended.usage && price) ended.cost = costOf(ended.usage, price)
        telemetry.attemptEnded(facts, ended)
      },
    }
    if (balanced) address.ewma.start()
    const faults = rule.faults ? drawn(exchange, target, rule.faults, deps) : []
    const called =
      faults.length === 0
        ? address
        : {
            call: (it: Call, receiver: Receiver) => new Tampered(faults, attempt, receiver, deps).start(address, it),
          }
    return new Attempt(exchange, target, attempt, answering, context).start(called, outgoing)
  }
}

/** The answer to what the target has no word for, and we have: nothing is asked of anybody. */
function answerLocally(exchange: Exchange, { endpoint, model }: Target): Reply | undefined {
  const { surface, facts, found, fields } = exchange
  const { provider, settings } = endpoint
  if (!surface.local || !fields || provider.opaque) return undefined
  const name = model.name === '*' ? facts.requestedModel : model.name
  if (provider.native(surface.name, name, facts.stream, settings, found)) return undefined
  const { body, headers = [] } = surface.local(exchange.json)
  facts.endpoint = endpoint.name
  facts.model = name
  return {
    status: 200,
    headers: ['content-type', 'application/json', ...headers],
    body: Buffer.from(JSON.stringify(body)),
  }
}

/** Keeps in mind what is left of the target's rate limits. */
function learn({ endpoint, model }: Target, headers: readonly string[], wall: () => number): void {
  if (model.state.limits.settled || endpoint.limits.settled) return
  for (const reading of readRateLimits(headers, wall))
    (isOfAccount(reading.kind) ? endpoint.limits : model.state.limits).observe(reading)
}

/** The better of two drawn at random; not the one that has just failed this request, nor one whose checks fail, where there are others. */
export function chooseAddress(
  { addresses }: Endpoint,
  random: () => number,
  panic: boolean,
  last: Address | undefined,
): Address | undefined {
  if (addresses.length === 1) return addresses[0]
  return (
    p2c(addresses, random, (address) => !address.healthy || address === last) ??
    p2c(addresses, random, (address) => !address.healthy) ??
    (panic ? p2c(addresses, random) : undefined)
  )
}

/** What a failure counts as in the balance among addresses, at least, ms: failing fast must attract nothing. */
const PENALTY = 5000

function account({ ewma }: Address, { code, started, firstByte, ended }: AttemptFacts): void {
  ewma.end()
  if (code === 'client_closed' || code === 'request_timeout') return
  const took = (firstByte || ended) - started
  ewma.observe(code === undefined ? took : Math.max(PENALTY, took))
}
