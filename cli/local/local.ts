import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import { Loop } from '../../operator/loop.ts'
import type { LoopHooks } from '../../operator/loop.ts'
import { overview, OVERVIEW_PATH } from '../../operator/overview.ts'
import { DirectorySource } from '../../operator/source/directory.ts'
import type { DirectoryOptions } from '../../operator/source/directory.ts'
import { adminServer } from '../../sidecar/admin.ts'
import { DataPath } from '../../sidecar/data-path.ts'
import { Follower } from '../../sidecar/follower.ts'
import { gaugesOf } from '../../sidecar/gauges.ts'
import { HealthChecks } from '../../sidecar/health.ts'
import type { Log } from '../../sidecar/log.ts'
import { Reporter } from '../../sidecar/report.ts'
import type { Listen } from '../../sidecar/settings.ts'
import { SidecarTelemetry } from '../../sidecar/telemetry.ts'
import { PassThroughProxy } from '../../sidecar/upgrade.ts'
import { pair } from './pair.ts'
import { localPod, namespaceOf, withPod } from './source.ts'

export interface LocalOptions extends DirectoryOptions {
  readonly directory: string
  readonly listen: Listen
  readonly admin: Listen
  /** Of the pod that is played; left out: that of the routes. */
  readonly namespace?: string | undefined
  readonly labels: Readonly<Record<string, string>>
  /** Largest body of a request, bytes. */
  readonly bodyLimit: number
  readonly log: Log
  readonly hooks: LoopHooks
}

/** A running operator and sidecar. */
export interface Local {
  readonly source: DirectorySource
  readonly loop: Loop
  readonly pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }
  /** Where requests go, without a path. */
  readonly url: string
  readonly admin: string
  /** Answers what is in flight, and resolves when nothing is left open. */
  stop(): Promise<void>
}

/** How often the sidecar tells what it has seen, ms: nobody else is kept busy by it here. */
const REPORT_EVERY = 1000

/** Starts operator and sidecar in this process, over a directory of manifests. Resolves when requests are answered. */
export async function startLocal(options: LocalOptions): Promise<Local> {
  const { directory, log } = options
  const source = new DirectorySource(directory, options)
  // Read once for its namespace alone; the loop reads it again, and goes on.
  const first = new DirectorySource(directory, { environment: options.environment })
  await first.start(() => {})
  await first.stop()
  const pod = localPod(options.namespace ?? namespaceOf(first.world()), options.labels)

  const telemetry: SidecarTelemetry = new SidecarTelemetry({ log, random: Math.random, gauges: () => gauges() })
  const path = new DataPath({
    telemetry,
    passThrough: (deps) => new PassThroughProxy(deps),
    bodyLimit: options.bodyLimit,
    environment: options.environment,
  })
  const { configuration, deps } = path
  const checks = new HealthChecks(deps)
  configuration.onChange = ({ endpoints }) => {
    checks.update(endpoints.values())
    reporter.watch(endpoints.values())
  }
  const age = () => Date.now() - configuration.current().since
  const gauges = () => gaugesOf(configuration, deps.wall(), { connected: true, linesDropped: log.dropped })

  const loop = new Loop(withPod(source, pod), { now: deps.now, allowLoopback: true, hooks: options.hooks })
  const follower = new Follower({ apply: (config) => configuration.apply(config), wall: deps.wall })
  const reporter = new Reporter({
    metrics: telemetry.metrics,
    endpoints: () => configuration.runtime?.endpoints.values() ?? [],
    age,
    now: deps.now,
    send: (report) => follower.report(report),
    every: REPORT_EVERY,
  })
  checks.onChange = () => reporter.changed()
  const admin = adminServer({
    configuration,
    log,
    now: deps.now,
    exposed: () => telemetry.exposed(),
    more: { [`GET ${OVERVIEW_PATH}`]: () => ({ body: told(loop) }) },
  })

  const stop = async () => {
    reporter.stop()
    checks.stop()
    await loop.stop()
    await Promise.all([path.drain(), closed(admin)])
    log.end()
  }
  try {
    const adminPort = await listening(admin, options.admin)
    await loop.start()
    const { channel, open } = pair(follower)
    loop.push.attach(channel, { ...pod, pod: pod.name, serviceAccount: 'default' })
    open()
    reporter.start()
    await new Promise((resolve) => setImmediate(resolve))
    const port = await path.listen(options.listen)
    return { source, loop, pod, url: at(options.listen, port), admin: at(options.admin, adminPort), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function told(loop: Loop): object {
  return loop.compiled ? overview(loop.compiled, loop.push.fleet(), () => true) : {}
}

const at = ({ host }: Listen, port: number) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`

async function listening(server: Server, { host, port }: Listen): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, resolve)
  })
  return (server.address() as AddressInfo).port // it listens on a port, not on a pipe
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}
