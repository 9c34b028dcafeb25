import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { ModelEndpoint } from '../../api/model-endpoint.ts'
import type { ModelRoute } from '../../api/model-route.ts'
import { modelEndpoint } from '../../api/model-endpoint.ts'
import { modelRoute } from '../../api/model-route.ts'
import { parse } from '../../api/parse.ts'
import { API_VERSION } from '../../api/resource.ts'
import type { ExperimentInForce } from '../../core/experiment/in-force.ts'
import type { InForce } from '../../core/rollout/in-force.ts'
import { ApiError, type ApiServer } from '../api-server.ts'
import { Reflector, type KubeObject, type Watched } from '../reflector.ts'
import { experimentsInForce } from '../experiment/item.ts'
import { itemsOf } from '../experiment/kubernetes-store.ts'
import { recordOf } from '../rollout/record.ts'
import { inForceOf } from '../rollout/store.ts'
import { ARTEFACT_LABEL, SECRET_LABEL } from '../world.ts'
import type { ArtefactView, Invalid, NamespaceView, PodView, SecretView, ServiceView, SliceView } from '../world.ts'
import type { Source, Touched, TouchedKind, World } from '../world.ts'
import { needOf, type Need } from './dependents.ts'
import { shared } from './sharing.ts'
import { artefactView, INJECTED_LABEL, namespaceView, podView, secretView, serviceView, sliceView } from './views.ts'

/** What the API server holds as the status of one of our objects. */
export interface Stored {
  readonly uid: string
  readonly resourceVersion: string
  readonly status: unknown
}

export interface KubernetesOptions {
  /** The only namespaces that are looked at; empty: all. */
  readonly watchNamespaces: readonly string[]
}

interface Manifest extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation?: number }
}
interface Custom {
  /** Until the world has it: ten thousand objects are not kept twice. */
  manifest: Manifest | undefined
  /** Of the manifest. */
  readonly digest: string
  readonly uid: string
  readonly resourceVersion: string
  /** As JSON, which is a third of the size; undefined: it has none. */
  readonly status: string | undefined
}
/** A reflector, whatever it holds. */
type Running = Pick<Reflector<unknown>, 'synced' | 'stop'>
interface Dependent {
  readonly need: Need
  readonly reflectors: readonly Running[]
  readonly pods?: Reflector<PodView>
  readonly users: Set<string>
  readonly synced: Promise<unknown>
}

/** An endpoint whose addresses cannot be read enters the world all the same after this long, and says so in its status. */
const PATIENCE = 5000
/** How often the labels of `watchNamespaces` are read: watching a Namespace takes a right over all of them. */
const NAMESPACES_EVERY = 15_000

/** kubectl's own copy of the whole manifest. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** The world as the API server has it, kept up to date by watches. Services, their slices, and pods are watched only where an endpoint needs them. */
export class KubernetesSource implements Source {
  readonly #api: ApiServer
  readonly #options: KubernetesOptions
  readonly #log: Logger
  readonly #reflectors: Running[] = []
  readonly #injected: Reflector<PodView>[] = []
  readonly #dependents = new Map<string, Dependent>()
  readonly #needs = new Map<string, Dependent>()
  readonly #stop = new AbortController()
  /** Whether what the API server has stored is checked by the CEL rules too. It has been, but maybe by an earlier release's. */
  #doubt = false
  #changed: ((touched: Touched) => void) | undefined

  readonly #routes = new Map<string, ModelRoute>()
  readonly #endpoints = new Map<string, ModelEndpoint>()
  readonly #invalid = new Map<string, Invalid>()
  readonly #stored = new Map<string, Custom>()
  readonly #secrets = new Map<string, SecretView>()
  readonly #artefacts = new Map<string, ArtefactView>()
  readonly #services = new Map<string, ServiceView>()
  readonly #slices = new Map<string, readonly SliceView[]>()
  readonly #pods = new Map<string, PodView>()
  readonly #namespaces = new Map<string, NamespaceView>()
  readonly #rollouts = new Map<string, readonly InForce[]>()
  readonly #experiments = new Map<string, readonly ExperimentInForce[]>()

  constructor(api: ApiServer, options: KubernetesOptions, log: Logger) {
    this.#api = api
    this.#options = options
    this.#log = log
  }

  async start(changed: (touched?: Touched) => void): Promise<void> {
    const { watchNamespaces } = this.#options
    const scopes = watchNamespaces.length ? watchNamespaces.map((it) => `/namespaces/${it}`) : ['']
    const admitted: Promise<void>[] = []
    for (const scope of scopes) {
      this.#watchKind('ModelRoute', `/apis/${API_VERSION}${scope}/${modelRoute.plural}`, admitted)
      this.#watchKind('ModelEndpoint', `/apis/${API_VERSION}${scope}/${modelEndpoint.plural}`, admitted)
      const secrets = {
        path: `/api/v1${scope}/secrets`,
        labelSelector: `${SECRET_LABEL.name}=${SECRET_LABEL.value}`,
        trim: secretView,
      }
      this.#reflect('Secret', this.#secrets, secrets)
      this.#reflect('ConfigMap', this.#artefacts, {
        path: `/api/v1${scope}/configmaps`,
        labelSelector: `${ARTEFACT_LABEL.name}=${ARTEFACT_LABEL.value}`,
        trim: artefactView,
      })
      const pods = this.#watchPods({
        path: `/api/v1${scope}/pods`,
        labelSelector: `${INJECTED_LABEL}=true`,
        trim: podView,
      })
      this.#injected.push(pods)
      this.#reflectors.push(pods)
    }
    if (watchNamespaces.length === 0)
      this.#reflect('Namespace', this.#namespaces, { path: '/api/v1/namespaces', trim: namespaceView })
    else await this.#pollNamespaces()
    await Promise.all(this.#reflectors.map((it) => it.synced))
    await Promise.all(admitted)
    this.#changed = changed
  }

  world(): World {
    return {
      routes: this.#routes,
      endpoints: this.#endpoints,
      invalid: this.#invalid,
      secrets: this.#secrets,
      artefacts: this.#artefacts,
      services: this.#services,
      slices: this.#slices,
      pods: this.#pods,
      namespaces: this.#namespaces,
      rollouts: this.#rollouts,
      experiments: this.#experiments,
    }
  }

  /**
   * Checks every object by all rules, from now on: what broke a compile may have been stored under rules of an earlier release. Those that
   * fail leave the world and say why in their status.
   */
  verify(): void {
    if (this.#doubt) return
    this.#doubt = true
    for (const [name, object] of [...this.#routes, ...this.#endpoints]) {
      if (parse(object).ok) continue
      ;(object.kind === 'ModelRoute' ? this.#routes : this.#endpoints).delete(name)
      void this.#take(object.kind, name, object)
    }
  }

  /** What the API server holds of an object's status, by `KIND namespace/name`. */
  stored(key: string): Stored | undefined {
    const found = this.#stored.get(key)
    if (!found) return undefined
    const { uid, resourceVersion, status } = found
    return { uid, resourceVersion, status: status === undefined ? undefined : JSON.parse(status) }
  }

  async stop(): Promise<void> {
    this.#changed = undefined
    this.#stop.abort()
    const all = [...this.#reflectors, ...[...this.#dependents.values()].flatMap((it) => it.reflectors)]
    await Promise.all(all.map((it) => it.stop()))
  }

  #touch(kind: TouchedKind, name: string): void {
    this.#changed?.({ kind, name })
  }

  /** Watches a collection into a map of the world. */
  #reflect<T>(kind: TouchedKind, into: Map<string, T>, what: Watched<T>): void {
    const changed = (name: string, now: T | undefined) => {
      if (now === undefined) into.delete(name)
      else into.set(name, now)
      this.#touch(kind, name)
    }
    this.#reflectors.push(new Reflector(this.#api, what, changed, this.#log))
  }

  #watchKind(kind: 'ModelRoute' | 'ModelEndpoint', path: string, admitted: Promise<void>[]): void {
    const changed = (name: string, now: Custom | undefined, before: Custom | undefined) => {
      const key = `${kind} ${name}`
      if (now) this.#stored.set(key, now)
      else this.#stored.delete(key)
      if (kind === 'ModelRoute' && now?.status !== before?.status) this.#decided(name, now?.status)
      const manifest = now?.manifest
      if (now) now.manifest = undefined
      // Our own status writes come back this way: they change nothing.
      if (now && now.digest === before?.digest) return
      const done = this.#take(kind, name, manifest)
      if (!this.#changed) admitted.push(done)
    }
    this.#reflectors.push(new Reflector(this.#api, { path, trim: (it) => custom(kind, it) }, changed, this.#log))
  }

  /** What was decided of a route's rollouts and experiments takes effect once the watch has brought it, here as at every replica. */
  #decided(name: string, text: string | undefined): void {
    const some = text?.includes('"rollouts"') || text?.includes('"experiments"')
    if (!some && !this.#rollouts.has(name) && !this.#experiments.has(name)) return
    const status: unknown = text === undefined ? undefined : JSON.parse(text)
    const rollouts = replaced(this.#rollouts, name, inForceOf(recordOf(status).states))
    const experiments = replaced(this.#experiments, name, experimentsInForce(itemsOf(status)))
    if (rollouts || experiments) this.#touch('ModelRoute', name)
  }

  /** Takes an object of ours into the world. One that does not parse leaves its last good version there. */
  async #take(kind: 'ModelRoute' | 'ModelEndpoint', name: string, manifest: Manifest | undefined): Promise<void> {
    const key = `${kind} ${name}`
    const parsed = manifest && parse(manifest, { rules: this.#doubt })
    if (parsed && !parsed.ok) {
      const generation = manifest.metadata.generation ?? 0
      this.#invalid.set(key, { kind, name, generation, problems: parsed.problems })
      return this.#touch(kind, name)
    }
    this.#invalid.delete(key)
    const object = parsed && shared(parsed.object)
    if (kind === 'ModelRoute') {
      if (object?.kind === 'ModelRoute') this.#routes.set(name, object)
      else this.#routes.delete(name)
    } else await this.#takeEndpoint(name, object?.kind === 'ModelEndpoint' ? object : undefined)
    this.#touch(kind, name)
  }

  /** An endpoint enters the world together with where it is: before its watch is in, it would seem to be nowhere. */
  async #takeEndpoint(name: string, endpoint: ModelEndpoint | undefined): Promise<void> {
    const before = this.#needs.get(name)
    const need = endpoint && needOf(endpoint)
    const dependent = need && this.#dependent(need)
    dependent?.users.add(name)
    if (dependent) this.#needs.set(name, dependent)
    else this.#needs.delete(name)
    if (dependent && dependent !== before) {
      const { signal } = this.#stop
      const late = this.#changed ? sleep(PATIENCE, undefined, { signal, ref: false }).catch(() => {}) : undefined
      await Promise.race([dependent.synced, ...(late ? [late] : [])])
    }
    if (this.#needs.get(name) !== dependent) return // a newer version has overtaken it
    if (endpoint) this.#endpoints.set(name, endpoint)
    else this.#endpoints.delete(name)
    if (before && before !== dependent) this.#release(before, name)
  }

  #dependent(need: Need): Dependent {
    const known = this.#dependents.get(need.key)
    if (known) return known
    const { namespace } = need
    const at = `/namespaces/${namespace}`
    const made = (reflectors: readonly Running[], pods?: Reflector<PodView>): Dependent => ({
      need,
      reflectors,
      ...(pods ? { pods } : {}),
      users: new Set(),
      synced: Promise.all(reflectors.map((it) => it.synced)),
    })
    let dependent: Dependent
    if (need.kind === 'Pods') {
      const { labelSelector } = need
      const pods = this.#watchPods({
        path: `/api/v1${at}/pods`,
        trim: podView,
        ...(labelSelector ? { labelSelector } : {}),
      })
      dependent = made([pods], pods)
    } else {
      const services = new Reflector<ServiceView>(
        this.#api,
        { path: `/api/v1${at}/services`, trim: serviceView },
        (name, now) => {
          if (now) this.#services.set(name, now)
          else this.#services.delete(name)
          this.#touch('Service', name)
        },
        this.#log,
      )
      const slices = new Reflector<SliceView>(
        this.#api,
        { path: `/apis/discovery.k8s.io/v1${at}/endpointslices`, trim: sliceView },
        (_, now, before) => {
          for (const service of new Set([now?.service, before?.service])) {
            if (service === undefined) continue
            const all = [...slices.items.values()].filter((it) => it.service === service)
            const name = `${namespace}/${service}`
            if (all.length) this.#slices.set(name, all)
            else this.#slices.delete(name)
            this.#touch('EndpointSlice', name)
          }
        },
        this.#log,
      )
      dependent = made([services, slices])
    }
    this.#dependents.set(need.key, dependent)
    return dependent
  }

  /** Ends a watch that no endpoint needs any more, and forgets what it brought. */
  #release(dependent: Dependent, user: string): void {
    dependent.users.delete(user)
    if (dependent.users.size > 0) return
    const { key, namespace, kind } = dependent.need
    this.#dependents.delete(key)
    for (const it of dependent.reflectors) void it.stop()
    if (kind === 'Pods') for (const name of dependent.pods?.items.keys() ?? []) this.#settlePod(name)
    else
      for (const map of [this.#services, this.#slices])
        for (const name of [...map.keys()].filter((it) => it.startsWith(`${namespace}/`))) map.delete(name)
  }

  #watchPods(what: Watched<PodView>): Reflector<PodView> {
    return new Reflector(this.#api, what, (name) => this.#settlePod(name), this.#log)
  }

  /** A pod can be watched for its sidecar and for endpoints: it is in the world while any of those watches has it. */
  #settlePod(name: string): void {
    const [namespace] = name.split('/')
    const selected = [...this.#dependents.values()].filter((it) => it.need.namespace === namespace)
    const now = [...this.#injected, ...selected.flatMap((it) => it.pods ?? [])]
      .find((it) => it.items.has(name))
      ?.items.get(name)
    if (now) this.#pods.set(name, now)
    else this.#pods.delete(name)
    this.#touch('Pod', name)
  }

  async #pollNamespaces(): Promise<void> {
    const { signal } = this.#stop
    for (const name of this.#options.watchNamespaces)
      try {
        const now = namespaceView(await this.#api.call<KubeObject>('GET', `/api/v1/namespaces/${name}`, { signal }))
        if (JSON.stringify(this.#namespaces.get(name)) === JSON.stringify(now)) continue
        this.#namespaces.set(name, now)
        this.#touch('Namespace', name)
      } catch (error) {
        const gone = error instanceof ApiError && error.status === 404
        if (gone && this.#namespaces.delete(name)) this.#touch('Namespace', name)
        if (!gone && !signal.aborted) this.#log.warn({ namespace: name, error: String(error) }, 'namespace not read')
      }
    void sleep(NAMESPACES_EVERY, undefined, { signal, ref: false }).then(
      () => this.#pollNamespaces(),
      () => {}, // stop() ends the wait
    )
  }
}

/** An object of ours without what the API server keeps for itself, and its status apart. */
function custom(kind: string, object: KubeObject): Custom {
  const { metadata, spec, status } = object as KubeObject & { spec: unknown; status?: unknown } // a custom resource of ours
  const {
    resourceVersion = '',
    managedFields: _,
    annotations: { [LAST_APPLIED]: __, ...annotations } = {},
    ...kept
  } = metadata as KubeObject['metadata'] & { managedFields?: unknown } // ObjectMeta
  const manifest = Object.assign({ apiVersion: API_VERSION, kind, metadata: { ...kept, annotations } }, { spec })
  return {
    manifest,
    digest: createHash('sha256').update(JSON.stringify(manifest)).digest('base64url'),
    uid: metadata.uid ?? '',
    resourceVersion,
    status: status === undefined ? undefined : JSON.stringify(status),
  }
}

/** Puts a list in the place of another, or of nothing where it is empty; whether it is another one. */
function replaced<T>(lists: Map<string, readonly T[]>, name: string, now: readonly T[]): boolean {
  if (JSON.stringify(now) === JSON.stringify(lists.get(name) ?? [])) return false
  if (now.length > 0) lists.set(name, now)
  else lists.delete(name)
  return true
}
