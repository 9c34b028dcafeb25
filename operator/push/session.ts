import type { ResourceKey } from '../../api/compiled.ts'
import type { Hello, Report } from '../../api/protocol.ts'
import type { Channel, Identity } from '../channel.ts'
import type { Refusal, Serves } from '../fleet.ts'
import type { Group, Version } from './group.ts'

/** A version of a group's configuration. */
export interface Point {
  readonly group: Group
  readonly version: Version
}

/** The one update that a sidecar has not answered yet. */
export interface Pending {
  readonly nonce: number
  readonly to: Point
  readonly at: number
  readonly bytes: number
}

/** One connected sidecar: what it has, what it is to have, and the update between the two. */
export class Session {
  readonly identity: Identity
  readonly channel: Channel
  readonly close: (code: number, reason: string) => void
  /** `namespace/name` of its pod. */
  readonly pod: string
  /** As the API server has them now. */
  labels: Identity['labels']
  /** Of its program; empty until it has said hello. */
  version = ''
  lacks: readonly string[] = []
  /** What it is to have. */
  group: Group | undefined
  /** What it has: a version that it acknowledged, or whatever it said of itself. */
  base: Point | Serves = new Map()
  pending: Pending | undefined
  refusal: Refusal | undefined
  /** The version of its group that it has answered, whichever way. */
  answered: Version | undefined
  report: Report | undefined
  nextCheck: number
  closed = false
  /** The first update is sent even where nothing differs: it tells the sidecar that it is up to date. */
  #fresh = true
  #nonce = 0

  /** `close` ends the connection and its account. */
  constructor(channel: Channel, identity: Identity, close: Session['close'], nextCheck: number) {
    this.channel = channel
    this.identity = identity
    this.close = close
    this.pod = `${identity.namespace}/${identity.pod}`
    this.labels = identity.labels
    this.nextCheck = nextCheck
  }

  /** It begins, or begins anew: it has what it says, and what was under way is void. */
  greet(hello: Hello, lacks: readonly string[]): void {
    this.version = hello.version
    this.lacks = lacks
    this.base = new Map(Object.entries(hello.have)) as Map<ResourceKey, string> // the keys were checked at the door
    this.pending = undefined
    this.refusal = undefined
    this.#fresh = true
  }

  /** What it serves, as digests. */
  serves(): Serves {
    return 'group' in this.base ? this.base.group.at(this.base.version) : this.base
  }

  /** Whether an update is to be sent: not while one is unanswered, and not again what it has refused. */
  due(): boolean {
    const { group, base } = this
    if (!group || this.pending || this.closed) return false
    if (this.#fresh) return true
    if ('group' in base && base.version === group.head) return false
    return !(this.refusal && this.answered === group.head)
  }

  /** The update that is due, less its beginning, which has the nonce. Those that start from the same share one text. */
  update(group: Group): string {
    const { base } = this
    if (!('group' in base)) {
      const nothing = base.entries()[Symbol.iterator]().next().done === true
      return group.text(nothing ? NOTHING : undefined, () => group.from(base))
    }
    if (base.group === group) return group.text(base.version, () => group.since(base.version))
    return group.text(base.version, () => group.from(this.serves()))
  }

  /** Sends an update; `rest` is what `update` gave. Returns its size, UTF-16 units. */
  send(group: Group, rest: string, now: number): number {
    const nonce = ++this.#nonce
    const text = `{"type":"update","nonce":${nonce},${rest}`
    this.#fresh = false
    this.pending = { nonce, to: { group, version: group.head }, at: now, bytes: text.length }
    this.channel.send(text)
    return text.length
  }

  /** What an update would have brought that it does not serve. */
  refused({ to }: Pending): Refusal['refused'] {
    const serves = this.serves()
    const refused: Partial<Record<ResourceKey, string>> = {}
    for (const [key, digest] of to.group.at(to.version).entries()) if (serves.get(key) !== digest) refused[key] = digest
    return refused as Refusal['refused'] // no key of it is undefined
  }
}

const NOTHING = {}
