import type { ResourceKey } from '../api/compiled.ts'
import { PROTOCOL } from '../api/protocol.ts'
import type { Check, Evidence, FromSidecar, Hello, Learned, Report, Retell } from '../api/protocol.ts'
import { CLOSE } from './channel.ts'
import type { Channel, Identity } from './channel.ts'
import type { Audience } from './compile/audience.ts'
import type { Compiled } from './compile/index.ts'
import { keyOf } from './compile/resource.ts'
import { lacking } from './compile/skew.ts'
import type { Fleet } from './fleet.ts'
import { Convergence } from './push/convergence.ts'
import type { Version } from './push/group.ts'
import { Groups } from './push/groups.ts'
import { readMessage } from './push/messages.ts'
import { Observed } from './push/observed.ts'
import { promisesOf } from './push/promises.ts'
import { served } from './push/served.ts'
import { Session } from './push/session.ts'
import type { Pending } from './push/session.ts'

export interface PushOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** How often both sides compare digests, ms. */
  readonly checkEvery?: number
  /** How long an update may stay unanswered, and a connection without a hello, ms. */
  readonly answerWithin?: number
  /** Bytes that may be under way to all sidecars together; further updates wait, merged, for their turn. */
  readonly underWay?: number
  /** Bytes that may wait in one connection; more, and it is cut off. */
  readonly buffered?: number
}

/** What a measuring ear may want to hear of. */
export interface PushEvents {
  pushed?(bytes: number): void
  acknowledged?(): void
  refused?(): void
  /** From an edit to the last acknowledgement, ms. */
  converged?(ms: number): void
  /** A sidecar came or left, acknowledged, refused or reported: whose status may differ. */
  changed?(concerned: Concerned): void
  /** A renewed token of a sidecar. */
  token?(session: AttachedSession, token: string): void
  /** What a sidecar has learnt of routes that it serves. */
  learned?(session: AttachedSession, learned: Learned): void
  /** What became of a sidecar's requests, of routes that it serves. */
  evidence?(session: AttachedSession, evidence: Evidence): void
  /** A sidecar's connection has ended; `stopping`: it said that it ends itself. */
  left?(session: AttachedSession, stopping: boolean): void
}

/** Objects by their resources, or all of an audience. */
export interface Concerned {
  readonly keys: Iterable<ResourceKey>
  readonly audience?: Audience
}

/** One end of an attached sidecar. */
export interface AttachedSession {
  readonly identity: Identity
  /** Says something that need not be heard. */
  readonly tell: (text: string) => void
  /** Ends the connection, with a code of `CLOSE`. */
  close(code: number, reason: string): void
}

/** With which a sidecar closes that stops (RFC 6455, 7.4.1). */
const STOPPING = 1000
const DEFAULTS = { checkEvery: 30_000, answerWithin: 30_000, underWay: 64 << 20, buffered: 64 << 20 }

/**
 * Brings every attached sidecar to what the compile has for it, and keeps account of who serves what. Each has at most one update under way;
 * edits meanwhile merge into the next one, so that a slow sidecar costs bounded memory. Knows nothing of sockets.
 */
export class Push {
  readonly #options: Required<PushOptions>
  readonly #events: PushEvents
  readonly #sessions = new Map<string, Session>()
  readonly #groups = new Groups()
  readonly #waiting = new Set<Session>()
  readonly #observed = new Observed()
  readonly #convergence: Convergence
  readonly #timer: NodeJS.Timeout
  #compiled: Compiled | undefined
  #underWay = 0

  constructor(options: PushOptions, events: PushEvents = {}) {
    this.#options = { ...DEFAULTS, ...options }
    this.#events = events
    this.#convergence = new Convergence(options.now, (ms) => events.converged?.(ms))
    this.#timer = setInterval(() => this.#tick(), Math.min(1000, this.#options.checkEvery / 4)).unref()
  }

  /** Makes a compile the one that is in force. `at` is the time of the edit behind it, of `now`. */
  publish(compiled: Compiled, at: number = this.#options.now()): void {
    const publication = this.#convergence.begin(at)
    const { changes } = compiled
    const same = this.#compiled === compiled
    this.#compiled = compiled
    for (const session of same ? this.#moved(changes) : this.#sessions.values()) this.#regroup(session)
    if (!same) return
    for (const [group, keys] of this.#groups.touched(changes)) {
      if (!group.advance(keys, (key) => compiled.resource(key, group.lacks), publication)) continue
      const members = this.#groups.members(group)
      this.#convergence.await(publication, members.size)
      for (const session of members) this.#flush(session)
    }
  }

  /** Takes a connection whose other end is known to be that pod's sidecar. An older connection of the same pod is closed. */
  attach(channel: Channel, identity: Identity): AttachedSession {
    const end = (code: number, reason: string) => this.#close(session, code, reason)
    const session = new Session(channel, identity, end, this.#options.now() + this.#options.answerWithin)
    this.#sessions.get(session.pod)?.channel.close(CLOSE.replaced, 'The pod has connected again.')
    this.#drop(this.#sessions.get(session.pod))
    this.#sessions.set(session.pod, session)
    channel.onClose((code) => this.#drop(session, code === STOPPING))
    channel.onMessage((text) => {
      if (session.closed) return
      try {
        const message = readMessage(text)
        if (message) this.#hear(session, message)
      } catch (error) {
        this.#close(session, CLOSE.protocol, error instanceof Error ? error.message : 'not a message')
      }
    })
    return session
  }

  /** What the sidecars that are connected here have said. */
  fleet(): Fleet {
    return {
      ...served(this.#sessions.values()),
      targets: this.#observed.targets(this.#options.now()),
      endpoints: this.#observed.endpoints(),
      promises: promisesOf([...this.#sessions.values()].flatMap(({ report }) => report ?? [])),
    }
  }

  /** Sidecars that are connected; those of them that are not up to date; how long the oldest edit has been waiting for an answer, ms. */
  gauges(): { readonly connected: number; readonly queued: number; readonly oldest: number } {
    let queued = 0
    for (const session of this.#sessions.values()) if (session.pending || session.due()) queued++
    return { connected: this.#sessions.size, queued, oldest: this.#convergence.oldest() }
  }

  /** Has every sidecar tell anew what it has learnt, and what became of its requests. */
  retell(): void {
    const text = JSON.stringify({ type: 'retell' } satisfies Retell)
    for (const session of this.#sessions.values()) session.tell(text)
  }

  /** Closes every connection; the sidecars go on with what they have. */
  close(): void {
    clearInterval(this.#timer)
    for (const session of this.#sessions.values()) this.#close(session, CLOSE.shutdown, 'The operator is stopping.')
  }

  #hear(session: Session, message: FromSidecar): void {
    const { pending } = session
    switch (message.type) {
      case 'hello':
        return this.#hello(session, message)
      case 'ack':
        if (message.nonce !== pending?.nonce) return
        if (message.digest !== pending.digest)
          return this.#close(session, CLOSE.resync, 'Its configuration is not what was sent; it is to connect again.')
        session.accept(pending)
        this.#answered(session, pending, false)
        this.#events.acknowledged?.()
        this.#flush(session)
        return
      case 'nack':
        if (message.nonce !== pending?.nonce) return
        session.refuse(pending, message.errors)
        this.#answered(session, pending, true)
        this.#events.refused?.()
        this.#flush(session)
        return
      case 'check':
        return this.#check(session, message.digest)
      case 'report':
        return this.#report(session, message)
      case 'auth':
        return this.#events.token?.(session, message.token)
      case 'learned':
        return this.#learned(session, message)
      case 'evidence':
        return this.#evidence(session, message)
    }
  }

  #hello(session: Session, hello: Hello): void {
    if (hello.protocol !== PROTOCOL) {
      const message = `This operator speaks protocol ${PROTOCOL}, the sidecar ${hello.protocol}.`
      return this.#close(session, CLOSE.protocol, message)
    }
    this.#leave(session)
    this.#release(session)
    session.greet(hello, lacking(hello.capabilities))
    session.nextCheck = this.#options.now() + this.#options.checkEvery
    this.#regroup(session)
  }

  /** Where the sidecar has something else in force than it is taken to have, it is told so, and says hello again. */
  #check(session: Session, digest: string): void {
    const { base } = session
    if (!session.pending && 'group' in base && base.version.digest !== digest)
      this.#sendCheck(session, base.version.digest)
  }

  #sendCheck(session: Session, digest: string): void {
    session.channel.send(JSON.stringify({ type: 'check', digest } satisfies Check))
  }

  /** A sidecar can tell of what it serves, and of nothing else: neither of others' routes nor of names that it makes up. */
  #report(session: Session, said: Report): void {
    if (!session.group) return
    const { routes, keys: served } = session.group.audience
    const report = {
      ...said,
      targets: said.targets.filter(
        ({ route, endpoint }) => routes.has(route) && served.has(keyOf('endpoint', endpoint)),
      ),
      models: said.models.filter(({ endpoint }) => served.has(keyOf('endpoint', endpoint))),
      promises: said.promises?.filter(({ route }) => routes.has(route)) ?? [],
    }
    this.#observed.add(report, session.report, this.#options.now())
    session.report = report
    const keys = new Set<ResourceKey>()
    for (const { route } of [...report.targets, ...report.promises]) keys.add(keyOf('route', route))
    for (const { endpoint } of report.models) keys.add(keyOf('endpoint', endpoint))
    this.#events.changed?.({ keys })
  }

  /** As with reports: of what it serves alone. */
  #learned(session: Session, said: Learned): void {
    const routes = session.group?.audience.routes
    if (!routes) return
    this.#events.learned?.(session, { ...said, rules: said.rules.filter(({ route }) => routes.has(route)) })
  }

  /** Likewise. */
  #evidence(session: Session, said: Evidence): void {
    const routes = session.group?.audience.routes
    if (!routes) return
    this.#events.evidence?.(session, { ...said, rules: said.rules.filter(({ route }) => routes.has(route)) })
  }

  /** Sidecars that may be of another group now. */
  *#moved({ pods, regrouped }: Compiled['changes']): Iterable<Session> {
    if (regrouped.size > 0)
      for (const session of this.#sessions.values()) if (regrouped.has(session.identity.namespace)) yield session
    for (const pod of pods) {
      const session = this.#sessions.get(pod)
      if (session && !regrouped.has(session.identity.namespace)) yield session
    }
  }

  /** Puts a sidecar into the group that its pod's labels and its own age make it one of. */
  #regroup(session: Session): void {
    if (!this.#compiled || session.version === '') return
    session.labels = this.#compiled.pods.get(session.pod)?.labels ?? session.labels
    const audience = this.#compiled.audience({ namespace: session.identity.namespace, labels: session.labels })
    const group = this.#groups.of(audience, session.lacks, this.#compiled)
    if (session.group !== group) {
      this.#leave(session)
      session.group = group
      session.answered = group.head
      session.told = false
      this.#groups.join(group, session)
      const { base } = session
      if ('group' in base && base.version.digest === group.head.digest) session.base = { group, version: group.head }
      this.#events.changed?.({ keys: [], audience })
    }
    this.#flush(session)
  }

  /** Takes a sidecar out of its group: nobody waits for its answer any more. */
  #leave(session: Session): void {
    const { group } = session
    if (!group) return
    this.#settle(session, group.head, false)
    session.group = undefined
    this.#groups.leave(group, session)
  }

  /** Sends what is due, if there is room for it; whether there was. */
  #flush(session: Session): boolean {
    const { group } = session
    if (!group || !session.due()) return true
    const update = session.update(group)
    if (this.#underWay > 0 && this.#underWay + update.rest.length > this.#options.underWay) {
      this.#waiting.add(session)
      return false
    }
    const bytes = session.send(group, update, this.#options.now())
    this.#underWay += bytes
    this.#events.pushed?.(bytes)
    if (session.channel.buffered() > this.#options.buffered) this.#slow(session)
    return true
  }

  /** Notes the answer to what was under way. */
  #answered(session: Session, pending: Pending, refused: boolean): void {
    const keys = new Set<ResourceKey>()
    const { group, answered, told } = session
    if (pending.to.group === group) {
      // With its first answer it has all there is; later ones are of what has changed since the one before.
      if (told)
        for (let at = answered; at && at !== pending.to.version;) {
          at = at.next
          for (const key of at?.changes.keys() ?? []) keys.add(key)
        }
      session.told = true
      this.#settle(session, pending.to.version, refused)
    }
    this.#release(session)
    this.#events.changed?.(keys.size === 0 && group ? { keys, audience: group.audience } : { keys })
  }

  #settle(session: Session, until: Version, refused: boolean): void {
    while (session.answered && session.answered !== until) {
      session.answered = session.answered.next
      this.#convergence.settle(session.answered?.publication, refused)
    }
  }

  /** Nothing of it is under way any more; those that waited have their turn. */
  #release(session: Session): void {
    if (!session.pending) return
    this.#underWay -= session.pending.bytes
    session.pending = undefined
    for (const next of this.#waiting) {
      // One for which there is no room yet stays first in line.
      if (!this.#flush(next)) return
      this.#waiting.delete(next)
    }
  }

  #tick(): void {
    const now = this.#options.now()
    for (const session of this.#sessions.values()) {
      const { base, pending } = session
      if (pending && now - pending.at > this.#options.answerWithin) this.#slow(session)
      else if (now < session.nextCheck) continue
      else if (session.version === '') this.#close(session, CLOSE.protocol, 'No hello came.')
      else {
        session.nextCheck = now + this.#options.checkEvery
        if (!pending && 'group' in base) this.#sendCheck(session, base.version.digest)
      }
    }
    this.#groups.forget()
    const routes = this.#observed.expire(now)
    if (routes.size > 0) this.#events.changed?.({ keys: [...routes].map((route) => keyOf('route', route)) })
  }

  #slow(session: Session): void {
    this.#close(session, CLOSE.slow, 'The sidecar does not keep up; it is to connect again.')
  }

  #close(session: Session, code: number, reason: string): void {
    session.channel.close(code, reason)
    this.#drop(session)
  }

  #drop(session: Session | undefined, stopping = false): void {
    if (!session || session.closed) return
    session.closed = true
    const audience = session.group?.audience
    this.#waiting.delete(session)
    this.#release(session)
    this.#leave(session)
    if (session.report) this.#observed.remove(session.report)
    if (this.#sessions.get(session.pod) === session) this.#sessions.delete(session.pod)
    this.#events.left?.(session, stopping)
    if (audience) this.#events.changed?.({ keys: [], audience })
  }
}
