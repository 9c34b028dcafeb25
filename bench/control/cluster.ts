import { join } from 'node:path'
import { ApiServer as Api } from '../../operator/api-server.ts'
import { kinds } from '../../api/kinds.ts'
import { API_VERSION } from '../../api/resource.ts'
import { type ApiServer, startApiServer } from '../../test/helpers/envtest.ts'
import { needs } from '../../test/helpers/needs.ts'
import { type OperatorProcess, prepare, startOperator } from '../../test/helpers/operators.ts'
import { bundle } from '../../tool/bundle.ts'
import { operatorEnvironment } from '../../tool/images.ts'
import { cacheRoot } from '../../tool/servers.ts'

/** A real API server with an operator, and a way to write to it quickly. */
export interface ControlPlane {
  readonly server: ApiServer
  readonly api: Api
  readonly operator: OperatorProcess
  readonly stop: () => Promise<void>
}

/** The room that Node gives itself within the chart's limit of 512 MiB. */
const heap = ['--max-old-space-size=256', '--max-semi-space-size=4']

/** Starts etcd, kube-apiserver and one operator, from the bundle that ships. Throws where the servers are not built. */
export async function startControlPlane(): Promise<ControlPlane> {
  const missing = needs('kube-apiserver', 'etcd', 'kubectl')
  if (missing) throw new Error(missing)
  const program = join(cacheRoot, 'bench/tradewind/operator.mjs')
  await bundle('operator/main.ts', program)
  const server = await startApiServer()
  try {
    await prepare(server)
    const api = await Api.connect(server.kubeconfig)
    const operator = await startOperator(server, {
      program: [...heap, program],
      flags: ['--allow-loopback', 'true'],
      env: { NODE_ENV: 'production', ...operatorEnvironment },
    })
    return {
      server,
      api,
      operator,
      async stop() {
        await operator.stop()
        await api.close()
        await server.stop()
      },
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** Runs `work` over 0 … count - 1, `width` at a time. */
export async function each(count: number, width: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

/** The path of an object of ours, or of its collection. */
export function pathOf(kind: 'ModelRoute' | 'ModelEndpoint', namespace: string, name = ''): string {
  const plural = kinds.find((it) => it.kind === kind)?.plural
  return `/apis/${API_VERSION}/namespaces/${namespace}/${plural}${name && `/${name}`}`
}

/** Applies an object of ours as `kubectl apply --server-side` does; resolves with the generation that it made. */
export async function applyObject(
  api: Api,
  kind: 'ModelRoute' | 'ModelEndpoint',
  namespace: string,
  name: string,
  spec: object,
): Promise<number> {
  const object = { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec }
  const { metadata } = await api.apply<{ metadata: { generation: number } }>(
    pathOf(kind, namespace, name),
    object,
    'bench',
  )
  return metadata.generation
}

/** A namespace with its default ServiceAccount; resolves with the account's uid. */
export async function makeNamespace(api: Api, name: string): Promise<string> {
  await api.call('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
  })
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } }
  const { metadata } = await api.call<{ metadata: { uid: string } }>(
    'POST',
    `/api/v1/namespaces/${name}/serviceaccounts`,
    { body: account },
  )
  return metadata.uid
}

/** A pod with our sidecar that the API server takes for running; resolves with its uid. */
export async function makePod(
  api: Api,
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  const pods = `/api/v1/namespaces/${namespace}/pods`
  const spec = { nodeName: 'nowhere', containers: [{ name: 'app', image: 'example.test/app' }] }
  const { metadata } = await api.call<{ metadata: { uid: string } }>('POST', pods, {
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: { 'tradewind.dev/injected': 'true', ...labels } },
      spec,
    },
  })
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  await api.call('PATCH', `${pods}/${name}/status`, {
    contentType: 'application/merge-patch+json',
    body: { status },
  })
  return metadata.uid
}

/** The token that kubelet would project into a pod, signed with the API server's own key, for an hour. */
export function tokenOf(
  { key }: ApiServer,
  namespace: string,
  account: string,
  pod: { readonly name: string; readonly uid: string },
): string {
  const now = Math.floor(Date.now() / 1000)
  return key.sign({
    iss: 'https://kubernetes.default.svc',
    aud: ['tradewind'],
    sub: `system:serviceaccount:${namespace}:default`,
    iat: now,
    nbf: now,
    exp: now + 3600,
    'kubernetes.io': { namespace, pod, serviceaccount: { name: 'default', uid: account } },
  })
}

/** The names of two endpoints of a namespace at these ports of this machine. */
export async function makeEndpoints(api: Api, namespace: string, ports: readonly number[]): Promise<readonly string[]> {
  const names = ports.map((_, i) => `model-${i}`)
  for (const [i, name] of names.entries())
    await applyObject(api, 'ModelEndpoint', namespace, name, {
      provider: { type: 'OpenAI' },
      address: { type: 'URL', url: `http://127.0.0.1:${ports[i]}/v1` },
      models: [{ name: 'gpt-4o-mini' }],
    })
  return names
}

/** The spec of a route with two rules, as people write them, whose second splits by these weights. */
export function weighted(model: string, weights: readonly number[]): object {
  const targets = weights.map((weight, i) => ({ endpoint: { name: `model-${i}` }, weight }))
  return {
    models: [model],
    rules: [
      {
        name: 'trial',
        matches: [{ headers: [{ name: 'x-trial', value: 'yes' }] }],
        targets: [{ endpoint: { name: 'model-1' } }],
      },
      { name: 'everything', targets },
    ],
  }
}
