/** The middle value; the mean of the two middle ones for an even count. Throws for an empty list. */
export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** The p-th percentile with linear interpolation between ranks (Hyndman and Fan's type 7). Throws for an empty list. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = ((sorted.length - 1) * p) / 100
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  if (low === undefined || high === undefined) throw new Error('no values')
  return low + (high - low) * (at - Math.floor(at))
}

/**
 * The 95 % percentile-bootstrap interval of the median over rounds (Efron 1979). Resampling is seeded, so that the same rounds always print
 * the same interval. With few rounds it is no wider than their range: it says how far rounds disagree, no more.
 */
export function interval(values: readonly number[], resamples = 2000): readonly [number, number] {
  let state = 1
  // Numerical Recipes' linear congruential generator; its high bits are good enough to pick rounds.
  const pick = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return values[Math.floor((state / 2 ** 32) * values.length)] ?? Number.NaN
  }
  const medians = Array.from({ length: resamples }, () => median(values.map(pick)))
  return [percentile(medians, 2.5), percentile(medians, 97.5)]
}

/** The slope of the least-squares line through the points `[x, y]`. */
export function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}
