import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { adminServer } from '../../sidecar/admin.ts'
import { DataPath } from '../../sidecar/data-path.ts'
import { Journal } from '../../sidecar/decisions/journal.ts'
import type { JournalSettings } from '../../sidecar/decisions/journal.ts'
import { artefactsOf } from '../../sidecar/artefacts.ts'
import { gaugesOf } from '../../sidecar/gauges.ts'
import { Log } from '../../sidecar/log.ts'
import { SidecarTelemetry } from '../../sidecar/telemetry.ts'
import { PassThroughProxy } from '../../sidecar/upgrade.ts'
import { compiled } from './data-path.ts'
import { scratch } from './scratch.ts'

/** A request path with the sidecar's own telemetry and admin port, on free loopback ports, until the test ends. */
export async function observed(
  t: TestContext,
  parts: Parameters<typeof compiled>[0],
  random: () => number = Math.random,
  decisions: JournalSettings = { to: [], file: undefined },
  environment: Readonly<Record<string, string>> = {},
) {
  const directory = scratch('observed')
  const file = join(directory, 'log')
  const fd = openSync(file, 'w')
  const log = new Log('info', fd)
  const journal = new Journal({ settings: decisions, log, random })
  const telemetry: SidecarTelemetry = new SidecarTelemetry({
    log,
    random,
    journal,
    gauges: () =>
      gaugesOf(path.configuration, Date.now(), artefacts, {
        connected: true,
        linesDropped: log.dropped,
        decisionsDropped: journal.dropped,
      }),
  })
  const path: DataPath = new DataPath({
    telemetry,
    passThrough: (deps) => new PassThroughProxy(deps),
    bodyLimit: 1024 * 1024,
    environment,
  })
  const { configuration } = path
  const artefacts = () =>
    artefactsOf(configuration.current().config, (key) => configuration.runtime?.artefact(key), path.guards, Date.now())
  const exposed = () => telemetry.exposed()
  const admin = adminServer({
    configuration,
    log,
    journal,
    learnt: path.deps,
    now: path.deps.now,
    wall: path.deps.wall,
    exposed,
  })
  admin.listen(0, '127.0.0.1')
  await once(admin, 'listening')
  const port = await path.listen({ host: '127.0.0.1', port: 0 })
  t.after(async () => {
    admin.closeAllConnections()
    admin.close()
    path.traffic.closeAllConnections()
    await path.drain()
    await journal.stop()
    log.end()
    closeSync(fd)
    rmSync(directory, { recursive: true })
  })
  const problems = configuration.apply(compiled(parts))
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return {
    path,
    log,
    telemetry,
    journal,
    url: `http://127.0.0.1:${port}`,
    /** It listens on a port. */
    admin: `http://127.0.0.1:${(admin.address() as AddressInfo).port}`,
    apply: (next: Parameters<typeof compiled>[0]) => configuration.apply(compiled(next)),
    /** The log as it is by now. */
    logged: () => readFileSync(file, 'utf8'),
    lines: () => parseLines(readFileSync(file, 'utf8')),
  }
}

function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>) // each line is an object
}

/** A span as it came in, its attributes by name. */
export interface SeenSpan {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly status: number
  readonly seconds: number
  readonly attributes: Readonly<Record<string, unknown>>
}

interface OtlpSpan {
  name: string
  kind: number
  traceId: string
  spanId: string
  parentSpanId?: string
  status?: { code?: number }
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: Record<string, unknown> }[]
}

/** An OTLP receiver on a free loopback port, until the test ends. */
export async function otlp(t: TestContext) {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      if (request.url === '/v1/traces') bodies.push(text)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on a port
    bodies,
    spans: () => bodies.flatMap(spansOf),
    services: () =>
      bodies.flatMap((body) =>
        [...body.matchAll(/"service\.name","value":\{"stringValue":"([^"]*)"/g)].map(([, name]) => name),
      ),
  }
}

function spansOf(body: string): SeenSpan[] {
  // The shape of OTLP's JSON: https://opentelemetry.io/docs/specs/otlp/
  const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] }
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
    .map((span) => ({
      name: span.name,
      kind: span.kind,
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId ?? '',
      status: span.status?.code ?? 0,
      seconds: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e9,
      attributes: Object.fromEntries(span.attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
    }))
}
