import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gatheringsIn } from '../api/gatherings.ts'
import { adminServer } from './admin.ts'
import { artefactsOf, promisesOf } from './artefacts.ts'
import { Client } from './client.ts'
import { DataPath } from './data-path.ts'
import { EvidenceLink } from './evidence.ts'
import { Journal } from './decisions/journal.ts'
import { FaultWatch } from './fault-watch.ts'
import { Findings } from './findings.ts'
import { Follower } from './follower.ts'
import { gaugesOf } from './gauges.ts'
import { HealthChecks } from './health.ts'
import type { Pages } from './json-server.ts'
import { LastGood } from './last-good.ts'
import { LearningLink, learningKeys } from './learning.ts'
import type { Log } from './log.ts'
import { probeServer } from './probes.ts'
import { Reporter } from './report.ts'
import type { Listen, Settings } from './settings.ts'
import { SidecarTelemetry } from './telemetry.ts'
import { PassThroughProxy } from './upgrade.ts'

/** A pod counts as ready after so long even without a configuration, ms: a missing operator never keeps an app from starting. */
const READY_AFTER = 10_000

/** The way to the operator. */
export interface Link {
  readonly connected: boolean
  start(): void
  stop(): void
}

/** A sidecar in the operator's own process. */
export interface Embedding {
  /** In the place of a connection to an operator elsewhere. */
  readonly link: (follower: Follower) => Link
  /** What the admin port has besides its own. */
  readonly pages: Pages
  /** How often it reports, ms: there are no others that would do so too. */
  readonly reportEvery: number
}

export interface Sidecar {
  /** The ports that it listens on, where a free one was asked for. */
  readonly ports: { readonly traffic: number; readonly admin: number }
  /** Answers what is in flight, and resolves when nothing is left open. */
  stop(): Promise<void>
}

/** Starts the sidecar. Resolves when its ports listen; the last good configuration, where there is one, is in force by then. */
export async function startSidecar(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  log: Log,
  embedding?: Embedding,
): Promise<Sidecar> {
  const began = performance.now()
  const journal = new Journal({ settings: settings.decisions, log, random: Math.random })
  const telemetry: SidecarTelemetry = new SidecarTelemetry({
    log,
    random: Math.random,
    gauges: () => gauges(),
    journal,
  })
  const path = new DataPath({
    telemetry,
    passThrough: (deps) => new PassThroughProxy(deps),
    bodyLimit: settings.bodyLimit,
    environment,
  })
  const { configuration, deps } = path
  const checks = new HealthChecks(deps)
  const age = () => deps.wall() - configuration.current().since
  const reporter = new Reporter({
    metrics: telemetry.metrics,
    endpoints: () => configuration.runtime?.endpoints.values() ?? [],
    age,
    now: deps.now,
    promises: () => promisesOf(artefacts()),
    send: (report) => follower.report(report),
    ...(embedding ? { every: embedding.reportEvery } : {}),
  })
  const learning = new LearningLink({
    memories: path.memories,
    now: deps.now,
    send: (learned) => follower.report(learned),
    ...(embedding ? { every: embedding.reportEvery } : {}),
  })
  const faults = new FaultWatch(deps.wall, (begun, { route, rule, said, until }) =>
    log.warn(begun ? 'Failures are injected on purpose.' : 'A fault is injected no longer.', {
      route,
      rule,
      fault: said,
      until: new Date(until),
    }),
  )
  const evidence = new EvidenceLink({
    recorder: path.evidence,
    now: deps.now,
    send: (told) => follower.report(told),
  })
  configuration.onChange = ({ endpoints }) => {
    faults.update(configuration.current().config)
    path.memories.keep(learningKeys(configuration.current().config))
    path.evidence.keep(gatheringsIn(configuration.current().config))
    checks.update(endpoints.values())
    reporter.watch(endpoints.values(), (endpoint, model, state) =>
      log.warn('A circuit breaker changed.', { endpoint, model, state }),
    )
  }
  checks.onChange = (endpoint, address, healthy) => {
    log.warn('The health of an address changed.', { endpoint, address, healthy })
    reporter.changed()
  }

  const lastGood =
    settings.stateDir === undefined
      ? undefined
      : new LastGood(settings.stateDir, (error) =>
          log.warn('The configuration could not be saved.', { error: words(error) }),
        )
  const findings =
    settings.stateDir === undefined
      ? undefined
      : new Findings(settings.stateDir, path.guards, (error) =>
          log.warn('What audits have found could not be saved.', { error: words(error) }),
        )
  const held = lastGood?.load()
  const problems = held ? configuration.apply(held.config, held.since) : []
  if (problems.length > 0) log.warn('The saved configuration cannot be used.', { problems })
  else if (held) log.info('Serving from the saved configuration.', { digest: held.digest, since: new Date(held.since) })

  const follower = new Follower(
    {
      apply: (config) => configuration.apply(config),
      wall: deps.wall,
      applied: (now) => {
        log.info('A configuration is in force.', { digest: now.digest, resources: now.config.size })
        lastGood?.save(now)
      },
      learning: (message) => learning.hear(message),
      evidence: (message) => evidence.hear(message),
      opened: () => {
        learning.opened()
        evidence.opened()
      },
      closed: () => {
        learning.closed()
        evidence.closed()
      },
      refused: (errors) => log.error('A configuration was refused; the one before serves on.', { errors }),
    },
    held && problems.length === 0 ? held : undefined,
  )
  const client: Link | undefined =
    embedding?.link(follower) ??
    (settings.operator === undefined
      ? undefined
      : new Client({
          operator: settings.operator,
          tokenFile: settings.tokenFile,
          caFile: settings.caFile,
          follower,
          changed: (connected, why) => {
            log[connected ? 'info' : 'warn']('The operator', { connected, why })
            if (connected) reporter.changed()
          },
        }))
  const artefacts = () =>
    artefactsOf(configuration.current().config, (key) => configuration.runtime?.artefact(key), path.guards, deps.wall())
  const gauges = () =>
    gaugesOf(configuration, deps.wall(), artefacts, {
      connected: client?.connected ?? false,
      linesDropped: log.dropped,
      decisionsDropped: journal.dropped,
    })
  const exposed = () => telemetry.exposed()
  const notReady = () =>
    configuration.runtime || performance.now() - began > READY_AFTER ? undefined : 'no configuration yet'
  let listening = false
  const admin = adminServer({
    configuration,
    log,
    journal,
    learnt: deps,
    now: deps.now,
    wall: deps.wall,
    exposed,
    more: {
      'GET /artefacts': () => ({ body: { artefacts: artefacts() } }),
      'GET /learning': () => ({ body: learning.page() }),
      'GET /evidence': () => ({ body: evidence.page() }),
      ...embedding?.pages,
    },
  })
  // Nobody probes a sidecar that is part of another program.
  const probes = embedding ? undefined : probeServer({ started: () => listening, notReady, exposed })

  const stop = async () => {
    reporter.stop()
    await path.drain()
    learning.stop()
    evidence.stop()
    checks.stop()
    faults.stop()
    client?.stop()
    await Promise.all([
      lastGood?.written(),
      findings?.stop(),
      telemetry.traces.stop(),
      journal.stop(),
      closed(admin),
      probes && closed(probes),
    ])
  }
  let ports
  try {
    const [traffic, adminPort] = await Promise.all([
      path.listen(settings.listen),
      listen(admin, settings.admin),
      probes && listen(probes, settings.metrics),
    ])
    ports = { traffic, admin: adminPort }
    listening = true
  } catch (error) {
    await stop()
    throw error
  }
  client?.start()
  reporter.start()
  learning.start()
  evidence.start()
  // Loading what traces are made with takes longer than all the rest, and the first requests need not wait for it.
  void telemetry.traces
    .start(environment, (message) => log.warn(message))
    .catch((error: unknown) => {
      log.warn('Traces are not sent.', { error: words(error) })
    })
  return { ports, stop }
}

/** Resolves with the port. */
async function listen(server: Server, { host, port }: Listen): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port // it listens on a port, not on a pipe
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error))
