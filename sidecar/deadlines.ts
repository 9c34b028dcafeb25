import type { Deadlines, Due } from '../core/deps.ts'

/** How often live deadlines are looked at, ms: each fires at most so much late. */
const EVERY = 10

/**
 * Deadlines by looking at all that are live, every few milliseconds, while there are any. Setting and moving one is a store, where a
 * timer of node's costs an allocation and two list operations; a look at a thousand streams takes microseconds.
 *
 * A plain array whose items know their place in it: the tables that a Set leaves behind as it grows point at one another, so that the
 * collector takes what they hold for live, and requests end up in the old generation.
 */
export class Sweep implements Deadlines {
  private readonly items: Due[] = []
  private readonly now: () => number
  private timer: NodeJS.Timeout | undefined

  constructor(now: () => number) {
    this.now = now
  }

  add(item: Due): void {
    item.slot = this.items.push(item) - 1
    this.timer ??= setInterval(() => this.look(), EVERY)
  }

  remove(item: Due): void {
    const { slot } = item
    if (slot === undefined || slot < 0) return
    item.slot = -1
    const last = this.items.pop()
    if (!last || last === item) return
    this.items[slot] = last
    last.slot = slot
  }

  private look(): void {
    const now = this.now()
    // From the end, since what expires takes itself off, and the last takes its place.
    for (let i = this.items.length - 1; i >= 0; i--) {
      const item = this.items[i]
      if (item && item.due <= now) item.expire(now)
    }
    // The interval outlives the last item by one turn, so that a busy pod does not make one for each request.
    if (this.items.length > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }
}
