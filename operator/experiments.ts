import type { ExperimentStatus } from '../api/experiment.ts'
import { isDeepStrictEqual } from 'node:util'
import { NO_TALLY } from '../core/evidence/tally.ts'
import type { Tally } from '../core/evidence/tally.ts'
import { advance } from '../core/experiment/advance.ts'
import type { Input, State } from '../core/experiment/advance.ts'
import { analyse } from '../core/experiment/analysis.ts'
import { clusterName, CLUSTERS } from '../core/experiment/assignment.ts'
import type { Compiled } from './compile/index.ts'
import type { Happening } from './events.ts'
import { itemOf, stateOf, WAITS } from './experiment/item.ts'
import { overlaps, plansOf } from './experiment/plan.ts'
import type { Planned } from './experiment/plan.ts'
import type { ExperimentStore } from './experiment/store.ts'
import { decidedCondition, experimentHappening } from './experiment/told.ts'
import type { World } from './world.ts'

/** An experiment as it is at the moment. */
export interface ExperimentView extends ExperimentStatus {
  /** `namespace/name`. */
  readonly route: string
}

export interface ExperimentsOptions {
  readonly store: ExperimentStore
  readonly world: () => World
  readonly compiled: () => Compiled | undefined
  readonly evidence: {
    totals(route: string, rule: string, version: string): ReadonlyMap<string, Tally> | undefined
  }
  /** ms since the epoch. */
  readonly wall: () => number
  /** What happened to a route `namespace/name` of that uid, once it is written down. */
  readonly happened: (route: string, uid: string, happening: Happening) => void
  readonly failed: (route: string, error: unknown) => void
}

/** What is known of one experiment. */
interface Known {
  readonly state: State
  readonly item: ExperimentStatus
  /** What it was found from. */
  readonly sums: ReadonlyMap<string, Tally> | undefined
}

/** What is known of a route that has experiments. */
interface Entry {
  readonly uid: string
  readonly known: ReadonlyMap<string, Known>
  written: readonly ExperimentStatus[]
  writing: boolean
  /** When it was written last, ms since the epoch. */
  at: number
}

const TICK = 1000
/** Evidence alone is written so often for a route, ms. */
const EVIDENCE_EVERY = 10_000
/** A new leader waits so long for sidecars to tell what they know, before it goes on with what another has begun, ms. */
const GATHER = 5000

/**
 * Decides the experiments of all routes, on the replica that leads: once a second it looks at what has been counted, and writes down what
 * follows. What it decides takes effect once it is written, since that comes back with the world, from which every replica compiles.
 */
export class Experiments {
  readonly #options: ExperimentsOptions
  readonly #entries = new Map<string, Entry>()
  readonly #listeners = new Set<() => void>()
  /** Those that have experiments, or had. */
  readonly #routes = new Set<string>()
  readonly #timer: NodeJS.Timeout
  #leading = false
  #since = 0

  constructor(options: ExperimentsOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), TICK).unref()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#leading = false
  }

  /** Whether this replica decides. What another has written down is gone on from. */
  lead({ leading }: { readonly leading: boolean }): void {
    this.#leading = leading
    this.#since = this.#options.wall()
    this.#entries.clear()
  }

  /** The world was compiled. */
  compiled({ changes }: Pick<Compiled, 'changes'>): void {
    const { routes } = this.#options.world()
    for (const object of changes.objects) {
      if (!object.startsWith('ModelRoute ')) continue
      const name = object.slice('ModelRoute '.length)
      const has = routes.get(name)?.spec.rules.some(({ experiment }) => experiment)
      if (has || (this.#options.store.read(name)?.items.length ?? 0) > 0) this.#routes.add(name)
      else this.#routes.delete(name)
    }
  }

  /** Every experiment as it is at the moment; on a replica that does not lead, as it is written down. */
  views(): readonly ExperimentView[] {
    return [...this.#routes].sort().flatMap((route) => {
      const entry = this.#entries.get(route)
      const items = entry ? [...entry.known.values()].map(({ item }) => item) : this.#options.store.read(route)?.items
      return (items ?? []).map((item) => ({ route, ...item }))
    })
  }

  /** Calls the listener after each change of what `views` gives, and no more once what it returns is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #tick(): void {
    if (this.#routes.size === 0) return
    let changed = !this.#leading
    if (this.#leading) {
      const all = [...this.#routes].flatMap((name) => this.#plans(name) ?? [])
      const assigning = (name: string) => (planned: Planned) => {
        const state = this.#entries.get(name)?.known.get(planned.rule)?.state
        return !(planned.ships && state?.version === planned.version && state.phase === 'Decided')
      }
      const waiting = overlaps(
        all.flatMap(({ name, route, plans }) => (route ? [{ route, plans: plans.filter(assigning(name)) }] : [])),
      )
      for (const { name, plans, generation } of all)
        try {
          if (this.#look(name, plans, generation, waiting)) changed = true
        } catch (error) {
          this.#options.failed(name, error)
        }
    }
    if (changed) for (const listener of this.#listeners) listener()
  }

  /** The experiments of a route; undefined where its manifest is not compiled yet. */
  #plans(name: string) {
    const route = this.#options.world().routes.get(name)
    const compiled = this.#options.compiled()?.routes.get(name)
    if (!route) return { name, route, plans: [], generation: 0 }
    const generation = route.metadata.generation ?? 0
    if (compiled?.generation !== generation) return undefined
    return { name, route, plans: plansOf(route, compiled), generation }
  }

  /** Looks at the experiments of a route, and has written down what has become of them; whether any of it is new. */
  #look(name: string, plans: readonly Planned[], generation: number, waiting: ReadonlyMap<string, string>): boolean {
    const stored = this.#options.store.read(name)
    if (!stored) {
      this.#routes.delete(name)
      return this.#entries.delete(name)
    }
    const before = this.#entries.get(name)
    const entry: Entry =
      before?.uid === stored.uid
        ? before
        : {
            uid: stored.uid,
            known: new Map(stored.items.map((item) => [item.rule, { item, state: stateOf(item), sums: undefined }])),
            written: stored.items,
            writing: false,
            at: -Infinity,
          }
    const known = new Map(
      plans.map((planned) => {
        const held = heldOf(planned, waiting.get(`${name} ${planned.rule}`))
        return [planned.rule, this.#next(name, planned, entry.known.get(planned.rule), held)]
      }),
    )
    const now = { ...entry, known }
    this.#entries.set(name, now)
    this.#write(name, now, generation)
    return [...known].some(([rule, { item }]) => entry.known.get(rule)?.item !== item) || known.size < entry.known.size
  }

  #next(route: string, planned: Planned, before: Known | undefined, held: Input['held']): Known {
    const { evidence, wall } = this.#options
    const { rule, version, design } = planned
    const now = wall()
    const going = before?.state.version === version ? before : undefined
    if (going && going.sums === undefined && now - this.#since < GATHER) return going
    const sums = evidence.totals(route, rule, version) ?? NOTHING
    const late = going && now - going.state.started >= design.maxDuration
    const blocked = (reason: string | undefined) => reason === held?.reason
    if (
      going &&
      going.sums === sums &&
      !late &&
      blocked(going.state.phase === 'Blocked' ? going.state.reason : undefined)
    )
      return going
    const state = advance(design, before?.state, { now, version, held, analysis: analysisOf(planned, sums) })
    // What is decided stays as it was written down.
    if (before && state === before.state) return { ...before, sums }
    const item = itemOf(planned, state)
    return { state, sums, item: isDeepStrictEqual(item, before?.item) && before ? before.item : item }
  }

  #write(name: string, entry: Entry, generation: number): void {
    const { store, wall, happened, failed } = this.#options
    const items = [...entry.known.values()].map(({ item }) => item)
    if (entry.writing || isDeepStrictEqual(items, entry.written)) {
      if (items.length === 0) this.#routes.delete(name)
      return
    }
    const moved =
      items.length !== entry.written.length ||
      items.some((item) => {
        const was = entry.written.find(({ rule }) => rule === item.rule)
        return was?.phase !== item.phase || was.reason !== item.reason || was.version !== item.version
      })
    if (!moved && wall() - entry.at < EVIDENCE_EVERY) return
    entry.writing = true
    const settled = (then: (current: Entry) => void) => {
      const current = this.#entries.get(name)
      if (current?.uid !== entry.uid) return
      this.#entries.set(name, { ...current, writing: false })
      then(current)
    }
    store.write(name, entry.uid, { items, condition: decidedCondition(items, generation) }).then(
      (written) =>
        settled((current) => {
          if (!written) return
          this.#entries.set(name, { ...current, writing: false, written: items, at: wall() })
          for (const item of items) {
            const happening = experimentHappening(
              entry.written.find(({ rule }) => rule === item.rule),
              item,
            )
            if (happening) happened(name, entry.uid, happening)
          }
        }),
      (error: unknown) => {
        settled(() => {})
        failed(name, error)
      },
    )
  }
}

const NOTHING: ReadonlyMap<string, Tally> = new Map()

/** What is known of an experiment from the sums of its clusters. */
function analysisOf({ design }: Planned, sums: ReadonlyMap<string, Tally>) {
  const clusters = (arm: string) =>
    Array.from({ length: CLUSTERS }, (_, cluster) => sums.get(clusterName(arm, cluster)) ?? NO_TALLY)
  return analyse(design, new Map(design.arms.map(({ name }) => [name, clusters(name)])))
}

/** Why nobody is assigned now. */
function heldOf({ fault }: Planned, other: string | undefined): Input['held'] {
  if (fault !== undefined) return { reason: 'Unresolved', message: `Nobody is assigned to arms: ${fault}` }
  if (other === undefined) return undefined
  const [route, rule] = other.split(' ')
  return {
    reason: WAITS,
    message: `Its part of the layer overlaps with that of rule ${rule} of ModelRoute ${route}, which goes first: give them parts that do not.`,
  }
}
