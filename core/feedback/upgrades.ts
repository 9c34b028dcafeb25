import { betaBelow } from './beta.ts'
import { isNear } from './sketch.ts'
import type { Sketch } from './sketch.ts'
import type { KeptTraits, Kinship, Traits } from './traits.ts'

/** What bad ratings do to requests that are like the one that was rated. */
export interface UpgradeSettings {
  /** How long after the last bad rating, ms. */
  readonly within: number
  /** After which a rating counts half, ms. */
  readonly halfLife: number
  /** Upgraded where P(the answer is bad) is above this with 95 % confidence, 0…1. */
  readonly bar: number
  readonly similar: ReadonlySet<Kinship>
  /** The least part of n-grams that near requests have in common, 0…1. */
  readonly nearness: number
}

/** How answers of models of one rank were rated, each rating by its weight. */
interface Ratings {
  bad: number
  good: number
  /** When they were weighed last, and rated badly last; ms. */
  at: number
  badAt: number
}

/** A rating as it was counted. */
interface Counted {
  readonly keys: ReadonlySet<string>
  readonly rating: number
  readonly at: number
}

interface Cluster {
  /** By the rank of the model that answered. */
  readonly byRank: Map<number, Ratings>
  /** Of the request that was rated badly, for those that are near it. */
  readonly sketch: Sketch | undefined
}

/** Clusters that are kept of a rule; those that were rated longest ago go first. */
const MOST = 1000
/** How sure it must be that answers are bad. */
const DOUBT = 0.05

/**
 * What is known of the answers to requests that were rated badly. For each cluster and rank a Beta posterior with a uniform prior; ratings
 * lose weight by their half-life. Pure but for its own state: time comes in.
 */
export class Upgrades {
  private readonly clusters = new Map<string, Cluster>()
  /** The last rating of each answer, by the traits that were kept of it. */
  private readonly counted = new WeakMap<KeptTraits, Counted>()

  /** Whether there is anything to be looked for. */
  get active(): boolean {
    return this.clusters.size > 0
  }

  /**
   * An answer of a model of that rank was rated, from 0 (bad) to 1 (good), by that weight: 1, or less for a hint. Another rating of the same answer
   * takes the place of the one before; a hint stands beside it. Returns whether requests like it are upgraded now.
   */
  rate(
    traits: KeptTraits,
    rank: number,
    rating: number,
    weight: number,
    settings: UpgradeSettings,
    now: number,
  ): boolean {
    if (weight === 1) this.takeBack(traits, rank, settings, now)
    const own = [...traits.keys.values(), ...(traits.sketch ? [`Near ${traits.text}`] : [])]
    const near = traits.sketch ? this.near(traits.sketch, settings) : []
    // Good ratings are counted where there are bad ones to be outweighed, and nowhere else.
    const keys = new Set(rating < 0.5 ? [...own, ...near] : [...own.filter((key) => this.clusters.has(key)), ...near])
    for (const key of keys) {
      const sketch = key.startsWith('Near ') ? traits.sketch : undefined
      const cluster = this.clusters.get(key) ?? { byRank: new Map<number, Ratings>(), sketch }
      const ratings = aged(cluster.byRank.get(rank), settings, now)
      ratings.bad += (1 - rating) * weight
      ratings.good += rating * weight
      if (rating < 0.5) ratings.badAt = now
      cluster.byRank.set(rank, ratings)
      // The one that was rated last is the last to go.
      this.clusters.delete(key)
      this.clusters.set(key, cluster)
    }
    if (weight === 1) this.counted.set(traits, { keys, rating, at: now })
    for (const key of this.clusters.keys()) {
      if (this.clusters.size <= MOST) break
      this.clusters.delete(key)
    }
    return [...keys].some((key) => this.wanted(this.clusters.get(key), settings, now) !== undefined)
  }

  /** The least rank that a request is to be answered by; undefined: any. */
  minRank(traits: Traits, settings: UpgradeSettings, now: number): number | undefined {
    if (!this.active) return undefined
    let most: number | undefined
    const consider = (key: string): void => {
      const wanted = this.wanted(this.clusters.get(key), settings, now)
      if (wanted !== undefined && (most === undefined || wanted > most)) most = wanted
    }
    for (const kinship of settings.similar)
      if (kinship === 'Near') for (const key of this.near(traits.sketch, settings)) consider(key)
      else consider(traits.key(kinship))
    return most
  }

  private takeBack(traits: KeptTraits, rank: number, settings: UpgradeSettings, now: number): void {
    const before = this.counted.get(traits)
    if (!before) return
    const left = 2 ** ((before.at - now) / settings.halfLife)
    for (const key of before.keys) {
      const byRank = this.clusters.get(key)?.byRank
      if (!byRank?.has(rank)) continue
      const ratings = aged(byRank.get(rank), settings, now)
      // A cluster may have been forgotten and begun anew since.
      ratings.bad = Math.max(0, ratings.bad - (1 - before.rating) * left)
      ratings.good = Math.max(0, ratings.good - before.rating * left)
      byRank.set(rank, ratings)
    }
  }

  private near(sketch: Sketch, settings: UpgradeSettings): readonly string[] {
    const near: string[] = []
    for (const [key, cluster] of this.clusters)
      if (cluster.sketch && isNear(cluster.sketch, sketch, settings.nearness)) near.push(key)
    return near
  }

  /** One above the highest rank whose answers are bad: what is weaker than that will be no better. */
  private wanted(cluster: Cluster | undefined, settings: UpgradeSettings, now: number): number | undefined {
    let bad: number | undefined
    for (const [rank, ratings] of cluster?.byRank ?? []) {
      if (now - ratings.badAt > settings.within || (bad !== undefined && rank < bad)) continue
      const { bad: failed, good } = aged(ratings, settings, now)
      if (betaBelow(settings.bar, 1 + failed, 1 + good) < DOUBT) bad = rank
    }
    return bad === undefined ? undefined : bad + 1
  }
}

/** Ratings with the weight that they have by now. */
function aged(ratings: Ratings | undefined, { halfLife }: UpgradeSettings, now: number): Ratings {
  if (!ratings) return { bad: 0, good: 0, at: now, badAt: Number.NEGATIVE_INFINITY }
  const left = 2 ** ((ratings.at - now) / halfLife)
  return { bad: ratings.bad * left, good: ratings.good * left, at: now, badAt: ratings.badAt }
}
