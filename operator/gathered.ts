import { createHash } from 'node:crypto'
import type { Base, Merged } from '../core/merging/merged.ts'

/** A sidecar that tells what it has seen. */
export interface Peer {
  readonly epoch: string
  /** Its run among all, under which what it tells is kept. */
  readonly place: string
  readonly tell: (text: string) => void
  /** Of the base that it carries; 0: none. */
  carries: number
}

/** What a sidecar tells: all that it has seen since it began, and, once on each connection, what it was given to carry. */
export interface Said<A> {
  /** Of this run of the sidecar. */
  readonly epoch: string
  readonly seq: number
  readonly arms: ReadonlyMap<string, A>
  readonly base: Base<A> | undefined
}

/** A sidecar that is back so soon is the same one, ms. */
const GRACE = 10_000
/** So many sidecars carry what those that have gone have seen. */
const CARRIERS = 8

/**
 * What sidecars tell of one matter, put together (`core/merging/merged.ts`), and who of them is here. It keeps nothing of its own that the
 * sidecars do not have: each tells all that it has seen whenever it connects, and some carry what those had seen that have gone.
 */
export class Gathered<A> {
  readonly merged: Merged<A>
  /** Those that tell, by pod. */
  readonly peers = new Map<string, Peer>()
  /** Those that are to be told where they stand: they have just come, or their name is closed. */
  readonly waiting = new Set<Peer>()
  /** The sum has changed; whoever has looked says that it has not. */
  dirty = false
  /** When those that have gone went, by pod. */
  readonly #gone = new Map<string, { readonly place: string; readonly at: number }>()

  constructor(merged: Merged<A>) {
    this.merged = merged
  }

  /** What a sidecar has seen. `pod`: its uid; `tell` reaches it for as long as it has not left. */
  hear(pod: string, { epoch, seq, arms, base }: Said<A>, tell: Peer['tell']): Peer {
    const { merged, peers } = this
    if (base && merged.adopt(base)) {
      this.dirty = true
      // Some that are here may be among those that it has as gone.
      for (const peer of peers.values()) if (merged.closed(peer.place) !== undefined) this.waiting.add(peer)
    }
    const place = placeOf(pod, epoch)
    const before = peers.get(pod)?.place ?? this.#gone.get(pod)?.place
    // A pod has one sidecar: the one before has ended.
    if (before !== undefined && before !== place) merged.fold(before)
    this.#gone.delete(pod)
    const known = peers.get(pod)
    const peer: Peer =
      known?.place === place && known.tell === tell ? known : { epoch, place, tell, carries: base?.version ?? 0 }
    peers.set(pod, peer)
    if (merged.put(place, { seq, arms }) && arms.size > 0) this.dirty = true
    if (peer !== known || merged.closed(place) !== undefined) this.waiting.add(peer)
    return peer
  }

  /** A sidecar's connection has ended; `stopping`: for good. */
  left(pod: string, tell: Peer['tell'], stopping: boolean, now: number): void {
    const peer = this.peers.get(pod)
    // It may be here again already, on another connection.
    if (peer?.tell !== tell) return
    this.peers.delete(pod)
    this.waiting.delete(peer)
    this.#gone.set(pod, { place: peer.place, at: stopping ? -Infinity : now })
  }

  /** Those that have been away for long have gone. */
  settle(now: number): void {
    for (const [pod, { place, at }] of this.#gone) {
      if (now - at < GRACE) continue
      this.#gone.delete(pod)
      this.merged.fold(place)
    }
  }

  /** Where a sidecar stands: the last of its own that is in the sum; whether its name has been closed, since it was gone. */
  standing({ place }: Peer): { readonly seq: number; readonly closed: boolean } {
    const closed = this.merged.closed(place)
    return { seq: closed ?? this.merged.seqOf(place), closed: closed !== undefined }
  }

  /** Those that are to carry the base and have an older one; they are taken to have it from now on. */
  behind(): readonly Peer[] {
    const { version } = this.merged.base
    const behind = [...this.peers.values().take(CARRIERS)].filter(({ carries }) => carries < version)
    for (const peer of behind) peer.carries = version
    return behind
  }
}

/** A run of a pod's sidecar, short: names of many that have gone are carried along. */
function placeOf(pod: string, epoch: string): string {
  return createHash('sha256').update(`${pod}\n${epoch}`).digest('base64url').slice(0, 16)
}
