import type { Deadlines, Due } from '../core/deps.ts'

/** How often it is seen whether one of the live deadlines may have passed, ms. */
const EVERY = 10
/** How long it may be that nobody looks, since none was to pass in that time when last looked at, ms: one that is moved up fires at most so much late. */
const REST = 50

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
  /** Until then none is to pass, by what was known when last looked at. */
  private quiet = 0

  constructor(now: () => number) {
    this.now = now
  }

  add(item: Due): void {
    item.slot = this.items.push(item) - 1
    if (item.due < this.quiet) this.quiet = item.due
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
    if (now < this.quiet && this.items.length > 0) return
    let soonest = now + REST
    // From the end, since what expires takes itself off, and the last takes its place.
    for (let i = this.items.length - 1; i >= 0; i--) {
      const item = this.items[i]
      if (!item) continue
      if (item.due <= now) item.expire(now)
      if (item.due < soonest && item.slot !== -1) soonest = item.due
    }
    this.quiet = soonest
    // The interval outlives the last item by one turn, so that a busy pod does not make one for each request.
    if (this.items.length > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }
}
