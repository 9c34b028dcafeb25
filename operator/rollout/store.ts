import type { InForce } from '../../core/rollout/in-force.ts'
import { inForce } from '../../core/rollout/in-force.ts'
import type { State } from '../../core/rollout/state.ts'
import type { Untimed } from '../settle.ts'
import type { RolloutStatus } from '../../api/rollout.ts'
import type { Written } from '../status-fields.ts'
import { NO_RECORD } from './record.ts'
import type { Record } from './record.ts'

/** What is to be written down of a route's rollouts. */
export interface Writing {
  readonly record: Record
  readonly items: readonly RolloutStatus[]
  /** For the eye. */
  readonly short: string
  readonly condition: Untimed | undefined
}

/** Where rollouts are written down. What is written comes back as a part of the world. */
export interface RolloutStore {
  /** What is there of a route, as far as is known here; undefined: there is no such route. */
  read(route: string): { readonly uid: string; readonly record: Record } | undefined
  /** Writes where nothing else was written since `read`. Rejects where it is not known whether it was. */
  write(route: string, uid: string, writing: Writing): Promise<Written>
}

/** What the compile has to know of a record. */
export const inForceOf = (states: ReadonlyMap<string, State>): readonly InForce[] =>
  [...states].map(([rule, state]) => inForce(rule, state))

/** Rollouts of a local run: in memory, from where they come into the world. */
export class MemoryStore implements RolloutStore {
  readonly rollouts = new Map<string, readonly InForce[]>()
  readonly #records = new Map<string, Record>()
  readonly #exists: (route: string) => boolean
  readonly #changed: (route: string) => void

  /** `exists`: whether there is such a route; `changed` hears of each that has other weights in force. */
  constructor(exists: (route: string) => boolean, changed: (route: string) => void) {
    this.#exists = exists
    this.#changed = changed
  }

  read(route: string): { readonly uid: string; readonly record: Record } | undefined {
    return this.#exists(route) ? { uid: route, record: this.#records.get(route) ?? NO_RECORD } : undefined
  }

  write(route: string, _uid: string, { record }: Writing): Promise<Written> {
    this.#records.set(route, record)
    const now = inForceOf(record.states)
    const same = JSON.stringify(now) === JSON.stringify(this.rollouts.get(route))
    if (now.length > 0) this.rollouts.set(route, now)
    else this.rollouts.delete(route)
    if (!same) this.#changed(route)
    return Promise.resolve('written')
  }
}
