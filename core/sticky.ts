import { createHash } from 'node:crypto'

/**
 * The target that a key belongs to: weighted rendezvous hashing, score −w / ln(h) (Schindelhauer and Schomaker, Weighted Distributed Hash
 * Tables, 2005). Raising one weight moves only keys to that target, as many as its share grows; `available` (0…1) scales a weight for the
 * moment, so that the keys of a dead target, and only they, move to the others. Undefined where nothing has any weight.
 */
export function rendezvous<T extends { readonly id: string; readonly weight: number }>(
  targets: readonly T[],
  key: string,
  available: (target: T) => number = () => 1,
): T | undefined {
  let best: T | undefined
  let highest = 0
  for (const target of targets) {
    const weight = target.weight * available(target)
    if (weight === 0) continue
    const bytes = createHash('sha256').update(key).update('\0').update(target.id).digest()
    // 48 bits, moved off 0 and 1, where the logarithm has no use.
    const unit = (bytes.readUIntBE(0, 6) + 0.5) / 2 ** 48
    const score = weight / -Math.log(unit)
    if (score > highest) {
      highest = score
      best = target
    }
  }
  return best
}
