/** Of all words, the part of each, the most frequent first. */
export function counted(words: readonly string[]): Readonly<Record<string, number>> {
  const groups = [...Map.groupBy(words, (word) => word)].map(
    ([word, { length }]) => [word, length / words.length] as const,
  )
  return Object.fromEntries(groups.toSorted(([, a], [, b]) => b - a))
}

/** The median and the 95th percentile; 0 of none. */
export function percentiles(values: readonly number[]): { readonly p50: number; readonly p95: number } {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
  return { p50: at(0.5), p95: at(0.95) }
}
