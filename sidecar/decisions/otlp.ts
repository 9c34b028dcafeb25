import type { ReadableLogRecord } from '@opentelemetry/sdk-logs'
import { ATTRIBUTE, EVENT, SERVICE } from '../names.ts'

/** Sends lines as log records by OTLP over HTTP, with what the environment says of it (`OTEL_EXPORTER_OTLP_…`). Nothing is loaded before `load`. */
export class OtlpLogs {
  private loaded: Promise<(lines: readonly string[]) => Promise<void>> | undefined
  private shutdown: () => Promise<void> = () => Promise.resolve()

  /** Rejects where they were not taken. */
  async write(lines: readonly string[]): Promise<void> {
    this.loaded ??= this.load()
    return (await this.loaded)(lines)
  }

  async close(): Promise<void> {
    await this.shutdown()
  }

  private async load(): Promise<(lines: readonly string[]) => Promise<void>> {
    const [api, { OTLPLogExporter }, resources] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/exporter-logs-otlp-http'),
      import('@opentelemetry/resources'),
    ])
    const exporter = new OTLPLogExporter()
    this.shutdown = () => exporter.shutdown()
    const resource = resources
      .defaultResource()
      .merge(resources.resourceFromAttributes({ 'service.name': SERVICE }))
      .merge(resources.detectResources({ detectors: [resources.envDetector] }))
    const common = { resource, instrumentationScope: { name: SERVICE }, droppedAttributesCount: 0 }
    const recordOf = (line: string): ReadableLogRecord => {
      const said = JSON.parse(line) as Said // one of our own lines
      const time: [number, number] = [Math.floor(said.time / 1000), (said.time % 1000) * 1e6]
      return {
        ...common,
        hrTime: time,
        hrTimeObserved: time,
        severityNumber: api.SeverityNumber.INFO,
        severityText: 'INFO',
        eventName: said.msg === 'feedback' ? EVENT.feedback : EVENT.decision,
        body: said,
        attributes: {
          [ATTRIBUTE.requestId]: said.id,
          ...(said.route === undefined ? {} : { [ATTRIBUTE.route]: said.route }),
          ...(said.rule === undefined ? {} : { [ATTRIBUTE.rule]: said.rule }),
        },
        ...(said.trace === undefined
          ? {}
          : {
              spanContext: {
                traceId: said.trace,
                spanId: api.INVALID_SPANID,
                traceFlags: api.TraceFlags.NONE,
              },
            }),
      }
    }
    return (lines) =>
      new Promise((resolve, reject) => {
        exporter.export(lines.map(recordOf), ({ code, error }) => {
          // 0 is success (`ExportResultCode` of @opentelemetry/core).
          if (!code) resolve()
          else reject(error ?? new Error('the OTLP receiver did not take the lines'))
        })
      })
  }
}

/** What every line has, as far as it is looked at. */
interface Said {
  readonly time: number
  readonly msg: string
  readonly id: string
  readonly trace?: string
  readonly route?: string
  readonly rule?: string
}
