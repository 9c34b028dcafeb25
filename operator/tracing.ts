import { SpanStatusCode, trace } from '@opentelemetry/api'

/** Starts OpenTelemetry where an OTLP endpoint is set, as its SDK reads the environment; resolves with what ends it. */
export async function startTracing(env: NodeJS.ProcessEnv): Promise<() => Promise<void>> {
  if (!env['OTEL_EXPORTER_OTLP_ENDPOINT'] && !env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']) return async () => {}
  // Loaded only where it is used: it weighs tens of MB.
  const { NodeSDK } = await import('@opentelemetry/sdk-node')
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
  const sdk = new NodeSDK({
    serviceName: env['OTEL_SERVICE_NAME'] ?? 'tradewind-operator',
    traceExporter: new OTLPTraceExporter(),
    autoDetectResources: false,
  })
  sdk.start()
  return () => sdk.shutdown()
}

const tracer = trace.getTracer('tradewind-operator')

/** Runs `work` in a span, within the one that is active. Where tracing is off it costs next to nothing. */
export function span<T>(name: string, work: () => T): T {
  return tracer.startActiveSpan(name, (active) => {
    try {
      return work()
    } catch (error) {
      active.recordException(error instanceof Error ? error : String(error))
      active.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      active.end()
    }
  })
}
