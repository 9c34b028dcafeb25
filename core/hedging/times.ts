import type { Target } from '../target.ts'
import { Latest } from './latest.ts'

/** Latencies by target, those of streams apart, and the percentile that is asked of them. */
export class Times {
  private readonly known = new Map<Target, readonly [whole: Latest, stream: Latest]>()
  private readonly share: number

  /** `share`: 0.95 for the 95th percentile. */
  constructor(share: number) {
    this.share = share
  }

  of(target: Target, stream: boolean): Latest {
    let pair = this.known.get(target)
    if (!pair) this.known.set(target, (pair = [new Latest(this.share), new Latest(this.share)]))
    return pair[stream ? 1 : 0]
  }
}
