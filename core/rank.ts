/**
 * The order in which to ask when `first` was chosen: first, then the others from its rank upwards (the nearest first), then downwards, so
 * that an answer after a failure is not weaker than it need be. Equal ranks keep their order, heavier weights before lighter.
 */
export function nearestRank<T extends { readonly rank: number; readonly weight: number }>(
  targets: readonly T[],
  first: T,
): readonly T[] {
  const distance = ({ rank }: T) => (rank >= first.rank ? rank - first.rank : 1000 + first.rank - rank)
  return [
    first,
    ...targets.filter((target) => target !== first).sort((a, b) => distance(a) - distance(b) || b.weight - a.weight),
  ]
}
