import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import type { Logger } from 'pino'
import { CONFIG_PATH } from '../api/protocol.ts'
import { adminApi } from './admin.ts'
import { ApiServer } from './api-server.ts'
import { Refused, Tokens, tokenReviewer } from './authenticate.ts'
import { Authority } from './authority.ts'
import { EventRecorder } from './event-recorder.ts'
import { happenings } from './events.ts'
import { health } from './health.ts'
import { Jwks } from './jwks.ts'
import { Lead } from './lead.ts'
import { listen, listenTls, portOf, quiet, renew, stopListening } from './listen.ts'
import { Loop } from './loop.ts'
import { MERGE_PATH, Merge } from './merge.ts'
import { Metrics } from './metrics.ts'
import { Notifier } from './notifications/notifier.ts'
import { Rate } from './rate.ts'
import { accessReviewer, objection } from './rollout-admission.ts'
import { ExperimentStatusStore } from './experiment/kubernetes-store.ts'
import { Experiments } from './experiments.ts'
import { KubernetesStore } from './rollout/kubernetes-store.ts'
import { registerRollouts } from './rollout/metrics.ts'
import { Rollouts } from './rollouts.ts'
import type { Settings } from './settings.ts'
import { SidecarSockets, refuse } from './sockets.ts'
import { KubernetesSource } from './source/kubernetes.ts'
import { StatusFields } from './status-fields.ts'
import { StatusWriter } from './status-writer.ts'
import { told } from './told.ts'
import { span } from './tracing.ts'
import { validate } from './validate.ts'
import { Watch } from './watch.ts'
import { webhookCertificate } from './webhook-certificate.ts'
import { webhooks } from './webhooks.ts'

/** A running operator. */
export interface Operator {
  readonly ports: { readonly push: number; readonly webhooks: number; readonly metrics: number }
  /** Hands leadership over, lets the sidecars go to other replicas, and ends. */
  stop(): Promise<void>
}

/** Status writes and Events of the whole cluster, a second and at once. */
const WRITES = { perSecond: 100, burst: 200 }
const EVENTS = { perSecond: 10, burst: 100 }
const GRACE = 5000

/** Starts one replica; resolves when it serves, which is never before it has seen the whole world. */
export async function startOperator(settings: Settings, log: Logger): Promise<Operator> {
  const { namespace, watchNamespaces, service, listen: host } = settings
  let ready = false
  // What comes later than those that ask for it.
  const late: {
    authority?: Authority
    merge?: Merge
    lead?: Lead
    sockets?: SidecarSockets
    rollouts?: Rollouts
    experiments?: Experiments
  } = {}
  const api = await ApiServer.connect(settings.kubeconfig, settings.serviceAccount)
  const source = new KubernetesSource(api, { watchNamespaces }, log)
  const metrics = new Metrics(() => ({
    ...loop.push.gauges(),
    statusWrites: writer.waiting,
    leading: late.lead?.state.leading ?? false,
    watching: watch.watching,
    notifications: notifier.waiting,
  }))

  const events = new EventRecorder(api, settings.pod, new Rate(EVENTS.perSecond, EVENTS.burst), log)
  const statusFields = (manager: string) =>
    new StatusFields(api, manager, (key) => source.stored(key), new Rate(WRITES.perSecond, WRITES.burst))
  const writer = new StatusWriter(
    api,
    {
      stored: (key) => source.stored(key),
      rate: new Rate(WRITES.perSecond, WRITES.burst),
      written: (key, uid, before, after) => {
        for (const happening of happenings(before, after)) events.record(key, uid, happening)
      },
    },
    log,
  )
  const loop = new Loop(source, {
    now: () => performance.now(),
    allowLoopback: settings.allowLoopback,
    allowFaults: settings.allowFaults,
    hooks: {
      fleet: () => late.merge?.fleet() ?? loop.push.fleet(),
      changed: () => {
        late.merge?.changed()
        late.rollouts?.fleetChanged()
        watch.changed()
      },
      statuses: (found) => writer.update([...found].map(([key, { status }]) => [key, { ...status }])),
      compiled: (compiled, ms) => {
        const { changes } = compiled
        metrics.compiled(ms)
        late.rollouts?.compiled(compiled)
        late.experiments?.compiled(compiled)
        watch.changed()
        if (changes.pods.size > 0) late.authority?.seen(injected())
      },
      span,
      converged: (ms) => metrics.converged(ms),
      pushed: (bytes) => metrics.pushed(bytes),
      acknowledged: () => metrics.acknowledged(),
      refused: () => metrics.rejected(),
      token: (session, token) => void late.sockets?.renew(session, token),
      learned: ({ identity, tell }, said) => late.merge?.learned(identity.uid, said, tell),
      evidence: ({ identity, tell }, said) => late.merge?.counted(identity.uid, said, tell),
      left: ({ identity, tell }, stopping) => late.merge?.left(identity.uid, tell, stopping),
      failed: (error) => {
        log.error({ error: Object(error).stack ?? String(error) }, 'a compile failed: what was in force stays')
        source.verify()
      },
    },
  })

  const rollouts = (late.rollouts = new Rollouts({
    store: new KubernetesStore(statusFields('tradewind-rollouts')),
    world: () => source.world(),
    compiled: () => loop.compiled,
    fleet: () => late.merge?.fleet() ?? loop.push.fleet(),
    evidence: loop.evidence,
    wall: () => Date.now(),
    happened: (route, uid, happening) => {
      events.record(`ModelRoute ${route}`, uid, happening)
      notifier.changed(route)
    },
    failed: (route, error) => log.warn({ route, error: String(error) }, 'a rollout could not be written down'),
  }))

  const experiments = (late.experiments = new Experiments({
    store: new ExperimentStatusStore(statusFields('tradewind-experiments')),
    world: () => source.world(),
    compiled: () => loop.compiled,
    evidence: loop.evidence,
    wall: () => Date.now(),
    happened: (route, uid, happening) => events.record(`ModelRoute ${route}`, uid, happening),
    failed: (route, error) => log.warn({ route, error: String(error) }, 'an experiment could not be written down'),
  }))

  const notifier = new Notifier(settings.notifications, () => rollouts.views(), {
    outcome: (outcome, { id }, why) => {
      metrics.notified(outcome)
      if (outcome === 'failed' || outcome === 'dropped') log.warn({ id, why }, 'somebody was not told of a rollout')
    },
  })
  const watch = new Watch({
    now: () => performance.now(),
    state: told({
      compiled: () => loop.compiled,
      fleet: () => late.merge?.fleet() ?? loop.push.fleet(),
      rollouts,
      experiments,
      totals: loop.totals,
    }),
  })
  rollouts.onChange(() => watch.changed())
  registerRollouts(metrics.registry, () => (late.lead?.state.leading ? rollouts.views() : []))
  experiments.onChange(() => watch.changed())

  // Health is there first: a replica that waits for the API server is alive, and not ready.
  const metricsServer = await listen(
    health(metrics.registry, () => ready),
    host,
    settings.metricsPort,
  )
  const user = await whoAmI(api, log)
  const injected = () =>
    new Set([...source.world().pods.values()].flatMap((pod) => (pod.injected ? [pod.namespace] : [])))
  const names = [
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.cluster.local`,
    ...settings.certificateNames,
  ]
  const authority = (late.authority = new Authority(
    api,
    {
      namespace,
      secret: settings.caSecret,
      names,
      rotation: { validity: settings.caValidity, overlap: settings.caOverlap },
      validity: settings.certificateValidity,
      webhooks: settings.webhooks,
      watchNamespaces,
    },
    log,
  ))
  await Promise.all([loop.start(), authority.start()])

  // With no right over the whole cluster there is no TokenReview; the cluster's published keys say as much.
  const jwks = new Jwks(api)
  const tokens = new Tokens(watchNamespaces.length ? (token) => jwks.review(token) : tokenReviewer(api))
  const sockets = (late.sockets = new SidecarSockets({
    tokens,
    pod: (name) => source.world().pods.get(name),
    attach: (channel, identity) => loop.push.attach(channel, identity),
    refused: () => metrics.refusedConnection(),
    log,
  }))
  const merge = (late.merge = new Merge({
    own: () => loop.push.fleet(),
    tokens,
    user,
    token: async () => (await readFile(settings.tokenFile, 'utf8')).trim(),
    trusted: () => authority.trusted,
    serverName: names[0] ?? '',
    changed: (keys) => {
      loop.fleetChanged({ keys })
      rollouts.fleetChanged()
      watch.changed()
    },
    learning: loop.learning,
    evidence: loop.evidence,
    retell: () => loop.push.retell(),
    log,
  }))

  const admin = adminApi({
    api,
    compiled: () => loop.compiled,
    fleet: () => merge.fleet(),
    totals: loop.totals,
    rollouts,
    experiments,
    watch,
    dashboard: settings.dashboard,
    leadership: () => late.lead?.state ?? { leading: false, epoch: 0, address: undefined },
    trusted: () => authority.trusted,
    serverName: names[0] ?? '',
  })
  const pushServer = await listenTls(admin, authority.serving, host, settings.pushPort)
  pushServer.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { pathname } = new URL(request.url ?? '', 'https://operator')
    if (pathname === CONFIG_PATH) void sockets.upgrade(request, socket, head)
    else if (pathname === MERGE_PATH) void merge.upgrade(request, socket, head)
    else refuse(socket, new Refused(404, `There is nothing at ${pathname}.`))
  })
  const may = accessReviewer(api, watchNamespaces.length > 0)
  const hooks = webhooks({
    inject: {
      image: settings.sidecarImage,
      pullPolicy: settings.sidecarPullPolicy,
      pullSecrets: settings.sidecarPullSecrets,
      resources: settings.sidecarResources,
      env: settings.sidecarEnv,
      operator: `wss://${names[0]}:8443`,
    },
    exempt: ['kube-system', namespace],
    publish: (at) => authority.publish(at),
    validate: (object) => validate(object, source.world(), loop.compiled, settings),
    object: (change) => objection(change, may),
    answered: (webhook, allowed) => metrics.admitted(webhook, allowed),
    log,
  })
  const given = settings.webhookCertDir ? await webhookCertificate(settings.webhookCertDir, log) : undefined
  const webhookServer = await listenTls(
    quiet(express()).use(hooks),
    given?.current ?? authority.serving,
    host,
    settings.webhookPort,
  )
  given?.onRenewed((pair) => renew(webhookServer, pair))
  authority.onRenewed((pair) => {
    renew(pushServer, pair)
    if (!given) renew(webhookServer, pair)
  })

  const ports = { push: portOf(pushServer), webhooks: portOf(webhookServer), metrics: portOf(metricsServer) }
  const lead = (late.lead = new Lead(
    api,
    {
      namespace,
      name: settings.lease,
      identity: `${settings.pod}_${randomBytes(8).toString('hex')}`,
      address: `${isIPv6(settings.podIp) ? `[${settings.podIp}]` : settings.podIp}:${ports.push}`,
      duration: settings.leaseDuration,
    },
    (now) => {
      log.info(now, now.leading ? 'this replica leads' : 'another replica leads, or none')
      writer.lead(now.leading)
      authority.lead(now.leading)
      merge.lead(now)
      rollouts.lead(now)
      experiments.lead(now)
      notifier.lead(now.leading)
      // Who leads knows all: connect again, and be passed on to it.
      watch.end('Another replica leads now.')
      if (now.leading) loop.fleetChanged()
    },
    log,
  ))
  ready = true
  log.info({ ports, user }, 'the operator serves')

  return {
    ports,
    async stop() {
      ready = false
      await lead.stop()
      rollouts.close()
      experiments.close()
      watch.end('This replica stops.')
      await notifier.stop()
      await writer.idle()
      await loop.stop()
      await Promise.all([sockets.close(), merge.close()])
      given?.stop()
      await Promise.all([pushServer, webhookServer, metricsServer].map((server) => stopListening(server, GRACE)))
      await authority.stop()
      await api.close()
    },
  }
}

/** The user that the API server takes us for. Waits for an API server that is not there yet. */
async function whoAmI(api: ApiServer, log: Logger): Promise<string> {
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  for (;;)
    try {
      const review = await api.call<{ status: { userInfo: { username: string } } }>('POST', path, { body })
      return review.status.userInfo.username
    } catch (error) {
      log.warn({ error: String(error) }, 'the API server does not answer yet')
      await sleep(1000)
    }
}
