import type { Logger } from 'pino'
import { ApiError, microTime, type ApiServer } from './api-server.ts'
import { Reflector, type KubeObject } from './reflector.ts'

/** Who leads, as this replica knows it. */
export interface Leadership {
  /** This replica leads. */
  readonly leading: boolean
  /** Rises with each change of leader: `leaseTransitions`. What was said in an earlier epoch counts for nothing. */
  readonly epoch: number
  /** Where the leader listens, `host:port`; undefined while there is none. */
  readonly address: string | undefined
}

interface Lease extends KubeObject {
  readonly spec: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

export interface LeadOptions {
  readonly namespace: string
  /** The name of the Lease. */
  readonly name: string
  /** Unique to this process: a restarted container is another one. */
  readonly identity: string
  /** Where followers reach this replica, `host:port`. */
  readonly address: string
  /** How long a Lease holds that nobody renews, ms. A leader that could not renew for two thirds of it steps down by itself. */
  readonly duration: number
}

const ADDRESS = 'tradewind.dev/leader-address'

/**
 * Leader election by a Lease, as client-go does it: a Lease has expired when this process's own clock has seen no renewal for its
 * duration, so that clocks need not agree. The leader stops leading before others may begin. client-node brings no election.
 */
export class Lead {
  readonly #api: ApiServer
  readonly #options: LeadOptions
  readonly #changed: (now: Leadership) => void
  readonly #log: Logger
  readonly #lease: Reflector<Lease>
  readonly #path: string
  /** When a renewal was last seen, and what it said; of the process's monotonic clock. */
  #seen: { readonly text: string; readonly at: number } = { text: '', at: 0 }
  #renewed = -Infinity
  #state: Leadership = { leading: false, epoch: 0, address: undefined }
  #timer: NodeJS.Timeout | undefined
  #deadline: NodeJS.Timeout | undefined
  #turn: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(api: ApiServer, options: LeadOptions, changed: (now: Leadership) => void, log: Logger) {
    this.#api = api
    this.#options = options
    this.#changed = changed
    this.#log = log
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`
    this.#lease = new Reflector<Lease>(
      api,
      {
        path: this.#path,
        fieldSelector: `metadata.name=${options.name}`,
        trim: (object) => object as Lease, // a collection of Leases holds Leases
      },
      () => this.#look(),
      log,
    )
    void this.#lease.synced.then(() => this.#look())
  }

  get state(): Leadership {
    return this.#state
  }

  /** Hands the Lease back, so that another replica need not wait for it to expire. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#turn
    const lease = this.#current()
    const leading = this.#state.leading
    this.#set({ ...this.#state, leading: false })
    await this.#lease.stop()
    if (!leading || !lease) return
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() }
    await this.#write({ ...lease, spec }).catch((error: unknown) => {
      this.#log.warn({ error: String(error) }, 'the lease could not be handed back: it expires')
    })
  }

  #current(): Lease | undefined {
    return this.#lease.items.get(`${this.#options.namespace}/${this.#options.name}`)
  }

  /** Takes in what the Lease says, and takes a turn at once where nobody holds it. */
  #look(): void {
    const lease = this.#current()
    const { holderIdentity = '', renewTime = '', leaseTransitions = 0 } = lease?.spec ?? {}
    const text = `${holderIdentity} ${renewTime}`
    if (text !== this.#seen.text) this.#seen = { text, at: performance.now() }
    const mine = holderIdentity === this.#options.identity
    const expired = this.#expired(lease)
    if (!mine)
      this.#set({
        leading: false,
        epoch: leaseTransitions,
        address: expired ? undefined : lease?.metadata.annotations?.[ADDRESS],
      })
    if (!mine || !this.#timer) this.#schedule(expired ? Math.random() * 100 : undefined)
  }

  #expired(lease: Lease | undefined): boolean {
    const { holderIdentity, leaseDurationSeconds = 0 } = lease?.spec ?? {}
    return !holderIdentity || performance.now() - this.#seen.at > leaseDurationSeconds * 1000
  }

  /** The next turn, after `wait` ms; default: a jittered tenth of the duration. */
  #schedule(wait = (this.#options.duration / 10) * (1 + Math.random() * 0.2)): void {
    clearTimeout(this.#timer)
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#turn = this.#turn.then(() => this.#take()).finally(() => this.#schedule())
    }, wait)
  }

  /** Renews the Lease, or takes it where it is free. */
  async #take(): Promise<void> {
    const { identity, duration, name, namespace, address } = this.#options
    const lease = this.#current()
    const mine = lease?.spec.holderIdentity === identity
    if (lease && !mine && !this.#expired(lease)) return
    const now = microTime()
    const begun = performance.now()
    const transitions = (lease?.spec.leaseTransitions ?? 0) + (mine ? 0 : 1)
    try {
      await this.#write({
        ...lease,
        metadata: {
          ...lease?.metadata,
          name,
          namespace,
          annotations: { ...lease?.metadata.annotations, [ADDRESS]: address },
        },
        spec: {
          holderIdentity: identity,
          leaseDurationSeconds: Math.ceil(duration / 1000),
          acquireTime: mine ? (lease.spec.acquireTime ?? now) : now,
          renewTime: now,
          leaseTransitions: transitions,
        },
      })
    } catch (error) {
      // 409: another replica was quicker, or our copy is old; what the watch brings next says which.
      const lost = error instanceof ApiError && error.status === 409
      if (!lost) this.#log.warn({ error: String(error) }, 'the lease could not be written')
      return
    }
    this.#renewed = begun
    if (this.#stopped) return
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.#stepDown(), (duration * 2) / 3 - (performance.now() - begun))
    this.#set({ leading: true, epoch: transitions, address })
  }

  #stepDown(): void {
    if (!this.#state.leading || performance.now() - this.#renewed < (this.#options.duration * 2) / 3 - 50) return
    this.#log.warn('the lease could not be renewed: another replica may lead now')
    this.#set({ ...this.#state, leading: false, address: undefined })
  }

  async #write(
    lease: Omit<Lease, 'metadata'> & { metadata: KubeObject['metadata'] & { namespace?: string } },
  ): Promise<void> {
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease }
    const signal = AbortSignal.timeout(this.#options.duration / 3)
    if (lease.metadata.resourceVersion)
      await this.#api.call('PUT', `${this.#path}/${this.#options.name}`, { body, signal })
    else await this.#api.call('POST', this.#path, { body, signal })
  }

  #set(state: Leadership): void {
    const before = this.#state
    this.#state = state
    if (!state.leading) clearTimeout(this.#deadline)
    if (before.leading !== state.leading || before.epoch !== state.epoch || before.address !== state.address)
      this.#changed(state)
  }
}
