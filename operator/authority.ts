import { ApiError, type ApiServer } from './api-server.ts'
import { issue, lifetime, makeRoot, type KeyPair } from './certificates.ts'
import { Reflector, type KubeObject } from './reflector.ts'
import { bundle, fromSecret, nextStep, promote, toSecret, type Roots, type Rotation } from './roots.ts'
import type { Logger } from 'pino'

/** The ConfigMap with the trusted roots, in every namespace with injected pods. */
export const CA_NAME = 'tradewind-ca'
/** What the ConfigMap's one key is called. */
export const CA_KEY = 'ca.crt'
/** Set on the Secret, it asks for a new root now; the operator removes it. */
const ROTATE = 'tradewind.dev/rotate'

const MANAGER = 'tradewind-ca'
const SECRET_TYPE = 'tradewind.dev/ca'

export interface AuthorityOptions {
  /** The operator's own namespace. */
  readonly namespace: string
  /** The Secret there that holds the roots and their keys. */
  readonly secret: string
  /** DNS names and addresses that the serving certificate is good for; the first is the name. */
  readonly names: readonly string[]
  readonly rotation: Rotation
  /** How long a serving certificate is good for, ms; renewed when two thirds are over. */
  readonly validity: number
  /** The webhook configurations (of both kinds) whose `caBundle` is ours; undefined: none. */
  readonly webhooks: string | undefined
  /** The namespaces with ConfigMaps that may be read and written; empty: all. */
  readonly watchNamespaces: readonly string[]
}

interface Stored extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}
interface WebhookView {
  readonly webhooks: readonly { readonly name: string; readonly ca: string }[]
}

/**
 * The operator's own certificate authority. Every replica signs its own serving certificate with the shared root; the leader alone
 * rotates the root and publishes it: to a ConfigMap in each namespace with injected pods, and as `caBundle` of the webhooks.
 */
export class Authority {
  readonly #api: ApiServer
  readonly #options: AuthorityOptions
  readonly #log: Logger
  readonly #secret: Reflector<Stored>
  readonly #maps: readonly Reflector<string>[]
  readonly #webhooks: ReadonlyMap<string, Reflector<WebhookView>>
  readonly #listeners: ((certificate: KeyPair) => void)[] = []
  readonly #secretsPath: string
  #roots: Roots | undefined
  #serving: KeyPair | undefined
  #leading = false
  #injected: ReadonlySet<string> = new Set()
  #timer: NodeJS.Timeout | undefined
  #queue: Promise<void> = Promise.resolve()
  #queued = false
  #stopped = false

  constructor(api: ApiServer, options: AuthorityOptions, log: Logger) {
    this.#api = api
    this.#options = options
    this.#log = log
    this.#secretsPath = `/api/v1/namespaces/${options.namespace}/secrets`
    const touched = () => void this.reconcile()
    this.#secret = new Reflector<Stored>(
      api,
      { path: this.#secretsPath, fieldSelector: `metadata.name=${options.secret}`, trim: (it): Stored => it },
      touched,
      log,
    )
    const scopes = options.watchNamespaces.length ? options.watchNamespaces.map((it) => `/namespaces/${it}`) : ['']
    this.#maps = scopes.map(
      (scope) =>
        new Reflector<string>(
          api,
          {
            path: `/api/v1${scope}/configmaps`,
            fieldSelector: `metadata.name=${CA_NAME}`,
            trim: (it) => (it as Stored).data?.[CA_KEY] ?? '', // a ConfigMap
          },
          touched,
          log,
        ),
    )
    const kinds = options.webhooks ? ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] : []
    this.#webhooks = new Map(
      kinds.map((kind) => [
        kind,
        new Reflector<WebhookView>(
          api,
          {
            path: `/apis/admissionregistration.k8s.io/v1/${kind}`,
            fieldSelector: `metadata.name=${options.webhooks}`,
            trim: webhookView,
          },
          touched,
          log,
        ),
      ]),
    )
  }

  /** Resolves when there is a root and a serving certificate. */
  async start(): Promise<void> {
    await this.#secret.synced
    while (!this.#serving && !this.#stopped) await this.reconcile()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#queue
    await Promise.all([this.#secret, ...this.#maps, ...this.#webhooks.values()].map((it) => it.stop()))
  }

  /** The certificate to serve with; its chain ends in the published root. */
  get serving(): KeyPair {
    if (!this.#serving) throw new Error('the authority has not started')
    return this.#serving
  }

  /** Every root that is trusted at the moment, PEM. */
  get trusted(): string {
    return this.#roots ? bundle(this.#roots) : ''
  }

  /** Calls `listener` with each renewed serving certificate. */
  onRenewed(listener: (certificate: KeyPair) => void): void {
    this.#listeners.push(listener)
  }

  /** Says whether this replica leads. */
  lead(leading: boolean): void {
    this.#leading = leading
    void this.reconcile()
  }

  /** Says which namespaces have injected pods now. */
  seen(namespaces: ReadonlySet<string>): void {
    const more = !namespaces.isSubsetOf(this.#injected)
    this.#injected = namespaces
    if (more) void this.reconcile()
  }

  /** Publishes the roots in a namespace that is about to have an injected pod, unless they are there. Any replica may. */
  async publish(namespace: string): Promise<void> {
    const roots = this.trusted
    if (!roots || this.#maps.some((it) => it.items.get(`${namespace}/${CA_NAME}`) === roots)) return
    await this.#api.apply(
      `/api/v1/namespaces/${namespace}/configmaps/${CA_NAME}`,
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: CA_NAME,
          namespace,
          labels: { 'app.kubernetes.io/managed-by': 'tradewind-operator', 'app.kubernetes.io/part-of': 'tradewind' },
        },
        data: { [CA_KEY]: roots },
      },
      MANAGER,
    )
  }

  /** Looks at everything anew; resolves when done. Never two at once. */
  reconcile(): Promise<void> {
    if (this.#queued || this.#stopped) return this.#queue
    this.#queued = true
    this.#queue = this.#queue
      .then(() => {
        this.#queued = false
        return this.#reconcile()
      })
      .catch(async (error: unknown) => {
        if (this.#stopped) return
        this.#log.warn({ error: String(error) }, 'trust could not be brought up to date: it is tried again')
        await new Promise((resolve) => setTimeout(resolve, 500))
      })
      .finally(() => this.#schedule())
    return this.#queue
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const { validity, rotation } = this.#options
    const often = Math.min(60_000, validity / 10, rotation.overlap / 10)
    if (!this.#stopped) this.#timer = setTimeout(() => void this.reconcile(), often)
  }

  async #reconcile(): Promise<void> {
    const stored = this.#secret.items.get(`${this.#options.namespace}/${this.#options.secret}`)
    const roots = fromSecret(stored?.data ?? {})
    if (roots) this.#roots = roots
    // A Secret that somebody deleted comes back as it was: what the sidecars trust must stay.
    else
      await this.#store(this.#roots ?? { current: await makeRoot(this.#options.rotation.validity, Date.now()) }, stored)
    await this.#renew()
    if (!this.#leading || !roots) return
    await this.#publishEverywhere()
    await this.#rotate(roots, stored)
  }

  async #renew(): Promise<void> {
    if (!this.#roots) return
    const { validity, names } = this.#options
    const now = Date.now()
    const root = this.#roots.current
    if (this.#serving && this.#signer === root.certificate) {
      const { from, until } = lifetime(this.#serving.certificate)
      if (now < from + ((until - from) * 2) / 3) return
    }
    this.#serving = await issue(root, names, validity, now)
    this.#signer = root.certificate
    for (const listener of this.#listeners) listener(this.#serving)
  }
  #signer = ''

  async #publishEverywhere(): Promise<void> {
    const known = this.#maps.flatMap((it) => [...it.items.keys()].map((key) => key.split('/')[0] ?? ''))
    for (const namespace of new Set([...known, ...this.#injected]))
      await this.publish(namespace).catch((error: unknown) => {
        // A namespace that is being deleted takes nothing more, and needs nothing.
        if (!(error instanceof ApiError && [403, 404].includes(error.status))) throw error
        this.#log.warn({ namespace, error: String(error) }, 'the roots could not be published')
      })
    const caBundle = btoa(this.trusted)
    for (const [kind, reflector] of this.#webhooks) {
      const view = reflector.items.get(this.#options.webhooks ?? '')
      if (!view || view.webhooks.every((it) => it.ca === caBundle)) continue
      const webhooks = view.webhooks.map(({ name }) => ({ name, clientConfig: { caBundle } }))
      await this.#api.apply(
        `/apis/admissionregistration.k8s.io/v1/${kind}/${this.#options.webhooks}`,
        {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: kind.startsWith('m') ? 'MutatingWebhookConfiguration' : 'ValidatingWebhookConfiguration',
          metadata: { name: this.#options.webhooks },
          webhooks,
        },
        MANAGER,
      )
    }
  }

  async #rotate(roots: Roots, stored: Stored | undefined): Promise<void> {
    const now = Date.now()
    const { rotation } = this.#options
    if (roots.next && roots.next.published === undefined)
      // Everyone has just been told: the overlap begins.
      return this.#store({ ...roots, next: { ...roots.next, published: now } }, stored)
    const step = nextStep(roots, stored?.metadata.annotations?.[ROTATE] !== undefined, now, rotation)
    if (!step) return
    this.#log.info({ step }, 'rotating the root certificate')
    if (step === 'announce') await this.#store({ ...roots, next: await makeRoot(rotation.validity, now) }, stored)
    if (step === 'promote') await this.#store(promote(roots, now), stored)
    if (step === 'forget')
      await this.#store({ current: roots.current, ...(roots.next ? { next: roots.next } : {}) }, stored)
  }

  async #store(roots: Roots, stored: Stored | undefined): Promise<void> {
    const { [ROTATE]: _, ...annotations } = stored?.metadata.annotations ?? {}
    const { resourceVersion } = stored?.metadata ?? {}
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: SECRET_TYPE,
      metadata: {
        name: this.#options.secret,
        namespace: this.#options.namespace,
        labels: { 'app.kubernetes.io/managed-by': 'tradewind-operator', 'app.kubernetes.io/part-of': 'tradewind' },
        annotations,
        ...(resourceVersion ? { resourceVersion } : {}),
      },
      data: toSecret(roots),
    }
    try {
      if (stored) await this.#api.call('PUT', `${this.#secretsPath}/${this.#options.secret}`, { body })
      else await this.#api.call('POST', this.#secretsPath, { body })
    } catch (error) {
      // Another replica was quicker: the watch brings what it wrote.
      if (!(error instanceof ApiError && error.status === 409)) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

function webhookView(object: KubeObject): WebhookView {
  const { webhooks = [] } = object as { webhooks?: { name: string; clientConfig: { caBundle?: string } }[] } // a webhook configuration
  return { webhooks: webhooks.map(({ name, clientConfig }) => ({ name, ca: clientConfig.caBundle ?? '' })) }
}
