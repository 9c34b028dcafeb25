import type { Artefact } from './artefact.ts'
import { Guard } from './guard.ts'
import type { GuardState } from './guard.ts'

/** What was found of artefacts is kept for so many, those that were audited last. */
const MOST = 64

/**
 * The guards of all artefacts of a sidecar, by what these are made of: what audits have found of an artefact outlives the routes that name it, its own removal
 * and, where `states` is kept somewhere, the sidecar. A new artefact begins anew.
 */
export class Guards {
  /** Called when audits have found something more. */
  onChange: (() => void) | undefined
  private readonly live = new Map<string, WeakRef<Guard>>()
  private readonly found = new Map<string, GuardState>()

  /** The guard of an artefact; undefined where it promises nothing. Throws `ArtefactError` where its promises cannot be read. */
  of(artefact: Artefact): Guard | undefined {
    const { hash } = artefact
    const known = this.live.get(hash)?.deref()
    if (known) return known
    const guard = Guard.of(artefact)
    if (!guard) return undefined
    const before = this.found.get(hash)
    if (before) guard.restore(before)
    guard.onAudit = () => {
      this.keep(hash, guard.state)
      this.onChange?.()
    }
    for (const [old, ref] of this.live) if (!ref.deref()) this.live.delete(old)
    this.live.set(hash, new WeakRef(guard))
    return guard
  }

  /** Asks what would become of a request that nobody has sent: no guard counts it among those that are served. */
  hold<T>(ask: () => T): T {
    const guards = [...this.live.values()].flatMap((ref) => ref.deref() ?? [])
    for (const guard of guards) guard.held = true
    try {
      return ask()
    } finally {
      for (const guard of guards) guard.held = false
    }
  }

  /** What was found, by the artefact's hash; JSON. */
  get states(): Readonly<Record<string, GuardState>> {
    return Object.fromEntries(this.found)
  }

  /** Takes what another one had found: before the first artefact is asked for. */
  restore(states: Readonly<Record<string, GuardState>>): void {
    for (const [hash, state] of Object.entries(states)) this.keep(hash, state)
  }

  private keep(hash: string, state: GuardState): void {
    this.found.delete(hash)
    this.found.set(hash, state)
    for (const old of this.found.keys()) if (this.found.size > MOST) this.found.delete(old)
  }
}
