import { createHash } from 'node:crypto'
import type { ResourceKey } from '../api/compiled.ts'
import type { Fleet, ObservedEndpoint, ObservedPromise, ObservedTarget, Refusal, SidecarGroup } from './fleet.ts'

/** An entry of a fleet as it travels between replicas. */
export type Row =
  | {
      readonly list: 'sidecars'
      readonly value: Omit<SidecarGroup, 'serves'> & { readonly serves: Readonly<Record<ResourceKey, string>> }
    }
  | { readonly list: 'refusals'; readonly value: Refusal }
  | { readonly list: 'targets'; readonly value: ObservedTarget }
  | { readonly list: 'endpoints'; readonly value: ObservedEndpoint }
  | { readonly list: 'promises'; readonly value: ObservedPromise }

/** Rows by the hash of their content: what is the same has the same name. */
export type Part = ReadonlyMap<string, Row>

/** How a follower's part differs from what it said before; at first, all of it. Only the leader of that epoch takes it. */
export interface PartUpdate {
  readonly epoch: number
  readonly set: Readonly<Record<string, Row>>
  readonly drop: readonly string[]
}

/** A fleet as rows. */
export function partOf(fleet: Fleet): Part {
  const rows: Row[] = [
    ...fleet.sidecars.map((it) => ({
      list: 'sidecars' as const,
      value: { ...it, serves: Object.fromEntries(it.serves.entries()) },
    })),
    ...fleet.refusals.map((value) => ({ list: 'refusals' as const, value })),
    ...fleet.targets.map((value) => ({ list: 'targets' as const, value })),
    ...fleet.endpoints.map((value) => ({ list: 'endpoints' as const, value })),
    ...fleet.promises.map((value) => ({ list: 'promises' as const, value })),
  ]
  return new Map(
    rows.map((row) => [createHash('sha256').update(JSON.stringify(row)).digest('base64url').slice(0, 16), row]),
  )
}

/** What leads from one part to another; undefined where nothing differs. */
export function partUpdate(before: Part, after: Part, epoch: number): PartUpdate | undefined {
  const set = Object.fromEntries([...after].filter(([name]) => !before.has(name)))
  const drop = [...before.keys()].filter((name) => !after.has(name))
  return Object.keys(set).length || drop.length ? { epoch, set, drop } : undefined
}

/** Fleets as one: our own, and the parts of the followers. */
export function wholeFleet(own: Fleet, parts: Iterable<Part>): Fleet {
  const rows = [...parts].flatMap((part) => [...part.values()])
  return {
    sidecars: [
      ...own.sidecars,
      ...rows.flatMap(({ list, value }) =>
        // The keys of `serves` were a Fleet's own when they were sent.
        list === 'sidecars'
          ? [{ ...value, serves: new Map(Object.entries(value.serves)) as SidecarGroup['serves'] }]
          : [],
      ),
    ],
    refusals: [...own.refusals, ...rows.flatMap(({ list, value }) => (list === 'refusals' ? [value] : []))],
    targets: [...own.targets, ...rows.flatMap(({ list, value }) => (list === 'targets' ? [value] : []))],
    endpoints: [...own.endpoints, ...rows.flatMap(({ list, value }) => (list === 'endpoints' ? [value] : []))],
    promises: [...own.promises, ...rows.flatMap(({ list, value }) => (list === 'promises' ? [value] : []))],
  }
}

/** The resources whose objects may have another status once some rows have gone and others have come. */
export function concernedKeys(gone: readonly Row[], come: readonly Row[]): ReadonlySet<ResourceKey> {
  const keys = new Set<ResourceKey>()
  const served = (rows: readonly Row[]) => rows.flatMap((row) => (row.list === 'sidecars' ? [row.value] : []))
  const [before, after] = [served(gone), served(come)]
  const entries = (groups: typeof before) => groups.flatMap(({ serves }) => Object.entries(serves))
  const pods = (groups: typeof before) => new Set(groups.flatMap((it) => it.pods))
  // Sidecars that only moved from one state to another concern what the states differ in.
  const moved = pods(before).symmetricDifference(pods(after)).size === 0
  const texts = (groups: typeof before) => new Set(entries(groups).map((entry) => entry.join(' ')))
  const [old, now] = [texts(before), texts(after)]
  for (const [key, digest] of entries([...before, ...after]))
    if (!moved || old.has(`${key} ${digest}`) !== now.has(`${key} ${digest}`)) keys.add(key as ResourceKey) // a key of `serves`
  for (const { list, value } of [...gone, ...come]) {
    if (list === 'refusals') for (const key of Object.keys(value.refused)) keys.add(key as ResourceKey) // a key of `refused`
    if (list === 'targets' || list === 'promises') keys.add(`route/${value.route}` as ResourceKey) // a full name has the second slash
    if (list === 'endpoints') keys.add(`endpoint/${value.endpoint}` as ResourceKey) // likewise
  }
  return keys
}
