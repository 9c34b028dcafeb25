import type { Deadlines, Due } from '../core/deps.ts'

/** How often live deadlines are looked at, ms: each fires at most so much late. */
const EVERY = 10

/**
 * Deadlines by looking at all that are live, every few milliseconds, while there are any. Setting and moving one is a store, where a
 * timer of node's costs an allocation and two list operations; a look at a thousand streams takes microseconds.
 */
export class Sweep implements Deadlines {
  private readonly items = new Set<Due>()
  private readonly now: () => number
  private timer: NodeJS.Timeout | undefined

  constructor(now: () => number) {
    this.now = now
  }

  add(item: Due): void {
    this.items.add(item)
    this.timer ??= setInterval(() => this.look(), EVERY)
  }

  remove(item: Due): void {
    this.items.delete(item)
  }

  private look(): void {
    const now = this.now()
    for (const item of this.items) if (item.due <= now) item.expire(now)
    // The interval outlives the last item by one turn, so that a busy pod does not make one for each request.
    if (this.items.size > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }
}
