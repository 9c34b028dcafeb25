const DRAWS = 6

/**
 * The better of two drawn at random (Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, 2001), lower load first; not
 * among those that `exclude` names. Undefined where none is left. Constant time, unless nearly all are excluded.
 */
export function p2c<T extends { load(): number }>(
  list: readonly T[],
  random: () => number,
  exclude?: (item: T) => boolean,
): T | undefined {
  if (list.length <= 1) return list[0] && !exclude?.(list[0]) ? list[0] : undefined
  let found: T | undefined
  for (let i = 0; i < DRAWS; i++) {
    const drawn = list[Math.floor(random() * list.length)]
    if (!drawn || drawn === found || exclude?.(drawn)) continue
    if (found) return drawn.load() < found.load() ? drawn : found
    found = drawn
  }
  // Bad luck, or few are left: look at all of them.
  const left = exclude ? list.filter((item) => !exclude(item)) : list
  const first = found ?? left[Math.floor(random() * left.length)]
  const others = left.filter((item) => item !== first)
  const second = others[Math.floor(random() * others.length)]
  return first && second && second.load() < first.load() ? second : first
}
