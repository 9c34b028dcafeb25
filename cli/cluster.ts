import { connect } from 'node:net'
import { duplexPair } from 'node:stream'
import type { Duplex } from 'node:stream'
import { ApiException, CoreV1Api, CustomObjectsApi, KubeConfig, PortForward } from '@kubernetes/client-node'
import type { V1Pod } from '@kubernetes/client-node'
import { kinds } from '../api/kinds.ts'
import { GROUP, VERSION } from '../api/resource.ts'
import { CA_KEY, CA_NAME } from '../operator/authority.ts'
import { OVERVIEW_PATH } from '../operator/overview.ts'
import type { Overview } from '../operator/overview.ts'
import { Failure } from './failure.ts'
import { askThrough } from './tunnel.ts'

/** Which cluster, and where in it. */
export interface Place {
  readonly kubeconfig?: string
  readonly context?: string
  /** All of them where it is left out. */
  readonly namespace?: string
  readonly operatorNamespace?: string
  /** `host:port` of the operator's push port. */
  readonly operator?: string
}

const OPERATOR = 'app.kubernetes.io/name=tradewind,app.kubernetes.io/component=operator'
const PUSH_PORT = 8443

/** The cluster of a kubeconfig, as its user sees it. Everything throws `Failure` with what to do. */
export class Cluster {
  readonly #config = new KubeConfig()
  readonly #place: Place
  readonly #core: CoreV1Api

  constructor(place: Place) {
    this.#place = place
    try {
      if (place.kubeconfig === undefined) this.#config.loadFromDefault()
      else this.#config.loadFromFile(place.kubeconfig)
      if (place.context !== undefined) {
        if (!this.#config.getContextObject(place.context)) throw new Error(`it has no context ${place.context}`)
        this.#config.setCurrentContext(place.context)
      }
    } catch (error) {
      throw new Failure(`The kubeconfig cannot be used: ${words(error)}; give one by --kubeconfig or KUBECONFIG.`)
    }
    this.#core = this.#config.makeApiClient(CoreV1Api)
  }

  /** What the resources themselves say, which is all but what each sidecar does. */
  async resources(): Promise<Overview> {
    const [endpoints, routes] = await Promise.all(kinds.map(({ plural }) => this.#list(plural)))
    // The API server has checked each by the schema of its kind, of which the types are made.
    return { routes, endpoints, sidecars: [] } as unknown as Overview
  }

  /** What the operator says, asked where `operator` says, or through a port that the API server forwards to one of its pods. */
  async overview(): Promise<Overview> {
    const { namespace, operator } = this.#place
    const [token, ca] = [await this.#token(), await this.#roots()]
    const path = namespace === undefined ? OVERVIEW_PATH : `${OVERVIEW_PATH}?namespace=${encodeURIComponent(namespace)}`
    const { stream, names, close } = operator === undefined ? await this.#forward() : dial(operator)
    try {
      return (await askThrough(stream, { path, token, ca, names })) as Overview // what is there, answered with 200
    } finally {
      close()
    }
  }

  async #forward(): Promise<Line> {
    const { metadata } = await this.#operator()
    const { namespace = '', name = '', labels = {} } = metadata ?? {}
    const release = labels['app.kubernetes.io/instance'] ?? ''
    const [near, far] = duplexPair()
    const webSocket = await new PortForward(this.#config).portForward(namespace, name, [PUSH_PORT], far, null, far)
    return {
      stream: near,
      // The chart names its objects by the release, with its own name after it where that is not part of it.
      names: [`${release}-operator.${namespace}.svc`, `${release}-tradewind-operator.${namespace}.svc`],
      close: () => {
        if ('close' in webSocket) webSocket.close()
        near.destroy()
      },
    }
  }

  async #list(plural: string): Promise<readonly object[]> {
    const api = this.#config.makeApiClient(CustomObjectsApi)
    const what = { group: GROUP, version: VERSION, plural }
    const { namespace } = this.#place
    try {
      const list: unknown =
        namespace === undefined
          ? await api.listClusterCustomObject(what)
          : await api.listNamespacedCustomObject({ ...what, namespace })
      return (list as List).items.map(({ metadata, status = {} }) => ({
        name: `${metadata.namespace}/${metadata.name}`,
        generation: metadata.generation,
        status,
      }))
    } catch (error) {
      if (error instanceof ApiException && error.code === 404)
        throw new Failure(
          `The cluster has no ${plural}.${GROUP}; is Tradewind installed there? \`helm install\` brings them.`,
        )
      throw new Failure(`The ${plural} cannot be listed: ${words(error)}.`)
    }
  }

  async #operator(): Promise<V1Pod> {
    const { operatorNamespace: namespace } = this.#place
    const { items } =
      namespace === undefined
        ? await this.#core.listPodForAllNamespaces({ labelSelector: OPERATOR })
        : await this.#core.listNamespacedPod({ namespace, labelSelector: OPERATOR })
    const ready = items.find(({ status }) =>
      status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    )
    if (!ready) throw new Failure(`No pod of the operator is ready (${OPERATOR})`)
    return ready
  }

  /** The roots that the operator's certificate is checked by are in every namespace with sidecars. */
  async #roots(): Promise<string> {
    const { namespace } = this.#place
    const fieldSelector = `metadata.name=${CA_NAME}`
    const { items } =
      namespace === undefined
        ? await this.#core.listConfigMapForAllNamespaces({ fieldSelector })
        : await this.#core.listNamespacedConfigMap({ namespace, fieldSelector })
    const ca = items.map(({ data }) => data?.[CA_KEY]).find((it) => it !== undefined)
    if (ca === undefined) throw new Failure(`No ConfigMap ${CA_NAME} is there, so no pod has a sidecar yet`)
    return ca
  }

  /** The user's own token: the operator asks the API server by it what the user may see. */
  async #token(): Promise<string> {
    const options: { headers: Record<string, string> } = { headers: {} }
    await this.#config.applyToHTTPSOptions(options)
    const token = /^Bearer (.+)$/.exec(options.headers['Authorization'] ?? '')?.[1]
    if (token === undefined)
      throw new Failure('The kubeconfig’s user has no token, only a certificate, which cannot be passed on')
    return token
  }
}

/** A way to the operator's push port, and what its certificate may be for. */
interface Line {
  readonly stream: Duplex
  readonly names: readonly string[]
  readonly close: () => void
}

function dial(address: string): Line {
  const url = URL.canParse(`https://${address}`) ? new URL(`https://${address}`) : undefined
  if (!url) throw new Failure(`${address} is no address of an operator; give one such as localhost:8443`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const stream = connect({ host, port: Number(url.port || 443) })
  return { stream, names: [host], close: () => stream.destroy() }
}

/** A list of one of our kinds, as far as it is shown. */
interface List {
  readonly items: readonly {
    readonly metadata: { readonly namespace: string; readonly name: string; readonly generation: number }
    readonly status?: object
  }[]
}

/** An error in one line. */
export function words(error: unknown): string {
  if (error instanceof ApiException) {
    const { message } = Object(typeof error.body === 'string' ? parse(error.body) : error.body) as { message?: unknown } // a metav1.Status
    return `${error.code} ${typeof message === 'string' ? message : ''}`.trim()
  }
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return [error.message, cause instanceof Error ? cause.message : '']
    .filter(Boolean)
    .join(': ')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
