import { ApiException, CoreV1Api, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node'
import type { V1Pod } from '@kubernetes/client-node'
import { kinds } from '../api/kinds.ts'
import { GROUP, VERSION } from '../api/resource.ts'
import { CA_KEY, CA_NAME } from '../operator/authority.ts'
import { OVERVIEW_PATH } from '../operator/overview.ts'
import type { Overview, SidecarOverview } from '../operator/overview.ts'
import { INJECTED_LABEL } from '../operator/source/views.ts'
import { Failure } from './failure.ts'
import { dial, forward } from './line.ts'
import type { Line } from './line.ts'
import { askThrough } from './tunnel.ts'
import type { Question } from './tunnel.ts'

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
const ADMIN_PORT = 4142
/** Sidecars that are asked one by one: each takes a connection through the API server. */
const AT_MOST = 50

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

  /** The routes as the API server has them. */
  async routes(): Promise<readonly unknown[]> {
    return this.#items('modelroutes')
  }

  /** What the operator says. */
  async overview(): Promise<Overview> {
    const { namespace } = this.#place
    const path = namespace === undefined ? OVERVIEW_PATH : `${OVERVIEW_PATH}?namespace=${encodeURIComponent(namespace)}`
    const { line, question } = await this.operator()
    return (await askThrough(line, { ...question, path })) as Overview // what is there, answered with 200
  }

  /** A connection to the operator, where `operator` says or through a port that the API server forwards to one of its pods, and what every question there has. */
  async operator(): Promise<{ readonly line: Line; readonly question: Omit<Question, 'path'> }> {
    const { operator } = this.#place
    const [token, ca] = [await this.#token(), await this.#roots()]
    const { line, names } = operator === undefined ? await this.#operatorLine() : dial(operator)
    return { line, question: { headers: { authorization: `Bearer ${token}` }, tls: { ca, names } } }
  }

  /** The namespace that the kubeconfig's context is in. */
  get namespace(): string {
    return this.#config.getContextObject(this.#config.getCurrentContext())?.namespace ?? 'default'
  }

  /** What the sidecars themselves say, each asked through a port that the API server forwards to it; `AT_MOST` of them. */
  async sidecars({ routes }: Pick<Overview, 'routes'>): Promise<readonly SidecarOverview[]> {
    const pods = (await this.#pods(`${INJECTED_LABEL}=true`, this.#place.namespace)).filter(
      ({ status }) => status?.phase === 'Running',
    )
    const current = new Map(routes.map(({ name, generation }) => [name, generation]))
    const found: SidecarOverview[] = []
    for (const { metadata } of pods.slice(0, AT_MOST)) {
      const { namespace = '', name = '' } = metadata ?? {}
      const answer = await forward(this.#config, namespace, name, ADMIN_PORT)
        .then((line) => askThrough(line, { path: '/config', headers: {} }))
        .catch(() => undefined)
      found.push(sidecarOf(`${namespace}/${name}`, answer as InForce | undefined, current)) // what that page answers
    }
    return found
  }

  async #operatorLine(): Promise<{ readonly line: Line; readonly names: readonly string[] }> {
    const pods = await this.#pods(OPERATOR, this.#place.operatorNamespace)
    const ready = pods.find(({ status }) =>
      status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    )
    if (!ready) throw new Failure(`No pod of the operator is ready (${OPERATOR})`)
    const { namespace = '', name = '', labels = {} } = ready.metadata ?? {}
    const release = labels['app.kubernetes.io/instance'] ?? ''
    return {
      line: await forward(this.#config, namespace, name, PUSH_PORT),
      // The chart names its objects by the release, with its own name after it where that is not part of it.
      names: [`${release}-operator.${namespace}.svc`, `${release}-tradewind-operator.${namespace}.svc`],
    }
  }

  async #pods(labelSelector: string, namespace: string | undefined): Promise<readonly V1Pod[]> {
    const { items } =
      namespace === undefined
        ? await this.#core.listPodForAllNamespaces({ labelSelector })
        : await this.#core.listNamespacedPod({ namespace, labelSelector })
    return items
  }

  async #list(plural: string): Promise<readonly object[]> {
    const items = (await this.#items(plural)) as List['items'] // of one of our kinds
    return items.map(({ metadata, status = {} }) => ({
      name: `${metadata.namespace}/${metadata.name}`,
      generation: metadata.generation,
      status,
    }))
  }

  async #items(plural: string): Promise<readonly unknown[]> {
    const api = this.#config.makeApiClient(CustomObjectsApi)
    const what = { group: GROUP, version: VERSION, plural }
    const { namespace } = this.#place
    try {
      const list: unknown =
        namespace === undefined
          ? await api.listClusterCustomObject(what)
          : await api.listNamespacedCustomObject({ ...what, namespace })
      return (list as List).items
    } catch (error) {
      if (error instanceof ApiException && error.code === 404)
        throw new Failure(
          `The cluster has no ${plural}.${GROUP}; is Tradewind installed there? \`helm install\` brings them.`,
        )
      const everywhere = error instanceof ApiException && error.code === 403 && namespace === undefined
      throw new Failure(
        `The ${plural} cannot be listed: ${words(error)}.${everywhere ? ' Name a namespace by -n.' : ''}`,
      )
    }
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

/** The page `/config` of a sidecar, as far as it is looked at. */
interface InForce {
  readonly resources: Readonly<Record<string, { readonly body: { readonly generation?: number } }>>
}

/** What a sidecar serves, by the generations of its routes; which others it should serve, it does not know. */
function sidecarOf(pod: string, answer: InForce | undefined, current: ReadonlyMap<string, number>): SidecarOverview {
  const routes = Object.entries(answer?.resources ?? {}).flatMap(([key, { body }]) => {
    const [, name] = /^route\/(.*)$/.exec(key) ?? []
    if (name === undefined) return []
    return [{ name, serves: current.get(name) === body.generation ? ('Current' as const) : ('Other' as const) }]
  })
  return { pod, connected: answer !== undefined, lacks: [], routes }
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
