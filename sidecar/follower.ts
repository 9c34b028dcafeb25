import type { CompiledConfig, CompiledResource, ResourceKey } from '../api/compiled.ts'
import { CAPABILITIES, PROTOCOL } from '../api/protocol.ts'
import type {
  Carry,
  Counted,
  Evidence,
  FromOperator,
  FromSidecar,
  Learned,
  Merged,
  Nack,
  Report,
  Retell,
  Update,
} from '../api/protocol.ts'
import { RELEASE } from '../api/release.ts'
import { EMPTY_DIGEST, toggle } from '../core/digest.ts'

/** A configuration with the digest of the whole. `since`: when it was put in force, milliseconds since the epoch. */
export interface Held {
  readonly config: CompiledConfig
  readonly digest: string
  readonly since: number
}

export interface FollowerOptions {
  /** Puts a configuration in force, whole, or says why not; then what was in force stays. */
  readonly apply: (config: CompiledConfig) => Nack['errors']
  /** Milliseconds since the epoch. */
  readonly wall: () => number
  /** Hears of each configuration that was put in force by an update. */
  readonly applied?: (held: Held) => void
  /** Hears of each update that was refused. */
  readonly refused?: (errors: Nack['errors']) => void
  /** Hears what is said of what sidecars learn. */
  readonly learning?: (message: Merged | Carry | Retell) => void
  /** Hears what is said of the evidence that sidecars tell. */
  readonly evidence?: (message: Counted | Retell) => void
  /** The operator has been told who this is, on a new connection; and when that has ended. */
  readonly opened?: () => void
  readonly closed?: () => void
  readonly version?: string
}

/** What a sidecar has before it has anything. */
export const NOTHING: Held = { config: new Map(), digest: EMPTY_DIGEST, since: 0 }

/** The digest of a whole configuration. */
export function digestOf(config: CompiledConfig): string {
  let whole = EMPTY_DIGEST
  for (const [key, { digest }] of config) whole = toggle(whole, key, digest)
  return whole
}

/**
 * The sidecar's end of the push protocol, whatever carries it: says what it has, applies what it is sent, and answers once that is in force.
 * An update that does not fit what it has makes it say hello again, so that the operator sends what differs.
 */
export class Follower {
  held: Held
  readonly #options: FollowerOptions
  #send: ((text: string) => void) | undefined

  /** `held` is in force already: the last good configuration of an earlier run, or `NOTHING`. */
  constructor(options: FollowerOptions, held: Held = NOTHING) {
    this.#options = options
    this.held = held
  }

  /** A connection is open. */
  open(send: (text: string) => void): void {
    this.#send = send
    this.#hello()
    this.#options.opened?.()
  }

  /** The connection has gone; what is in force stays. */
  close(): void {
    this.#send = undefined
    this.#options.closed?.()
  }

  /** A message of the operator. Those of a type that is not known are ignored. */
  hear(text: string): void {
    const message = JSON.parse(text) as FromOperator // of the operator, whose certificate was checked; bodies are checked by `apply`
    if (message.type === 'update') this.#update(message)
    else if (message.type === 'check') {
      if (message.digest !== this.held.digest) this.#hello()
    } else if (message.type === 'merged' || message.type === 'carry') this.#options.learning?.(message)
    else if (message.type === 'counted') this.#options.evidence?.(message)
    else if (message.type === 'retell') {
      this.#options.learning?.(message)
      this.#options.evidence?.(message)
    }
  }

  /** Tells the operator what is in force, so that it can see a difference. */
  check(): void {
    this.#say({ type: 'check', digest: this.held.digest })
  }

  /** Tells the operator of a renewed token. */
  renew(token: string): void {
    this.#say({ type: 'auth', token })
  }

  report(report: Report | Learned | Evidence): void {
    this.#say(report)
  }

  #hello(): void {
    const have: Partial<Record<ResourceKey, string>> = {}
    for (const [key, { digest }] of this.held.config) have[key] = digest
    this.#say({
      type: 'hello',
      protocol: PROTOCOL,
      version: this.#options.version ?? RELEASE,
      capabilities: CAPABILITIES,
      have: have as Record<ResourceKey, string>, // each key was given its digest
    })
  }

  #update({ nonce, set, remove, digest }: Update): void {
    const config = new Map(this.held.config)
    let whole = this.held.digest
    const put = (key: ResourceKey, after: CompiledResource | undefined) => {
      const before = config.get(key)
      if (before) whole = toggle(whole, key, before.digest)
      if (after) whole = toggle(whole, key, after.digest)
      if (after) config.set(key, after)
      else config.delete(key)
    }
    for (const key of remove) put(key, undefined)
    for (const [key, resource] of Object.entries(set)) put(key as ResourceKey, resource) // the keys of `set` are such
    if (whole !== digest) return this.#hello()
    // What is in force already is not built anew; nothing at all is, the first time, so that the sidecar counts as configured.
    const unchanged = whole === this.held.digest && this.held.since > 0
    const errors = unchanged ? [] : this.#apply(config)
    if (errors.length > 0) {
      this.#say({ type: 'nack', nonce, digest: this.held.digest, errors })
      this.#options.refused?.(errors)
      return
    }
    if (!unchanged) {
      this.held = { config, digest: whole, since: this.#options.wall() }
    }
    this.#say({ type: 'ack', nonce, digest: whole })
    if (!unchanged) this.#options.applied?.(this.held)
  }

  /** A fault of ours refuses the update as a whole: connecting again would bring the same one. */
  #apply(config: CompiledConfig): Nack['errors'] {
    try {
      return this.#options.apply(config)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return [{ resource: '' as ResourceKey, path: '', message }] // no resource in particular
    }
  }

  #say(message: FromSidecar): void {
    this.#send?.(JSON.stringify(message))
  }
}
