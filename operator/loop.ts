import { versionsOf } from '../api/gatherings.ts'
import { strategy } from '../core/strategies/index.ts'
import type { Audience } from './compile/audience.ts'
import { Compiler } from './compile/compiler.ts'
import type { CompileOptions } from './compile/endpoint.ts'
import type { Compiled } from './compile/index.ts'
import { keyOf } from './compile/resource.ts'
import { Evidence } from './evidence.ts'
import type { Fleet } from './fleet.ts'
import { Learning } from './learning.ts'
import { Push } from './push.ts'
import type { Concerned, PushEvents, PushOptions } from './push.ts'
import type { Totals } from './status/mirrors.ts'
import { ids, statuses } from './statuses.ts'
import type { StatusOf } from './statuses.ts'
import { Turns } from './turns.ts'
import type { Source, Touched } from './world.ts'

export interface LoopHooks extends Omit<PushEvents, 'changed'> {
  /** Statuses of the objects that may have one that differs, by `KIND namespace/name`. */
  readonly statuses?: (found: ReadonlyMap<string, StatusOf>) => void
  /** A compile was published: how long it took, ms. */
  readonly compiled?: (compiled: Compiled, ms: number) => void
  /** A compile or a status pass threw: a fault of ours, after which the next change tries again. */
  readonly failed?: (error: unknown) => void
  /** The whole fleet, where there are more replicas than this one; left out: what is connected here. */
  readonly fleet?: () => Fleet
  /** Something that the sidecars connected here say has changed. */
  readonly changed?: (concerned: Concerned) => void
  /** Runs a step within a trace. */
  readonly span?: <T>(step: 'reconcile' | 'compile' | 'push', work: () => T) => T
}

export interface LoopOptions extends PushOptions, CompileOptions {
  readonly hooks?: LoopHooks
}

/** Between two compiles, and between two passes over the statuses, ms. */
const COMPILE_EVERY = 20
const STATUS_EVERY = 50
/** What mirrors find comes all the time; it is looked at so often, ms. */
const MIRRORS_EVERY = 1000
/** Statuses made at a stretch, so that a pass over all of them keeps no edit waiting. */
const STRETCH = 200

/**
 * Source → world → compile → push → status. The first change after a rest is compiled at once, those that follow within 20 ms together. A
 * compile that throws leaves what was published before in force.
 */
export class Loop {
  readonly push: Push
  /** What the sidecars learn, put together; for them all, or those whose replica this one leads. */
  readonly learning: Learning
  /** What became of requests, put together; the same. */
  readonly evidence: Evidence
  readonly #source: Source
  readonly #options: LoopOptions
  #compiler: Compiler
  #compiled: Compiled | undefined
  #touched: Touched[] | undefined = []
  #since: number | undefined
  #lastCompile = -Infinity
  #compileTimer: NodeJS.Timeout | undefined
  readonly #dirty = new Set<string>()
  readonly #audiences = new Set<Audience>()
  #statusTimer: NodeJS.Timeout | undefined
  /** Routes whose mirrors have found more. */
  readonly #mirrored = new Set<string>()
  #mirrorTimer: NodeJS.Timeout | undefined
  readonly #turns = new Turns(Date.now, (routes) => {
    for (const name of routes) this.#dirty.add(`ModelRoute ${name}`)
    this.#scheduleStatuses()
  })
  #synced = false
  #stopped = false

  constructor(source: Source, options: LoopOptions) {
    this.#source = source
    this.#options = options
    this.#compiler = new Compiler(options)
    this.learning = new Learning({ now: options.now, form: (route, rule) => this.#form(route, rule) })
    this.evidence = new Evidence({ now: options.now, versions: (route, rule) => this.#versions(route, rule) })
    this.evidence.onChange((route, name) => {
      if (!this.#rule(route, name)?.mirror) return
      this.#mirrored.add(route)
      this.#mirrorTimer ??= setTimeout(() => this.#mirrorsFound(), MIRRORS_EVERY).unref()
    })
    this.push = new Push(options, {
      learned: ({ identity, tell }, said) => this.learning.hear(identity.uid, said, tell),
      evidence: ({ identity, tell }, said) => this.evidence.hear(identity.uid, said, tell),
      left: ({ identity, tell }, stopping) => {
        this.learning.left(identity.uid, tell, stopping)
        this.evidence.left(identity.uid, tell, stopping)
      },
      ...options.hooks,
      changed: (concerned) => {
        options.hooks?.changed?.(concerned)
        this.fleetChanged(concerned)
      },
    })
  }

  /** Resolves when the first compile, of a whole world, is published. */
  async start(): Promise<void> {
    await this.#source.start((touched) => this.#touch(touched))
    this.#synced = true
    this.#touched = undefined
    this.#compile()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#compileTimer)
    clearTimeout(this.#statusTimer)
    clearTimeout(this.#mirrorTimer)
    this.#turns.stop()
    this.push.close()
    this.learning.close()
    this.evidence.close()
    await this.#source.stop()
  }

  /** What the sidecars have counted under a version of a rule. */
  readonly totals: Totals = (...of) => this.evidence.totals(...of)

  /** What is in force; undefined before the first compile. */
  get compiled(): Compiled | undefined {
    return this.#compiled
  }

  /** Makes statuses anew: those that what was said concerns, or all of them, such as for a replica that has begun to lead. */
  fleetChanged(concerned?: Concerned): void {
    if (!concerned) for (const id of this.#compiled ? ids(this.#compiled) : []) this.#dirty.add(id)
    for (const key of concerned?.keys ?? []) {
      const [kind, ...name] = key.split('/')
      if (kind === 'route') this.#dirty.add(`ModelRoute ${name.join('/')}`)
      if (kind === 'endpoint') this.#dirty.add(`ModelEndpoint ${name.join('/')}`)
    }
    if (concerned?.audience) this.#audiences.add(concerned.audience)
    this.#scheduleStatuses()
  }

  #mirrorsFound(): void {
    this.#mirrorTimer = undefined
    this.fleetChanged({ keys: [...this.#mirrored].map((route) => keyOf('route', route)) })
    this.#mirrored.clear()
  }

  #rule(route: string, name: string) {
    return this.#compiled?.routes.get(route)?.body.rules.find((it) => it.name === name)
  }

  #versions(route: string, name: string): readonly string[] {
    const rule = this.#rule(route, name)
    return rule ? versionsOf(rule) : []
  }

  #form(route: string, name: string) {
    const rule = this.#rule(route, name)
    return rule && strategy(rule.strategy.type).memory?.(rule.strategy.settings ?? {})
  }

  #touch(touched: Touched | undefined): void {
    this.#since ??= this.#options.now()
    if (touched) this.#touched?.push(touched)
    else this.#touched = undefined
    if (!this.#synced || this.#compileTimer || this.#stopped) return
    const wait = Math.max(0, COMPILE_EVERY - (this.#options.now() - this.#lastCompile))
    this.#compileTimer = setTimeout(() => this.#compile(), wait)
  }

  #compile(): void {
    this.#compileTimer = undefined
    const { hooks } = this.#options
    const start = this.#options.now()
    const touched = this.#touched
    const since = this.#since ?? start
    this.#touched = []
    this.#since = undefined
    this.#lastCompile = start
    const span: NonNullable<LoopHooks['span']> = hooks?.span ?? ((_, work) => work())
    try {
      span('reconcile', () => {
        const compiled = span('compile', () => this.#compiler.compile(this.#source.world(), touched))
        this.#compiled = compiled
        const took = this.#options.now() - start
        span('push', () => this.push.publish(compiled, since))
        hooks?.compiled?.(compiled, took)
        for (const id of compiled.changes.objects) this.#dirty.add(id)
        this.#turns.compiled(compiled)
      })
      this.#scheduleStatuses()
    } catch (error) {
      // What it has noted and what it has not is not known: the next compile begins from nothing.
      this.#compiler = new Compiler(this.#options)
      this.#touched = undefined
      hooks?.failed?.(error)
    }
  }

  #scheduleStatuses(): void {
    const idle = this.#dirty.size === 0 && this.#audiences.size === 0
    if (this.#statusTimer || this.#stopped || !this.#options.hooks?.statuses || idle) return
    this.#statusTimer = setTimeout(() => this.#statuses(), STATUS_EVERY)
  }

  #statuses(): void {
    this.#statusTimer = undefined
    const { hooks } = this.#options
    if (!this.#compiled || !hooks?.statuses) return
    for (const { routes, keys } of this.#audiences) {
      for (const route of routes) this.#dirty.add(`ModelRoute ${route}`)
      for (const key of keys.keys())
        if (key.startsWith('endpoint/')) this.#dirty.add(`ModelEndpoint ${key.slice('endpoint/'.length)}`)
    }
    this.#audiences.clear()
    const now = [...this.#dirty.values().take(STRETCH)]
    for (const id of now) this.#dirty.delete(id)
    try {
      hooks.statuses(statuses(this.#compiled, hooks.fleet?.() ?? this.push.fleet(), now, undefined, this.totals))
    } catch (error) {
      hooks.failed?.(error)
    }
    if (this.#dirty.size > 0) this.#statusTimer = setTimeout(() => this.#statuses())
  }
}
