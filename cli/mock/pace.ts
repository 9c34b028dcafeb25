/** A time with a spread: uniform in `mean ± spread`, milliseconds. */
export interface Latency {
  readonly mean: number
  readonly spread: number
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

/** Milliseconds from `250`, `250ms`, `1.5s` or `2m`; undefined for anything else. */
export function parseMilliseconds(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text.trim())
  return found ? Number(found[1]) * (units[found[2] ?? 'ms'] ?? 1) : undefined
}

/** A latency from `50ms`, `50ms±20`, `50ms+-20ms`: mean, then half the width of the spread. Throws with what is allowed. */
export function parseLatency(text: string): Latency {
  const [mean, half, ...rest] = text.split(/±|\+-/)
  const latency = { mean: parseMilliseconds(mean ?? ''), spread: parseMilliseconds(half ?? '0') }
  if (latency.mean === undefined || latency.spread === undefined || rest.length > 0)
    throw new Error(`"${text}" is not a time such as 50ms or 50ms±20`)
  return { mean: latency.mean, spread: latency.spread }
}

/**
 * The n-th point of a low-discrepancy sequence in [0, 1): multiples of the golden ratio (Weyl). Shares come out exact to one or two in any
 * run of requests, without the regular beat that would fall in step with a round robin.
 */
export function spread(n: number): number {
  return (n * 0.6180339887498949) % 1
}

/** The n-th draw of a latency, never negative. */
export function draw({ mean, spread: half }: Latency, n: number): number {
  return Math.max(0, mean + half * (2 * spread(n) - 1))
}
