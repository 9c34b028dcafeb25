import type { ResourceKey } from '../../api/compiled.ts'
import type { Hello, Report } from '../../api/protocol.ts'
import type { Channel, Identity } from '../channel.ts'
import type { Refusal, Serves } from '../fleet.ts'
import { keyOf } from '../compile/resource.ts'
import { toggle } from '../../core/digest.ts'
import { updateText } from './group.ts'
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
  /** Of the whole that the sidecar is to have then. */
  readonly digest: string
  /** What of it is withheld, and the digests of what the sidecar keeps in its place. */
  readonly held: ReadonlyMap<ResourceKey, string | undefined>
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
  /** What it refused by name, in that version: it is offered all else, so that one bad resource does not keep the others from it. */
  readonly withheld = new Map<ResourceKey, string>()
  /** The version of its group that it has answered, whichever way. */
  answered: Version | undefined
  /** It has answered an update of its group. */
  told = false
  report: Report | undefined
  nextCheck: number
  closed = false
  /** The first update is sent even where nothing differs: it tells the sidecar that it is up to date. */
  #fresh = true
  #again = false
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
    this.withheld.clear()
    this.#fresh = true
  }

  /** Says something that need not be heard: nothing, where too much waits to be heard already. */
  readonly tell = (text: string): void => {
    if (!this.closed && this.channel.buffered() < WAITING) this.channel.send(text)
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
    return this.#again || !(this.refusal && this.answered === group.head)
  }

  /** The update that is due. Those of sidecars that start from the same share one text. */
  update(group: Group): Update {
    const { base } = this
    if (this.withheld.size > 0) return this.#without(group)
    const { digest } = group.head
    if (!('group' in base)) {
      const nothing = base.entries()[Symbol.iterator]().next().done === true
      return { rest: group.text(nothing ? NOTHING : undefined, () => group.from(base)), digest, held: NONE }
    }
    const changes = () => (base.group === group ? group.since(base.version) : group.from(this.serves()))
    return { rest: group.text(base.version, changes), digest, held: NONE }
  }

  /** Sends an update. Returns its size, UTF-16 units. */
  send(group: Group, { rest, digest, held }: Update, now: number): number {
    const nonce = ++this.#nonce
    const text = `{"type":"update","nonce":${nonce},${rest}`
    this.#fresh = this.#again = false
    this.pending = { nonce, to: { group, version: group.head }, digest, held, at: now, bytes: text.length }
    this.channel.send(text)
    return text.length
  }

  /** It has what was pending. */
  accept({ to, held }: Pending): void {
    this.base = held.size === 0 ? to : overlay(to.group.at(to.version), held)
    if (held.size > 0) return
    this.refusal = undefined
    this.withheld.clear()
  }

  /** It has refused what was pending; what it names is withheld, and the rest is due again. */
  refuse({ to, held }: Pending, errors: Refusal['errors']): void {
    const serves = this.serves()
    const refused = new Map<ResourceKey, string>()
    for (const [key, digest] of to.group.at(to.version).entries())
      if (!held.has(key) && serves.get(key) !== digest) refused.set(key, digest)
    let named = false
    for (const key of errors.flatMap(({ resource }) => [resource, ...partsOf(resource, to.group.config)])) {
      const digest = refused.get(key)
      if (digest === undefined) continue
      this.withheld.set(key, digest)
      refused.delete(key)
      named = true
    }
    this.#again = named && refused.size > 0
    const before = this.refusal?.errors.filter(({ resource }) => held.has(resource)) ?? []
    this.refusal = {
      pod: this.pod,
      refused: Object.fromEntries([...this.withheld, ...(this.#again ? [] : refused)]),
      errors: [...before, ...errors],
    }
  }

  /** The update that is due, without what was refused and is still the same. */
  #without(group: Group): Update {
    const { base } = this
    const serves = this.serves()
    const changes = new Map('group' in base && base.group === group ? group.since(base.version) : group.from(serves))
    const held = new Map<ResourceKey, string | undefined>()
    let { digest } = group.head
    for (const [key, refused] of this.withheld) {
      if (changes.get(key)?.digest !== refused) continue
      const has = serves.get(key)
      changes.delete(key)
      held.set(key, has)
      digest = toggle(digest, key, refused)
      if (has !== undefined) digest = toggle(digest, key, has)
    }
    return { rest: updateText(changes, digest), digest, held }
  }
}

/** An update on its way: its text less the beginning, which has the nonce. */
interface Update extends Pick<Pending, 'digest' | 'held'> {
  readonly rest: string
}

/** Bytes. */
const WAITING = 1 << 20
const NOTHING = {}
const NONE: Pending['held'] = new Map()

/** What an endpoint is refused with, too: the keys and addresses that belong to it. */
function partsOf(resource: ResourceKey, config: Group['config']): readonly ResourceKey[] {
  const body = config.get(resource)?.body
  if (!body || !('credentials' in body || 'tls' in body || 'dynamic' in body)) return []
  const { name, credentials, tls } = body
  const secrets = [credentials?.secret?.secret, tls?.ca?.secret, tls?.clientCertificate]
  return [
    keyOf('addresses', name),
    ...secrets.flatMap((secret) => (secret === undefined ? [] : [keyOf('secret', secret)])),
  ]
}

/** A configuration with some resources other than it has them; undefined for those that are not there. */
function overlay(under: Serves, over: ReadonlyMap<ResourceKey, string | undefined>): Serves {
  return {
    get: (key) => (over.has(key) ? over.get(key) : under.get(key)),
    *entries() {
      for (const entry of under.entries()) if (!over.has(entry[0])) yield entry
      for (const [key, digest] of over) if (digest !== undefined) yield [key, digest]
    },
  }
}
