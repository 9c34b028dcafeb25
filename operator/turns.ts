import type { Compiled } from './compile/index.ts'
import { turns } from './status/faults.ts'

/** A timer of node's takes no more, ms; and a clock that was set is seen by then. */
const LONGEST_SLEEP = 60_000

/** Calls back when a time comes at which what is said of some routes changes, though nothing else does. */
export class Turns {
  readonly #wall: () => number
  readonly #due: (routes: readonly string[]) => void
  /** Times to come, by route. */
  readonly #times = new Map<string, readonly number[]>()
  #timer: NodeJS.Timeout | undefined

  /** `wall` is in ms since the epoch; `due` gets names of routes. */
  constructor(wall: () => number, due: (routes: readonly string[]) => void) {
    this.#wall = wall
    this.#due = due
  }

  /** A compile: the routes that it changed may have other times. */
  compiled({ changes, routes }: Pick<Compiled, 'changes' | 'routes'>): void {
    for (const id of changes.objects) {
      const [kind, name = ''] = id.split(' ')
      if (kind !== 'ModelRoute') continue
      const route = routes.get(name)
      const times = route ? turns(route).filter((time) => time > this.#wall()) : []
      if (times.length > 0) this.#times.set(name, times)
      else this.#times.delete(name)
    }
    this.#arm()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#times.clear()
  }

  #arm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#times.size === 0) return
    const next = Math.min(...[...this.#times.values()].flat())
    this.#timer = setTimeout(() => this.#look(), Math.min(LONGEST_SLEEP, Math.max(0, next - this.#wall()) + 1))
    this.#timer.unref()
  }

  #look(): void {
    const now = this.#wall()
    const due: string[] = []
    for (const [name, times] of this.#times) {
      const left = times.filter((time) => time > now)
      if (left.length === times.length) continue
      due.push(name)
      if (left.length > 0) this.#times.set(name, left)
      else this.#times.delete(name)
    }
    if (due.length > 0) this.#due(due)
    this.#arm()
  }
}
