import type { ExperimentStatus } from '../../api/experiment.ts'
import type { ExperimentInForce } from '../../core/experiment/in-force.ts'
import type { Untimed } from '../settle.ts'
import { experimentsInForce } from './item.ts'

/** What is to be written down of a route's experiments. */
export interface Writing {
  readonly items: readonly ExperimentStatus[]
  readonly condition: Untimed | undefined
}

/** Where experiments are written down. What is written comes back as a part of the world. */
export interface ExperimentStore {
  /** What is there of a route, as far as is known here; undefined: there is no such route. */
  read(route: string): { readonly uid: string; readonly items: readonly ExperimentStatus[] } | undefined
  /** Writes where nothing else was written since `read`; false where it was, or the route is gone. Rejects where it is not known whether it was written. */
  write(route: string, uid: string, writing: Writing): Promise<boolean>
}

/** Experiments of a local run: in memory, from where they come into the world. */
export class ExperimentMemory implements ExperimentStore {
  readonly experiments = new Map<string, readonly ExperimentInForce[]>()
  readonly #items = new Map<string, readonly ExperimentStatus[]>()
  readonly #exists: (route: string) => boolean
  readonly #changed: (route: string) => void

  /** `exists`: whether there is such a route; `changed` hears of each for which something else is in force. */
  constructor(exists: (route: string) => boolean, changed: (route: string) => void) {
    this.#exists = exists
    this.#changed = changed
  }

  read(route: string): { readonly uid: string; readonly items: readonly ExperimentStatus[] } | undefined {
    return this.#exists(route) ? { uid: route, items: this.#items.get(route) ?? [] } : undefined
  }

  write(route: string, _uid: string, { items }: Writing): Promise<boolean> {
    this.#items.set(route, items)
    const now = experimentsInForce(items)
    const same = JSON.stringify(now) === JSON.stringify(this.experiments.get(route) ?? [])
    if (now.length > 0) this.experiments.set(route, now)
    else this.experiments.delete(route)
    if (!same) this.#changed(route)
    return Promise.resolve(true)
  }
}
