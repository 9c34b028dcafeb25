const BASE = 50
const CAP = 2000

/**
 * How long to wait before a retry, ms: exponential with full jitter, base 50 ms, at most 2 s (Brooker, Exponential Backoff and Jitter,
 * AWS Architecture Blog, 2015). `retry` counts from 1; `random` is in [0, 1).
 */
export function backoff(retry: number, random: () => number): number {
  return random() * Math.min(CAP, BASE * 2 ** (retry - 1))
}
