import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Mock, type MockOptions, startMock } from '../../cli/mock/server.ts'
import { ApiServer as Api } from '../../operator/api-server.ts'
import { type Child, startChild } from './child.ts'
import { type ApiServer, startApiServer } from './envtest.ts'
import { eventually } from './eventually.ts'
import { apply, type OperatorProcess, podToken, prepare, runningPod, startOperator, trustedRoots } from './operators.ts'
import { freePorts } from './ports.ts'

/** The namespace of a lab's routes and pods. */
export const NAMESPACE = 'ai'

export interface LabOptions {
  readonly operators: number
  readonly sidecars: number
  /** Simulated model servers, each with an endpoint of its name, which has the model `m`. They give the same answers. */
  readonly models: readonly (MockOptions & { readonly name: string })[]
  /** More of an endpoint's spec, by its name. */
  readonly endpoints?: Readonly<Record<string, object>>
}

/** A sidecar's process, as kubelet would run it. */
export interface LabSidecar {
  readonly pod: string
  /** Where its app's requests go. */
  readonly url: string
  readonly admin: string
  child: Child
  /** Starts it again, with what its volume has. */
  start(): void
}

/** A real API server, operators and sidecars as processes, and model servers in this one. */
export interface FleetLab {
  readonly server: ApiServer
  readonly api: Api
  readonly operators: readonly OperatorProcess[]
  readonly sidecars: readonly LabSidecar[]
  readonly models: readonly Mock[]
  /** Applies manifests, as a user would. */
  apply(...objects: readonly object[]): Promise<string>
  /** Ends the operator that leads, by SIGKILL, and starts another in its place. Resolves with the one that was killed. */
  killLeader(): Promise<OperatorProcess>
  /** The operator that leads at the moment, if any does. */
  leader(): Promise<OperatorProcess | undefined>
  stop(): Promise<void>
}

/** Starts a lab; resolves when every sidecar is connected. */
export async function startFleetLab(options: LabOptions): Promise<FleetLab> {
  const server = await startApiServer()
  const operators: OperatorProcess[] = []
  const sidecars: LabSidecar[] = []
  const models: Mock[] = []
  let service: Server | undefined
  let api: Api | undefined
  const stop = async () => {
    await Promise.all(sidecars.map(({ child }) => child.stop(2000)))
    await Promise.all(operators.map((it) => it.child.stop(3000)))
    service?.close()
    await api?.close()
    await Promise.all(models.map((it) => it.close()))
    await server.stop()
  }
  try {
    await prepare(server)
    api = await Api.connect(server.kubeconfig)
    const start = () => startOperator(server, { flags: ['--allow-loopback', 'true'] })
    for (let i = 0; i < options.operators; i++) operators.push(await start())
    service = balancer(operators)
    const port = await listening(service)
    await server.namespace(NAMESPACE)
    for (const it of options.models) models.push(await startMock({ ...it, name: 'm' }))
    await apply(
      server,
      ...options.models.map(({ name }, i) => endpointOf(name, models[i]?.url, options.endpoints?.[name])),
    )
    const ports = await freePorts(3 * options.sidecars)
    for (let i = 0; i < options.sidecars; i++)
      sidecars.push(await startSidecar(server, `app-${i}`, port, ports.slice(3 * i, 3 * i + 3)))
    for (let i = 0; i < options.sidecars; i++) await configured(`http://127.0.0.1:${ports[3 * i + 2]}/readyz`)
    return {
      server,
      api,
      operators,
      sidecars,
      models,
      apply: (...objects) => apply(server, ...objects),
      leader: () => leaderOf(operators),
      async killLeader() {
        const old = await leaderOf(operators)
        if (!old) throw new Error('no operator leads')
        await old.child.stop(0)
        operators[operators.indexOf(old)] = await start()
        return old
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function leaderOf(operators: readonly OperatorProcess[]): Promise<OperatorProcess | undefined> {
  const living = operators.filter(({ child }) => !child.hasEnded())
  const leading = await Promise.all(living.map((it) => it.metric('tradewind_operator_leader').catch(() => 0)))
  return living.find((_, i) => leading[i] === 1)
}

/** What a Service of Kubernetes does: a connection goes to any replica that is there. */
function balancer(operators: readonly OperatorProcess[]): Server {
  return createServer((inward) => {
    const living = operators.filter(({ child }) => !child.hasEnded())
    const one = living[Math.floor(Math.random() * living.length)]
    if (!one) return inward.destroy()
    const outward = connect(one.ports.push, '127.0.0.1')
    inward.on('error', () => outward.destroy()).on('close', () => outward.destroy())
    outward.on('error', () => inward.destroy()).on('close', () => inward.destroy())
    inward.pipe(outward).pipe(inward)
  })
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)) // of a TCP server
  })
}

function endpointOf(name: string, url = '', rest: object = {}): object {
  return {
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelEndpoint',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      provider: { type: 'OpenAICompatible' },
      address: { type: 'URL', url: `${url}/v1` },
      models: [{ name: 'm' }],
      ...rest,
    },
  }
}

/** Resolves when a sidecar has what the operator has for it. */
async function configured(url: string): Promise<void> {
  await eventually(
    async () => {
      const { ok } = await fetch(url)
      if (!ok) throw new Error(`${url} is not ready`)
    },
    { within: 60_000, every: 100 },
  )
}

async function startSidecar(
  server: ApiServer,
  pod: string,
  service: number,
  ports: readonly number[],
): Promise<LabSidecar> {
  await runningPod(server, NAMESPACE, pod)
  const directory = join(server.directory, pod)
  mkdirSync(join(directory, 'state'), { recursive: true })
  writeFileSync(join(directory, 'token'), await podToken(server, NAMESPACE, pod))
  writeFileSync(join(directory, 'ca.crt'), await trustedRoots(server, NAMESPACE))
  const [traffic, admin, metrics] = ports.map((port) => `127.0.0.1:${port}`)
  const start = () =>
    startChild(process.execPath, [join(import.meta.dirname, '../../sidecar/main.ts')], {
      log: join(directory, 'log'),
      env: {
        ...process.env,
        TRADEWIND_OPERATOR: `wss://localhost:${service}`,
        TRADEWIND_TOKEN_FILE: join(directory, 'token'),
        TRADEWIND_CA_FILE: join(directory, 'ca.crt'),
        TRADEWIND_STATE_DIR: join(directory, 'state'),
        TRADEWIND_LISTEN: traffic,
        TRADEWIND_ADMIN: admin,
        TRADEWIND_METRICS: metrics,
        TRADEWIND_LOG_LEVEL: 'warn',
      },
    })
  const made: LabSidecar = {
    pod: `${NAMESPACE}/${pod}`,
    url: `http://${traffic}`,
    admin: `http://${admin}`,
    child: start(),
    start: () => (made.child = start()),
  }
  return made
}
