import type { CompiledConfig, ResourceKey } from '../api/compiled.ts'

/** The resources that differ between two configurations, came or went. What a follower took over as it was costs a look at its identity. */
export function difference(before: CompiledConfig, after: CompiledConfig): ReadonlySet<ResourceKey> {
  const changed = new Set<ResourceKey>()
  let stayed = 0
  for (const [key, resource] of after) {
    const old = before.get(key)
    if (old) stayed++
    if (old !== resource && old?.digest !== resource.digest) changed.add(key)
  }
  if (stayed < before.size) for (const key of before.keys()) if (!after.has(key)) changed.add(key)
  return changed
}
