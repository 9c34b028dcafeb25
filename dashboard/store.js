/** @import { EndpointRow, RouteRow, SidecarRow } from '../api/board.ts' */
/** @import { ExperimentStatus } from '../api/experiment.ts' */
/** @import { RolloutStatus } from '../api/rollout.ts' */

/** A rollout as it is told. @typedef {RolloutStatus & { readonly route: string }} Rollout */
/** An experiment as it is told. @typedef {ExperimentStatus & { readonly route: string }} Experiment */
/** @typedef {{ routeRows?: RouteRow[], endpointRows?: EndpointRow[], sidecarRows?: SidecarRow[], rollouts?: Rollout[], experiments?: Experiment[] }} Lists */
/** @typedef {{ set: Lists, gone: Partial<Record<keyof Lists, string[]>> }} Change */
/** What was seen of a route at a moment. @typedef {{ at: number, requests: number, errors: number | null, p95: number | null, cost: number | null }} Moment */

/** Moments that are kept of each route, and the least time between two, ms. */
const MOMENTS = 240
const BETWEEN = 2000

/**
 * All that is known, by name; rows that did not change stay the same objects. Tells its listeners of changes, those of a frame together.
 */
export class Store {
  /** @type {Map<string, RouteRow>} */
  routes = new Map()
  /** @type {Map<string, EndpointRow>} */
  endpoints = new Map()
  /** @type {Map<string, SidecarRow>} */
  sidecars = new Map()
  /** @type {Map<string, Rollout>} */
  rollouts = new Map()
  /** @type {Map<string, Experiment>} */
  experiments = new Map()
  /** @type {Map<string, Moment[]>} */
  moments = new Map()
  /** Whether anything was told yet. */
  known = false
  /** Rises with every change. */
  version = 0

  /** @type {Set<() => void>} */
  #listeners = new Set()
  #due = false

  /**
   * @param {() => void} listener
   * @returns {() => void} ends it
   */
  onChange(listener) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Takes all that there is; what was known before is no more.
   * @param {Lists} lists
   * @param {number} now
   */
  replace(lists, now) {
    for (const [map] of this.#maps()) map.clear()
    this.known = true
    this.#take(lists, now)
  }

  /**
   * Takes what changed.
   * @param {Change} change
   * @param {number} now
   */
  change({ set, gone }, now) {
    for (const [map, name] of this.#maps()) for (const key of gone[name] ?? []) map.delete(key)
    for (const name of gone.routeRows ?? []) this.moments.delete(name)
    this.#take(set, now)
  }

  /** Forgets all, such as when somebody signs out. */
  clear() {
    for (const [map] of this.#maps()) map.clear()
    this.moments.clear()
    this.known = false
    this.#tell()
  }

  /** @returns {[Map<string, unknown>, keyof Lists][]} */
  #maps() {
    return [
      [this.routes, 'routeRows'],
      [this.endpoints, 'endpointRows'],
      [this.sidecars, 'sidecarRows'],
      [this.rollouts, 'rollouts'],
      [this.experiments, 'experiments'],
    ]
  }

  /**
   * @param {Lists} lists
   * @param {number} now
   */
  #take({ routeRows = [], endpointRows = [], sidecarRows = [], rollouts = [], experiments = [] }, now) {
    for (const row of routeRows) {
      this.routes.set(row.name, row)
      this.#moment(row, now)
    }
    for (const row of endpointRows) this.endpoints.set(row.name, row)
    for (const row of sidecarRows) this.sidecars.set(row.pod, row)
    for (const it of rollouts) this.rollouts.set(`${it.route}/${it.rule}`, it)
    for (const it of experiments) this.experiments.set(`${it.route}/${it.rule}`, it)
    this.#tell()
  }

  /**
   * @param {RouteRow} row
   * @param {number} now
   */
  #moment({ name, rate }, now) {
    let moments = this.moments.get(name)
    if (!moments) this.moments.set(name, (moments = []))
    const last = moments.at(-1)
    const same = last !== undefined && now - last.at < BETWEEN
    if (same) moments.pop()
    moments.push({
      at: same ? last.at : now,
      requests: rate.requests,
      errors: rate.errors,
      p95: rate.p95,
      cost: rate.cost,
    })
    if (moments.length > MOMENTS) moments.shift()
  }

  #tell() {
    this.version++
    if (this.#due) return
    this.#due = true
    requestAnimationFrame(() => {
      this.#due = false
      for (const listener of this.#listeners) listener()
    })
  }
}
