import type { Reading } from './rate-limit-headers.ts'

/** Below this part of a limit a target gets less traffic: all of its weight at a fifth, half of it at a tenth. */
const SCARCE = 0.2
/** What it keeps at the least. A target that still accepts is never left out, or nobody would notice that its limit is whole again. */
const LEAST = 0.02

/** With plenty left, what was said so shortly ago is good enough: reading it takes 2 µs, which thousands a second would feel. */
const RECENT = 50

const MINUTE = 60_000
/** A limit of which nothing was heard for so long after it was whole is let go. */
const FORGET = 10 * MINUTE

interface Known {
  readonly limit: number
  readonly remaining: number
  /** When it was said, and when it is whole again. */
  readonly at: number
  readonly whole: number
}

/** A provider has few kinds of limit; those of one that makes up more are not kept, nor shown. */
const MOST_KINDS = 32

/**
 * What is known of the rate limits of a model or an account, from the headers of its answers. Providers count in token buckets, which fill up
 * at an even rate until they are whole (https://docs.anthropic.com/en/api/rate-limits, https://platform.openai.com/docs/guides/rate-limits),
 * so what is left is reckoned between two answers. Limits that fall at once at the end of a window are taken for better than they are in
 * between; the next answer tells.
 */
export class RateLimits {
  private readonly known = new Map<string, Known>()
  /** Until then something may be scarce; 0: nothing is, and nobody has to look. */
  private until = 0
  /** When something was said last. */
  private at = Number.NEGATIVE_INFINITY
  private readonly now: () => number

  /** `now` as in `Deps`. */
  constructor(now: () => number) {
    this.now = now
  }

  observe({ kind, limit, remaining, reset }: Reading): void {
    if (limit === undefined) return
    const now = this.now()
    this.at = now
    if (this.known.size >= MOST_KINDS && !this.known.has(kind)) return
    this.known.set(kind, { limit, remaining, at: now, whole: now + (reset ?? window(kind)) })
    if (remaining < limit * SCARCE || this.until > 0) this.look(now)
  }

  /** There is nothing to be learnt from an answer now. */
  get settled(): boolean {
    return this.until === 0 && this.now() - this.at < RECENT
  }

  /** The part of its weight that a target may have by what is left: 1, or less in proportion below a fifth; never 0. */
  share(): number {
    if (this.until === 0) return 1
    const now = this.now()
    if (this.until <= now) {
      this.until = 0
      return 1
    }
    let least = 1
    for (const known of this.known.values()) least = Math.min(least, left(known, now))
    return least >= SCARCE ? 1 : Math.max(LEAST, least / SCARCE)
  }

  /** What is left of each limit, as a part of it, by the provider's words for it. */
  *remaining(): Generator<readonly [kind: string, part: number]> {
    const now = this.now()
    for (const [kind, known] of this.known) {
      if (now > known.whole + FORGET) this.known.delete(kind)
      else yield [kind, left(known, now)]
    }
  }

  /** Until when it is worth looking. */
  private look(now: number): void {
    this.until = 0
    for (const known of this.known.values())
      if (left(known, now) < SCARCE && known.whole > this.until) this.until = known.whole
  }
}

function left({ limit, remaining, at, whole }: Known, now: number): number {
  if (now >= whole) return 1
  const filled = now <= at ? 0 : ((limit - remaining) * (now - at)) / (whole - at)
  return (remaining + filled) / limit
}

/** How long a limit takes to be whole where the provider does not say: a minute, unless its name has another span. */
function window(kind: string): number {
  if (kind.includes('month')) return 30 * 24 * 60 * MINUTE
  if (kind.includes('day')) return 24 * 60 * MINUTE
  return kind.includes('hour') ? 60 * MINUTE : MINUTE
}

/** Whether a limit is of the whole account, whichever model is asked: subscriptions, allowances of a month, trial keys. */
export const isOfAccount = (kind: string): boolean => /^unified|month|^calls/.test(kind)
