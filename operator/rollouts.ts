import type { ModelRoute } from '../api/model-route.ts'
import type { RolloutStatus } from '../api/rollout.ts'
import { ROLLOUT_ANNOTATION, readRolloutAnnotation } from '../api/rollout-annotation.ts'
import { plus } from '../core/evidence/tally.ts'
import { NO_TALLY } from '../core/evidence/tally.ts'
import type { Tally } from '../core/evidence/tally.ts'
import { advance, due } from '../core/rollout/advance.ts'
import type { Happening } from '../core/rollout/happenings.ts'
import type { Input } from '../core/rollout/input.ts'
import { versionOf } from '../core/rollout/state.ts'
import type { State, Verb } from '../core/rollout/state.ts'
import { refusal } from '../core/rollout/verbs.ts'
import type { Compiled } from './compile/index.ts'
import type { Fleet } from './fleet.ts'
import { planOf } from './rollout/plan.ts'
import type { Planned } from './rollout/plan.ts'
import { itemOf, writtenItem } from './rollout/record.ts'
import type { Record } from './rollout/record.ts'
import { Acknowledgements } from './rollout/sidecars.ts'
import type { Reached } from './rollout/sidecars.ts'
import { inShort, promoted } from './rollout/status.ts'
import type { RolloutStore, Writing } from './rollout/store.ts'
import type { World } from './world.ts'

/** A rollout as it is at the moment. */
export interface RolloutView extends Omit<RolloutStatus, 'memory'> {
  /** `namespace/name`. */
  readonly route: string
}

/** Why something could not be done with a rollout; the message is a full sentence. */
export class RolloutError extends Error {
  readonly code: 'not_found' | 'not_now' | 'not_leading' | 'not_written'
  constructor(code: RolloutError['code'], message: string) {
    super(message)
    this.code = code
  }
}

export interface RolloutsOptions {
  readonly store: RolloutStore
  readonly world: () => World
  readonly compiled: () => Compiled | undefined
  readonly fleet: () => Fleet
  readonly evidence: {
    totals(route: string, rule: string, version: string): ReadonlyMap<string, Tally> | undefined
    /** The uids of the pods whose sidecars have told of a version. */
    peers(route: string, rule: string, version: string): ReadonlySet<string>
    onChange(listener: (route: string, rule: string) => void): () => void
  }
  /** ms since the epoch. */
  readonly wall: () => number
  /** What happened to a route `namespace/name` of that uid, once it is written down. */
  readonly happened: (route: string, uid: string, happening: Happening) => void
  readonly failed: (route: string, error: unknown) => void
}

/** What is known of a route that has rollouts. */
interface Entry {
  readonly uid: string
  /** What was written down last, by this replica or found there. */
  written: Record
  /** As it is by now: ahead of what is written by evidence alone, or by what is being written. */
  states: ReadonlyMap<string, State>
  plans: readonly Planned[]
  /** Told once it is written. */
  happenings: readonly Happening[]
  /** Something is to be written at once, or when it is time. */
  urgent: boolean
  dirty: boolean
  writing: boolean
  /** When it was written last, and when it may be tried again. */
  at: number
  notBefore: number
  /** The route and its compiled form when they were looked at last. */
  route: ModelRoute | undefined
  generation: number
  waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[]
}

/** Evidence alone is written so often for a route, ms. */
const EVIDENCE_EVERY = 5000
/** What has changed is looked at all together after so long, what sidecars have said after a little longer; and all rollouts that go on are in any case, ms. */
const SOON = 25
const FLEET = 100
const TICK = 500
/** A write that did not go through is tried again after so long, ms. */
const AGAIN = 50
/** What was written and has not come back for so long is written again, ms. */
const ECHO = 3000
/** A new leader waits so long for every sidecar to tell what it knows, ms; after that it goes on with what there is. */
const GATHER = 10_000
/** Who asks for something waits so long for it to be written down, ms. */
const PATIENCE = 10_000

/**
 * Moves rollouts, on the replica that leads: whenever there is more evidence, an acknowledgement, an edit, an order, or when it is time, it asks
 * `advance` what becomes of each, and writes that down. Only what is written down takes effect, since only that comes back with the world,
 * from which every replica compiles; so that whoever leads next goes on from there.
 */
export class Rollouts {
  readonly #options: RolloutsOptions
  readonly #entries = new Map<string, Entry>()
  readonly #listeners = new Set<() => void>()
  /** Those that have rollouts, or had. */
  readonly #routes = new Set<string>()
  readonly #soon = new Set<string>()
  readonly #timer: NodeJS.Timeout
  readonly #unsubscribe: () => void
  #pending: NodeJS.Timeout | undefined
  #heard: NodeJS.Timeout | undefined
  #epoch: number | undefined
  #since = 0

  constructor(options: RolloutsOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), TICK).unref()
    this.#unsubscribe = options.evidence.onChange((route) => this.#kick(route))
  }

  close(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#pending)
    clearTimeout(this.#heard)
    this.#unsubscribe()
    this.#forget('The operator ends.')
  }

  /** Whether this replica moves rollouts, and in which epoch. What another has decided is read anew. */
  lead({ leading, epoch }: { readonly leading: boolean; readonly epoch: number }): void {
    if (leading && this.#epoch === epoch) return
    this.#forget('Another replica leads now: ask again.')
    this.#epoch = leading ? epoch : undefined
    this.#since = this.#options.wall()
    for (const route of this.#routes) this.#kick(route)
  }

  /** The world was compiled: the rollouts of routes that it concerns are looked at soon; the others with the next tick. */
  compiled({ changes }: Pick<Compiled, 'changes'>): void {
    const { routes, rollouts } = this.#options.world()
    for (const object of changes.objects) {
      if (!object.startsWith('ModelRoute ')) continue
      const name = object.slice('ModelRoute '.length)
      const has = routes.get(name)?.spec.rules.some(({ rollout }) => rollout) || rollouts?.has(name)
      if (has || this.#routes.has(name)) this.#kick(name)
      if (has) this.#routes.add(name)
      else this.#routes.delete(name)
    }
  }

  /** Sidecars have said something: those that go on are looked at soon. */
  fleetChanged(): void {
    this.#heard ??= setTimeout(() => {
      this.#heard = undefined
      this.#tick()
    }, FLEET)
  }

  /**
   * Does what somebody asks for, and resolves when it is written down. `route`: `namespace/name`; `by`: who asks. Throws a `RolloutError`
   * where there is no such rollout, its phase does not allow it, or this replica does not lead.
   */
  async act(route: string, rule: string, verb: Verb, by: string): Promise<void> {
    if (this.#epoch === undefined)
      throw new RolloutError(
        'not_leading',
        'No replica of the operator leads at the moment: ask again in some seconds.',
      )
    this.#look(route, new Acknowledgements(this.#compiled(), this.#options.fleet()))
    const entry = this.#entries.get(route)
    const state = entry?.states.get(rule)
    if (!entry || !state) throw new RolloutError('not_found', `Rule ${rule} of ModelRoute ${route} has no rollout.`)
    const why = refusal(state, verb)
    if (why !== undefined) throw new RolloutError('not_now', why)
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new RolloutError('not_written', 'It could not be written down in time: look what is in force.')),
        PATIENCE,
      )
      const ended = (end: () => void) => () => {
        clearTimeout(timer)
        end()
      }
      entry.waiting.push({ resolve: ended(resolve), reject: (error) => ended(() => reject(error))() })
      const looked = this.#look(route, new Acknowledgements(this.#compiled(), this.#options.fleet()), {
        rule,
        order: { verb, by },
      })
      if (!looked) this.#drop(route)
    })
  }

  /** Every rollout as it is at the moment; on a replica that does not lead, as it is written down. */
  views(): readonly RolloutView[] {
    const { routes } = this.#options.world()
    const compiled = this.#options.compiled()
    return [...this.#routes].sort().flatMap((route) => {
      const found = routes.get(route)
      if (!found) return []
      const { spec, metadata } = found
      const states = this.#entries.get(route)?.states ?? this.#options.store.read(route)?.record.states
      const body = compiled?.routes.get(route)?.body
      return spec.rules.flatMap((rule, i): readonly RolloutView[] => {
        const compiledRule = body?.rules[i]
        const planned = compiledRule && planOf(rule, compiledRule, metadata.namespace)
        const state = planned && states?.get(planned.rule)
        return state ? [{ route, ...itemOf(planned.rule, state, planned.called, planned.plan.steps.length) }] : []
      })
    })
  }

  /** Calls the listener after each change of what `views` gives, and no more once what it returns is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #compiled(): Compiled {
    const compiled = this.#options.compiled()
    if (!compiled) throw new RolloutError('not_leading', 'The operator has not seen the whole world yet.')
    return compiled
  }

  #forget(why: string): void {
    for (const { waiting } of this.#entries.values())
      for (const { reject } of waiting) reject(new RolloutError('not_written', why))
    this.#entries.clear()
    this.#soon.clear()
  }

  #kick(route: string): void {
    this.#soon.add(route)
    this.#pending ??= setTimeout(() => this.#flush(), SOON)
  }

  #tick(): void {
    for (const [route, { states }] of this.#entries)
      if ([...states.values()].some(({ phase }) => phase !== 'Promoted' && phase !== 'RolledBack') || this.#owes(route))
        this.#kick(route)
  }

  #owes(route: string): boolean {
    const entry = this.#entries.get(route)
    return entry !== undefined && (entry.urgent || entry.dirty)
  }

  #flush(): void {
    this.#pending = undefined
    const now = [...this.#soon]
    this.#soon.clear()
    const compiled = this.#options.compiled()
    if (this.#epoch === undefined || !compiled) return this.#tell()
    const acknowledgements = new Acknowledgements(compiled, this.#options.fleet())
    for (const route of now)
      try {
        this.#look(route, acknowledgements)
      } catch (error) {
        this.#options.failed(route, error)
      }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Looks at the rollouts of a route as they are now, and writes down what has become of them; false where they cannot be looked at now. */
  #look(
    name: string,
    acknowledgements: Acknowledgements,
    asked?: { readonly rule: string; readonly order: NonNullable<Input['order']> },
  ): boolean {
    const { store, world, wall } = this.#options
    const route = world().routes.get(name)
    const stored = store.read(name)
    const known = this.#entries.get(name)
    if (!stored) return this.#drop(name)
    const entry =
      known?.uid === stored.uid && stored.record.seq <= known.written.seq ? known : this.#begin(name, stored)
    // Nothing is decided upon a manifest that is not compiled: it is, a moment later.
    const compiled = this.#options.compiled()?.routes.get(name)
    if (route && compiled?.generation !== (route.metadata.generation ?? 0)) return false
    const namespace = route?.metadata.namespace ?? ''
    entry.plans = (route?.spec.rules ?? []).flatMap((rule, i) => {
      const of = compiled?.body.rules[i]
      return (of && planOf(rule, of, namespace)) ?? []
    })
    const nothing = entry.plans.length === 0 && entry.states.size === 0
    if (nothing && stored.record.states.size === 0) return this.#drop(name)
    entry.route = route
    entry.generation = route?.metadata.generation ?? 0
    const now = wall()
    const before = entry.states
    const states = new Map<string, State>()
    for (const planned of entry.plans) {
      const state = before.get(planned.rule)
      const order = asked?.rule === planned.rule ? asked.order : undefined
      const input = this.#input(entry, planned, state, acknowledgements, { now, order })
      const next = advance(planned.plan, state, input)
      states.set(planned.rule, next.state)
      entry.happenings = [...entry.happenings, ...next.happenings]
      if (!state || order || moved(state, next.state)) entry.urgent = true
      else if (JSON.stringify(state) !== JSON.stringify(next.state)) entry.dirty = true
    }
    if ([...before.keys()].some((rule) => !states.has(rule))) entry.urgent = true
    entry.states = states
    if (entry.urgent || entry.dirty) this.#tell()
    this.#consider(name, entry)
    return true
  }

  #begin(name: string, { uid, record }: { readonly uid: string; readonly record: Record }): Entry {
    this.#drop(name)
    const entry: Entry = {
      uid,
      written: record,
      states: record.states,
      plans: [],
      happenings: [],
      urgent: false,
      dirty: false,
      writing: false,
      at: -Infinity,
      notBefore: -Infinity,
      route: undefined,
      generation: 0,
      waiting: [],
    }
    this.#entries.set(name, entry)
    return entry
  }

  #drop(name: string): false {
    for (const { reject } of this.#entries.get(name)?.waiting ?? [])
      reject(new RolloutError('not_written', 'Something else was written meanwhile: look, and ask again.'))
    this.#entries.delete(name)
    return false
  }

  #input(
    { uid, route }: Entry,
    planned: Planned,
    state: State | undefined,
    acknowledgements: Acknowledgements,
    { now, order }: Pick<Input, 'now' | 'order'>,
  ): Input {
    const name = route ? `${route.metadata.namespace}/${route.metadata.name}` : ''
    const reached = acknowledgements.of(name)
    const { connected, behind, mute } = reached
    const compiled = this.#options.compiled()?.routes.get(name)?.rollouts.get(planned.rule)
    const version = state && versionOf(state)
    const open = (canary: boolean) =>
      planned.targets
        .filter((it) => it.canary === canary)
        .reduce((sum, { endpoint, model }) => sum + acknowledgements.open(endpoint, model), 0)
    return {
      now,
      of: `${uid} ${planned.rule}`,
      ...(version === undefined ? { totals: undefined } : this.#told(name, planned, version, reached, now)),
      sidecars: { inForce: version !== undefined && compiled?.version === version, connected, behind, mute },
      canary: { fault: planned.fault },
      open: { canary: open(true), stable: open(false) },
      order,
      annotation: annotationOf(route, planned.rule),
    }
  }

  /** What a version has come to. A leader that has just begun waits for all who know something of it. */
  #told(
    route: string,
    { rule, canary, stable }: Planned,
    version: string,
    { behind, within }: Reached,
    now: number,
  ): Pick<Input, 'totals' | 'complete'> {
    const { evidence } = this.#options
    const arms = evidence.totals(route, rule, version)
    if (!arms) return { totals: undefined }
    const peers = evidence.peers(route, rule, version)
    const all = () => behind.length === 0 && within(peers)
    const begun = now - this.#since >= GATHER
    if (!begun && !all()) return { totals: undefined }
    return {
      complete: () => begun && all(),
      totals: {
        canary: arms.get(canary) ?? NO_TALLY,
        stable: stable.reduce<Tally>((sum, arm) => plus(sum, arms.get(arm) ?? NO_TALLY), NO_TALLY),
      },
    }
  }

  /** Writes what is to be written now; what may wait is looked at again by the tick. */
  #consider(name: string, entry: Entry): void {
    const { urgent, dirty, writing, at, notBefore } = entry
    const now = this.#options.wall()
    if (writing) return
    if (now < notBefore) {
      setTimeout(() => this.#kick(name), notBefore - now).unref()
      return
    }
    if (!urgent && !(dirty && now - at >= EVIDENCE_EVERY)) {
      const next = Math.min(...entry.plans.map(({ rule, plan }) => this.#due(entry, rule, plan, now)))
      if (next - now < TICK) setTimeout(() => this.#kick(name), Math.max(0, next - now)).unref()
      return
    }
    // What was written last has not come back: what would be written on top of it would be refused.
    const stored = this.#options.store.read(name)
    if (stored && stored.record.seq < entry.written.seq && now - at < ECHO) {
      setTimeout(() => this.#kick(name), SOON).unref()
      return
    }
    void this.#write(name, entry)
  }

  #due({ states }: Entry, rule: string, plan: Planned['plan'], now: number): number {
    const state = states.get(rule)
    return (state && due(plan, state, now)) ?? Infinity
  }

  async #write(name: string, entry: Entry): Promise<void> {
    const { store, wall, happened, failed } = this.#options
    const { states, happenings, waiting } = entry
    const record: Record = { seq: entry.written.seq + 1, states }
    const wasUrgent = entry.urgent
    Object.assign(entry, {
      writing: true,
      urgent: false,
      dirty: false,
      happenings: [],
      waiting: [],
    } satisfies Partial<Entry>)
    const back = () => {
      entry.urgent ||= wasUrgent
      entry.dirty = true
      entry.happenings = [...happenings, ...entry.happenings]
      entry.waiting = [...waiting, ...entry.waiting]
    }
    try {
      const written = await store.write(name, entry.uid, this.#writing(entry, record))
      entry.at = wall()
      if (written === 'written') {
        entry.written = record
        for (const { resolve } of waiting) resolve()
        for (const it of happenings) happened(name, entry.uid, it)
      } else {
        back()
        entry.notBefore = wall() + AGAIN
      }
    } catch (error) {
      // It may have been written all the same: then the watch brings it, and it is gone on from.
      back()
      entry.notBefore = wall() + 20 * AGAIN
      failed(name, error)
    } finally {
      entry.writing = false
      if (this.#entries.get(name) === entry) this.#kick(name)
      else for (const { reject } of entry.waiting) reject(new RolloutError('not_written', 'Another replica leads now.'))
    }
  }

  #writing({ plans, generation }: Entry, record: Record): Writing {
    const items = plans.flatMap(({ rule, plan, called }) => {
      const state = record.states.get(rule)
      return state ? [writtenItem(itemOf(rule, state, called, plan.steps.length), record.seq, state)] : []
    })
    return { record, items, short: inShort(items), condition: promoted(record.states, generation) }
  }
}

/** Whether it is more than evidence that differs: that is to be in force, or seen, at once. */
function moved(before: State, after: State): boolean {
  return (
    before.phase !== after.phase ||
    before.attempt !== after.attempt ||
    before.asked !== after.asked ||
    before.by !== after.by ||
    before.plan !== after.plan ||
    before.ownWeight !== after.ownWeight
  )
}

/** What the route's annotation asks of the rollout of a rule; nothing where it is not to be read, which the webhook has said. */
function annotationOf(route: ModelRoute | undefined, rule: string): Input['annotation'] {
  const value = route?.metadata.annotations?.[ROLLOUT_ANNOTATION]
  const read = value === undefined ? undefined : readRolloutAnnotation(value)
  if (value === undefined || !read || 'wrong' in read) return undefined
  if (read.rule !== undefined && read.rule !== rule) return undefined
  return { value, verb: read.verb, by: read.note === undefined ? 'annotation' : `annotation (${read.note})` }
}
