import type * as Api from '@opentelemetry/api'
import type { Context, Span, SpanKind, Tracer } from '@opentelemetry/api'
import { totalCost } from '../core/cost.ts'
import type { AttemptFacts, Facts } from '../core/exchange.ts'
import type { GateFacts } from '../core/gate/facts.ts'
import { ATTRIBUTE, EVENT, OPERATION, SERVICE } from './names.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** W3C Trace Context, section 3.2: version, trace id, parent id, flags; later versions may have more to say. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/

/** A span with the context that its children are made in. */
class Recorded {
  readonly span: Span
  readonly context: Context

  constructor(span: Span, context: Context) {
    this.span = span
    this.context = context
  }
}

/** What was loaded of OpenTelemetry. */
interface Loaded {
  readonly tracer: Tracer
  readonly api: typeof Api
  readonly stop: () => Promise<void>
}

/**
 * One server span a request and one client span an attempt, with the names of the semantic conventions and never any content. Whether a
 * request is sampled is decided before anything is made for it: as the caller has decided, else by chance. Nothing of OpenTelemetry is
 * loaded unless an OTLP endpoint is configured.
 */
export class Traces {
  private loaded: Loaded | undefined
  private ratio = 0
  private readonly random: () => number
  private readonly providerOf: (endpoint: string) => string | undefined

  /** `providerOf`: the type of an endpoint's provider. */
  constructor(random: () => number, providerOf: (endpoint: string) => string | undefined) {
    this.random = random
    this.providerOf = providerOf
  }

  /** Loads the SDK where the environment names an OTLP endpoint (`OTEL_EXPORTER_OTLP_ENDPOINT`); requests before that are not sampled. */
  async start(environment: Environment, warn: (message: string) => void): Promise<void> {
    if (!environment['OTEL_EXPORTER_OTLP_ENDPOINT'] && !environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']) return
    this.ratio = ratioOf(environment['OTEL_TRACES_SAMPLER_ARG'])
    const [api, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ])
    const say = (message: string) => warn(`tracing: ${message}`)
    const logger = { error: say, warn: say, info() {}, debug() {}, verbose() {} }
    api.diag.setLogger(logger, { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true })
    const provider = new sdk.TracerProvider({
      resource: resources
        .defaultResource()
        .merge(resources.resourceFromAttributes({ 'service.name': SERVICE }))
        .merge(resources.detectResources({ detectors: [resources.envDetector] })),
      // What is to be sampled is decided by us, before a span is made.
      sampler: new sdk.AlwaysOnSampler(),
      spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
    })
    this.loaded = { api, tracer: provider.getTracer(SERVICE), stop: () => provider.shutdown() }
  }

  /** Sends what waits. */
  async stop(): Promise<void> {
    const { loaded } = this
    this.loaded = undefined
    await loaded?.stop()
  }

  exchangeStarted(facts: Facts): void {
    if (!this.loaded) return
    const parent = facts.traceparent === undefined ? null : TRACEPARENT.exec(facts.traceparent)
    const sampled = parent ? (Number.parseInt(parent[3] ?? '0', 16) & 1) === 1 : this.random() < this.ratio
    if (!sampled) return
    const { api, tracer } = this.loaded
    const [, traceId = '', spanId = ''] = parent ?? []
    const remote = { traceId, spanId, traceFlags: api.TraceFlags.SAMPLED, isRemote: true }
    const context = parent ? api.trace.setSpanContext(api.ROOT_CONTEXT, remote) : api.ROOT_CONTEXT
    const span = tracer.startSpan(
      `${facts.method} ${facts.surface === 'opaque' ? 'pass-through' : facts.path}`,
      {
        kind: api.SpanKind.SERVER,
        startTime: facts.wall,
        attributes: {
          [ATTRIBUTE.method]: facts.method,
          [ATTRIBUTE.path]: facts.path,
          [ATTRIBUTE.requestId]: facts.requestId,
          ...(facts.userAgent === undefined ? {} : { [ATTRIBUTE.userAgent]: facts.userAgent }),
        },
      },
      context,
    )
    facts.span = new Recorded(span, api.trace.setSpan(context, span))
  }

  /** The `traceparent` for the call: of its span where there is one, else the caller's own, so that its trace goes on unbroken. */
  attemptStarted(facts: Facts, attempt: AttemptFacts): string | undefined {
    const { span: parent, traceparent } = facts
    if (!(parent instanceof Recorded) || !this.loaded)
      return traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined
    const { api, tracer } = this.loaded
    const kind: SpanKind = api.SpanKind.CLIENT
    const colon = attempt.address.lastIndexOf(':')
    const operation = OPERATION[facts.operation]
    const span = tracer.startSpan(
      attempt.model === '' ? operation : `${operation} ${attempt.model}`,
      {
        kind,
        startTime: facts.wall + attempt.started - facts.started,
        attributes: {
          [ATTRIBUTE.operation]: operation,
          [ATTRIBUTE.provider]: this.providerOf(attempt.endpoint) ?? '',
          ...(attempt.model === '' ? {} : { [ATTRIBUTE.requestModel]: attempt.model }),
          [ATTRIBUTE.serverAddress]: attempt.address.slice(0, colon),
          [ATTRIBUTE.serverPort]: Number(attempt.address.slice(colon + 1)),
          [ATTRIBUTE.route]: attempt.route,
          [ATTRIBUTE.rule]: attempt.rule,
          [ATTRIBUTE.endpoint]: attempt.endpoint,
          [ATTRIBUTE.reason]: attempt.why,
        },
      },
      parent.context,
    )
    attempt.span = new Recorded(span, parent.context)
    const { traceId, spanId } = span.spanContext()
    return `00-${traceId}-${spanId}-01`
  }

  attemptEnded(facts: Facts, attempt: AttemptFacts): void {
    const { span: recorded, usage, cost, status, code, firstByte, started, ended, injected } = attempt
    if (!(recorded instanceof Recorded)) return
    const { span } = recorded
    if (status > 0) span.setAttribute(ATTRIBUTE.status, status)
    if (injected) span.setAttribute(ATTRIBUTE.injected, [...injected])
    if (usage) {
      span.setAttribute(ATTRIBUTE.inputTokens, usage.input)
      span.setAttribute(ATTRIBUTE.outputTokens, usage.output)
      if (usage.cached > 0) span.setAttribute(ATTRIBUTE.cachedTokens, usage.cached)
    }
    if (cost !== undefined) span.setAttribute(ATTRIBUTE.cost, cost / 1e12)
    if (facts.stream && firstByte > 0) span.setAttribute(ATTRIBUTE.timeToFirstChunk, (firstByte - started) / 1000)
    this.close(span, code, facts.wall + ended - facts.started)
  }

  exchangeEnded(facts: Facts): void {
    const { span: recorded } = facts
    if (!(recorded instanceof Recorded)) return
    const { span } = recorded
    const cost = totalCost(facts.attempts)
    span.setAttributes({
      [ATTRIBUTE.status]: facts.status,
      [ATTRIBUTE.attempts]: facts.attempts.length,
      [ATTRIBUTE.operation]: OPERATION[facts.operation],
      ...(facts.requestedModel === '' ? {} : { [ATTRIBUTE.requestModel]: facts.requestedModel }),
      ...(facts.route === '' ? {} : { [ATTRIBUTE.route]: facts.route, [ATTRIBUTE.rule]: facts.rule }),
      ...(facts.stream ? { [ATTRIBUTE.stream]: true } : {}),
      ...(cost === undefined ? {} : { [ATTRIBUTE.cost]: cost / 1e12 }),
      ...(facts.finishReason === undefined ? {} : { [ATTRIBUTE.finishReasons]: [facts.finishReason] }),
    })
    if (facts.gate) span.setAttributes(gateAttributes(facts.gate))
    if (facts.rescue !== undefined) span.addEvent(EVENT.rescue, { [ATTRIBUTE.rescue]: facts.rescue }, rescuedAt(facts))
    this.close(span, facts.code, facts.wall + facts.ended - facts.started)
  }

  /** The id of the trace that the request is part of, for its log line. */
  traceId({ span, traceparent }: Facts): string | undefined {
    if (span instanceof Recorded) return span.span.spanContext().traceId
    return traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1]
  }

  private close(span: Span, code: string | undefined, at: number): void {
    if (code !== undefined) {
      span.setAttribute(ATTRIBUTE.errorType, code)
      if (this.loaded) span.setStatus({ code: this.loaded.api.SpanStatusCode.ERROR, message: code })
    }
    span.end(at)
  }
}

/** When another target was first asked to go on, ms since the epoch. */
function rescuedAt({ attempts, wall, started, ended }: Facts): number {
  const first = attempts.find(({ why }) => why === 'rescue')
  return wall + (first?.started ?? ended) - started
}

/** `OTEL_TRACES_SAMPLER_ARG`, in [0, 1]; one in a hundred unless given. */
function ratioOf(text: string | undefined): number {
  const ratio = text === undefined || text === '' ? 0.01 : Number(text)
  if (!(ratio >= 0 && ratio <= 1)) throw new Error(`OTEL_TRACES_SAMPLER_ARG is ${text}; it takes a number from 0 to 1`)
  return ratio
}

function gateAttributes({ first, final, reason, direct, escalations, answers }: GateFacts): Api.Attributes {
  const failed = answers.flatMap(({ findings }) => findings.filter((finding) => finding.failed))
  return {
    [ATTRIBUTE.gateFirst]: first,
    [ATTRIBUTE.gateFinal]: final,
    [ATTRIBUTE.gateReason]: reason,
    [ATTRIBUTE.escalations]: escalations,
    [ATTRIBUTE.gateChecks]: failed.map(({ check }) => check),
    ...(direct ? { [ATTRIBUTE.gateDirect]: direct } : {}),
  }
}
