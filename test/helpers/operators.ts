import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { globSync } from 'node:fs'
import type { CompiledConfig } from '../../api/compiled.ts'
import type { ModelEndpointStatus } from '../../api/model-endpoint.ts'
import type { ModelRouteStatus } from '../../api/model-route.ts'
import { Memories } from '../../core/bandits/memory.ts'
import type { Nack, Report } from '../../api/protocol.ts'
import { Client } from '../../sidecar/client.ts'
import { LearningLink } from '../../sidecar/learning.ts'
import { Follower } from '../../sidecar/follower.ts'
import { type Child, startChild } from './child.ts'
import type { ApiServer } from './envtest.ts'
import { eventually } from './eventually.ts'

const root = join(import.meta.dirname, '../..')

/** The namespace of the operators that tests start. */
export const SYSTEM = 'tradewind-system'
const ACCOUNT = 'tradewind-operator'

/**
 * Installs the definitions, and the operator's namespace and ServiceAccount, with all rights unless its `rights` are given as objects.
 */
export async function prepare(server: ApiServer, rights: readonly object[] = [admin]): Promise<void> {
  const crds = globSync(join(root, 'crds/*.yaml')).flatMap((file) => ['-f', file])
  await server.kubectl(['apply', '--server-side', ...crds])
  await server.kubectl(['wait', '--for=condition=Established', 'crd', '--all'])
  await server.namespace(SYSTEM)
  await server.kubectl(['create', 'serviceaccount', ACCOUNT, '-n', SYSTEM])
  await apply(server, ...rights)
}

const admin = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: ACCOUNT },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: SYSTEM }],
}

export interface OperatorOptions {
  /** The module to run, with flags for its Node before it; unless given, the source. */
  readonly program?: readonly string[]
  readonly flags?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Its token for the API server; a good one unless given. */
  readonly token?: string
}

/** An operator, as a process of its own. */
export interface OperatorProcess {
  readonly child: Child
  /** Its name in the Lease. */
  readonly pod: string
  readonly ports: { readonly push: number; readonly webhooks: number; readonly metrics: number }
  /** Where its ServiceAccount is mounted. */
  readonly serviceAccount: string
  /** What it logged, one object a line. */
  log(): readonly { readonly msg?: string; readonly [field: string]: unknown }[]
  /** A metric's value, with its labels as they are printed. */
  metric(name: string): Promise<number>
  /** Ends it as kubelet does: SIGTERM, and time to finish. */
  stop(): Promise<void>
}

let started = 0

/** Starts an operator under its own ServiceAccount, and resolves when it serves. */
export async function startOperator(server: ApiServer, options: OperatorOptions = {}): Promise<OperatorProcess> {
  const pod = `operator-${process.pid}-${++started}`
  const log = join(server.directory, `${pod}.log`)
  const tokenFile = join(server.directory, `${pod}.token`)
  writeFileSync(tokenFile, await server.token(SYSTEM, ACCOUNT, { audience: 'tradewind' }))
  // As kubelet mounts it into a pod.
  const serviceAccount = join(server.directory, `${pod}.account`)
  mkdirSync(serviceAccount)
  writeFileSync(join(serviceAccount, 'ca.crt'), server.ca)
  writeFileSync(join(serviceAccount, 'token'), options.token ?? (await server.token(SYSTEM, ACCOUNT)))
  const { hostname, port } = new URL(server.url)
  const flags = {
    'service-account': serviceAccount,
    namespace: SYSTEM,
    pod,
    'sidecar-image': 'example.test/sidecar:1',
    'token-file': tokenFile,
    'certificate-names': 'localhost,127.0.0.1',
    'lease-duration': '3s',
    listen: '127.0.0.1',
    'push-port': '0',
    'webhook-port': '0',
    'metrics-port': '0',
  }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  const program = options.program ?? [join(root, 'operator/main.ts')]
  const child = startChild(process.execPath, [...program, ...args, ...(options.flags ?? [])], {
    log,
    env: { ...process.env, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, ...options.env },
  })
  const lines = () =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as { msg?: string; ports?: OperatorProcess['ports'] }) // pino's lines
  const ports = await eventually(
    () => {
      if (child.hasEnded()) return undefined
      const line = lines().find((it) => it.msg === 'the operator serves')
      if (!line?.ports) throw new Error(`the operator does not serve yet:\n${child.log()}`)
      return line.ports
    },
    { within: 30_000, every: 50 },
  )
  if (!ports) throw new Error(`the operator has ended:\n${child.log()}`)
  return {
    child,
    pod,
    ports,
    serviceAccount,
    log: lines,
    async metric(name) {
      const text = await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text()
      const line = text.split('\n').find((it) => it.startsWith(`${name} `))
      if (!line) throw new Error(`there is no metric ${name}`)
      return Number(line.slice(name.length + 1))
    },
    stop: () => child.stop(15_000),
  }
}

/** Makes an injected pod that the API server takes for running. No kubelet runs it. */
export async function runningPod(
  server: ApiServer,
  namespace: string,
  name: string,
  { labels = {}, ip, ready = true }: { labels?: Readonly<Record<string, string>>; ip?: string; ready?: boolean } = {},
): Promise<void> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { 'tradewind.dev/injected': 'true', ...labels } },
    // A node that is not there: nothing changes the pod's status but the test, and a deletion is at once.
    spec: {
      nodeName: 'nowhere',
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'app', image: 'example.test/app' }],
    },
  }
  await server.kubectl(['create', '-f', '-'], { input: JSON.stringify(pod) })
  const status = {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    ...(ip ? { podIP: ip, podIPs: [{ ip }] } : {}),
  }
  const patch = ['--subresource', 'status', '--type', 'merge', '-p', JSON.stringify({ status })]
  await server.kubectl(['patch', 'pod', name, '-n', namespace, ...patch])
}

/** A token of a pod, as kubelet projects it. */
export async function podToken(
  server: ApiServer,
  namespace: string,
  pod: string,
  audience = 'tradewind',
): Promise<string> {
  const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', pod, '--audience', audience]
  return (await server.kubectl(['create', 'token', 'default', '-n', namespace, ...bound])).trim()
}

/** A sidecar's end of the push, without the proxy. */
export interface SidecarClient {
  readonly client: Client
  readonly follower: Follower
  /** What it was given, newest last. */
  readonly applied: CompiledConfig[]
  /** Each connection that came about or ended, and why. */
  readonly history: { readonly connected: boolean; readonly why: string }[]
  /** Says what is wrong with a configuration that it is to refuse. */
  refuse: (config: CompiledConfig) => Nack['errors']
  /** Where the file is that its token is in. */
  readonly tokenFile: string
  report(report: Omit<Report, 'type'>): void
  /** What it has learnt, which it tells the operator as a sidecar does. */
  readonly memories: Memories
  stop(): void
}

let clients = 0

/** Connects a sidecar's client to an operator, by its pod's own token; with `token`, by that one. */
export async function connectSidecar(
  server: ApiServer,
  port: number,
  namespace: string,
  pod: string,
  { token, ca }: { token?: string; ca?: string } = {},
): Promise<SidecarClient> {
  const name = join(server.directory, `sidecar-${++clients}`)
  const [tokenFile, caFile] = [`${name}.token`, `${name}.ca`]
  writeFileSync(tokenFile, token ?? (await podToken(server, namespace, pod)))
  writeFileSync(caFile, ca ?? (await trustedRoots(server, namespace)))
  const applied: CompiledConfig[] = []
  const history: SidecarClient['history'] = []
  const memories = new Memories(randomUUID)
  const learning = new LearningLink({
    memories,
    now: () => performance.now(),
    send: (learned) => follower.report(learned),
  })
  const follower: Follower = new Follower({
    learning: (message) => learning.hear(message),
    opened: () => learning.opened(),
    closed: () => learning.closed(),
    apply: (config) => {
      const errors = sidecar.refuse(config)
      if (errors.length === 0) applied.push(config)
      return errors
    },
    wall: () => Date.now(),
  })
  const client = new Client({
    operator: `wss://localhost:${port}`,
    tokenFile,
    caFile,
    follower,
    checkEvery: 1000,
    retry: { base: 50, cap: 500 },
    changed: (connected, why) => history.push({ connected, why }),
  })
  const sidecar: SidecarClient = {
    client,
    follower,
    applied,
    history,
    refuse: () => [],
    tokenFile,
    report: (report) => follower.report({ type: 'report', ...report }),
    memories,
    stop: () => {
      learning.stop()
      client.stop()
    },
  }
  client.start()
  learning.start()
  return sidecar
}

/** The roots that the operator has published in a namespace. */
export function trustedRoots(server: ApiServer, namespace: string): Promise<string> {
  return eventually(
    async () => {
      const roots = await server.kubectl([
        'get',
        'configmap',
        'tradewind-ca',
        '-n',
        namespace,
        '-o',
        'jsonpath={.data.ca\\.crt}',
      ])
      if (!roots) throw new Error('no roots yet')
      return roots
    },
    { within: 15_000, every: 200 },
  )
}

/** Applies manifests, given as objects, as a user would. */
export async function apply(server: ApiServer, ...objects: readonly object[]): Promise<string> {
  return server.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  })
}

/** A route that asks for its own name as model. */
export function route(namespace: string, name: string, spec: object): object {
  return {
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name, namespace },
    spec: { models: [name], ...spec },
  }
}

/** An endpoint of provider OpenAICompatible with the models given. */
export function endpoint(namespace: string, name: string, spec: object = {}): object {
  return {
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelEndpoint',
    metadata: { name, namespace },
    spec: {
      provider: { type: 'OpenAICompatible' },
      address: { type: 'URL', url: 'http://models.example.test/v1' },
      models: [{ name: 'm' }],
      ...spec,
    },
  }
}

/** An object's status, and what tests ask of its conditions. */
export interface Seen {
  readonly generation: number
  readonly status: ModelRouteStatus & ModelEndpointStatus
  /** `Programmed=True/Programmed`; undefined where there is none. */
  readonly condition: (type: string) => string | undefined
}

/** Reads a route (`mroute`) or an endpoint (`mep`). */
export async function seen(server: ApiServer, kind: 'mroute' | 'mep', namespace: string, name: string): Promise<Seen> {
  const text = await server.kubectl(['get', kind, name, '-n', namespace, '-o', 'json'])
  // The CRD's schema has checked it.
  const { metadata, status = {} } = JSON.parse(text) as { metadata: { generation: number }; status?: Seen['status'] }
  return {
    generation: metadata.generation,
    status,
    condition: (type) => {
      const found = status.conditions?.find((it) => it.type === type)
      return found && `${found.status}/${found.reason}`
    },
  }
}
