import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { KubeConfig } from '@kubernetes/client-node'
import { Agent, request } from 'undici'
import { type AuditEvent, auditPolicy, parseAuditLog } from './audit.ts'
import { type Child, startChild } from './child.ts'
import { eventually } from './eventually.ts'
import { needs, serverPath } from './needs.ts'
import { freePorts } from './ports.ts'
import { type RunOptions, runProgram } from './program.ts'
import { scratch } from './scratch.ts'
import { apiServerFlags, etcdFlags } from './server-flags.ts'
import { makeServiceAccountKey, type ServiceAccountKey } from './service-account-key.ts'

/** Someone who talks to the API server. */
export interface Access {
  /** The path of a kubeconfig file. */
  readonly kubeconfig: string
  /** The same, for @kubernetes/client-node. */
  readonly config: KubeConfig
}

/** A real kube-apiserver with an etcd of its own. No controller runs: no default ServiceAccounts, no garbage collection, no pods. */
export interface ApiServer extends Access {
  readonly url: string
  /** The API server's certificate chain, PEM. */
  readonly ca: string
  readonly key: ServiceAccountKey
  /** A directory for the test's own files; it goes when the server stops. */
  readonly directory: string
  /** Runs kubectl as an administrator (or by another kubeconfig in `env`) and resolves with what it printed; rejects with what it complained of. */
  readonly kubectl: (args: readonly string[], options?: RunOptions) => Promise<string>
  /** Runs Helm, likewise. */
  readonly helm: (args: readonly string[], options?: RunOptions) => Promise<string>
  /** Makes a namespace with the `default` ServiceAccount that pods need, and resolves with its name. */
  readonly namespace: (name: string, labels?: Readonly<Record<string, string>>) => Promise<string>
  /** A token by TokenRequest, for a ServiceAccount that exists. Without `audience`, one for the API server itself. */
  readonly token: (namespace: string, serviceAccount: string, options?: TokenOptions) => Promise<string>
  /** Access with this bearer token. */
  readonly as: (token: string) => Access
  /** The completed requests so far, oldest first. */
  readonly auditLog: () => readonly AuditEvent[]
  /** Ends the API server (its watches with it) and starts it again on the same port, over the same etcd. `down` runs in between. */
  readonly restart: (down?: () => void | Promise<void>) => Promise<void>
  /** Ends both, and removes their files. */
  readonly stop: () => Promise<void>
}

interface TokenOptions {
  readonly audience?: string
  readonly seconds?: number
}

const adminToken = 'admin'

/**
 * One API server for all tests of a file (or of a `describe`): call it at the top, and the result in a test. Where the server is not
 * built, none is started: such tests say `skip: needs('kube-apiserver')`.
 */
export function useApiServer(options: ApiServerOptions = {}): () => ApiServer {
  let server: ApiServer | undefined
  before(async () => {
    if (!needs('kube-apiserver', 'etcd', 'kubectl')) server = await startApiServer(options)
  })
  after(() => server?.stop())
  return () => {
    if (!server) throw new Error('the API server is not running')
    return server
  }
}

export interface ApiServerOptions {
  /** More flags for kube-apiserver. */
  readonly flags?: readonly string[]
}

/** Starts etcd and kube-apiserver on free loopback ports, and resolves when the API server is ready: 3 to 5 s. */
export async function startApiServer({ flags = [] }: ApiServerOptions = {}): Promise<ApiServer> {
  // Another program can take a free port before the server does.
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(flags)
    } catch (error) {
      if (attempt === 3 || !String(error).includes('address already in use')) throw error
    }
  }
}

async function startOnce(flags: readonly string[]): Promise<ApiServer> {
  const directory = scratch('api')
  const file = (name: string) => join(directory, name)
  const [port = 0, etcdPort = 0, peerPort = 0] = await freePorts(3)
  const key = makeServiceAccountKey()
  writeFileSync(file('accounts.key'), key.privateKey)
  writeFileSync(file('accounts.pub'), key.publicKey)
  writeFileSync(file('tokens.csv'), `${adminToken},admin,admin,system:masters\n`)
  writeFileSync(file('audit-policy.yaml'), auditPolicy)

  const etcdUrl = `http://127.0.0.1:${etcdPort}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  const etcd = startChild(serverPath('etcd'), etcdFlags(directory, etcdUrl, peerUrl), { log: file('etcd.log') })
  const url = `https://127.0.0.1:${port}`
  const startServer = async () => {
    const args = [...apiServerFlags(directory, etcdUrl, port), ...flags]
    const child = startChild(serverPath('kube-apiserver'), args, { log: file('kube-apiserver.log') })
    await ready(url, file('certs/apiserver.crt'), child, etcd)
    return child
  }

  let apiServer: Child
  try {
    apiServer = await startServer()
  } catch (error) {
    await etcd.stop(0)
    rmSync(directory, { recursive: true })
    throw error
  }
  const ca = readFileSync(file('certs/apiserver.crt'), 'utf8')
  const access = (name: string, token: string): Access => {
    const kubeconfig = file(`${name}.conf`)
    writeFileSync(kubeconfig, kubeconfigOf(url, ca, token), { mode: 0o600 })
    const config = new KubeConfig()
    config.loadFromFile(kubeconfig)
    return { kubeconfig, config }
  }
  const admin = access('admin', adminToken)
  let accesses = 0
  const environment = {
    KUBECONFIG: admin.kubeconfig,
    // What kubectl and Helm cache goes with the server.
    KUBECACHEDIR: file('cache'),
    HELM_CACHE_HOME: file('cache'),
    HELM_CONFIG_HOME: file('cache'),
    HELM_DATA_HOME: file('cache'),
  }
  const run =
    (program: string) =>
    (args: readonly string[], { env, ...options }: RunOptions = {}) =>
      runProgram(serverPath(program), args, { ...options, env: { ...environment, ...env } })
  const kubectl = run('kubectl')

  return {
    ...admin,
    url,
    ca,
    key,
    directory,
    kubectl,
    helm: run('helm'),
    namespace: async (name, labels = {}) => {
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } }
      const items = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }, account]
      await kubectl(['create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })
      return name
    },
    token: async (namespace, serviceAccount, { audience, seconds = 3600 } = {}) => {
      const options = ['--duration', `${seconds}s`, ...(audience ? ['--audience', audience] : [])]
      return (await kubectl(['create', 'token', serviceAccount, '-n', namespace, ...options])).trim()
    },
    as: (token) => access(`access-${++accesses}`, token),
    auditLog: () => parseAuditLog(readFileSync(file('audit.log'), 'utf8')),
    restart: async (down) => {
      await apiServer.stop(0)
      await down?.()
      apiServer = await startServer()
    },
    stop: async () => {
      await Promise.all([apiServer.stop(0), etcd.stop(0)])
      rmSync(directory, { recursive: true })
    },
  }
}

/** Waits until the API server says that it is ready; rejects with its log when it, or etcd, has ended. */
async function ready(url: string, certificate: string, apiServer: Child, etcd: Child): Promise<void> {
  try {
    await eventually(
      async () => {
        if (apiServer.hasEnded() || etcd.hasEnded()) return
        if (!existsSync(certificate)) throw new Error('the API server has no certificate yet')
        const agent = new Agent({ connect: { ca: readFileSync(certificate) } })
        try {
          const { statusCode, body } = await request(`${url}/readyz`, {
            dispatcher: agent,
            headers: { authorization: `Bearer ${adminToken}` },
          })
          const text = await body.text()
          if (statusCode !== 200) throw new Error(`not ready: ${text}`)
        } finally {
          await agent.close()
        }
      },
      { within: 60_000, every: 100 },
    )
    if (etcd.hasEnded()) throw new Error(`etcd has ended:\n${etcd.log()}`)
    if (apiServer.hasEnded()) throw new Error(`kube-apiserver has ended:\n${apiServer.log()}`)
  } catch (error) {
    await apiServer.stop(0)
    throw error
  }
}

function kubeconfigOf(server: string, ca: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  })
}
