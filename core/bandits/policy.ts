import { beta, normal } from './normal.ts'
import { lowerBound, upperBound } from './posterior.ts'
import type { Belief } from './posterior.ts'

export const algorithms = ['EpsilonGreedy', 'Thompson', 'LinUCB', 'LinTS'] as const
export type Algorithm = (typeof algorithms)[number]

/** Whether it looks at the request at all. */
export const contextual = (algorithm: Algorithm): boolean => algorithm === 'LinUCB' || algorithm === 'LinTS'

/** One arm, for one request. */
export interface Option {
  /** Its place on the ladder from cheap to strong. */
  readonly rank: number
  readonly belief: Belief
  /** Rewards that it has had, over all time and the whole fleet. */
  readonly count: number
  /** Its quality was said beforehand, so that it needs no rewards to be believed in. */
  readonly given: boolean
  /** What its score has besides the quality: less for cost and latency, in units of quality. */
  readonly offset: number
  /** Expected, in any unit; NaN: not known, and then nothing is held against it. */
  readonly cost: number
}

export interface PolicyOptions {
  readonly algorithm: Algorithm
  /** How much a whole point of quality counts in the score. */
  readonly quality: number
  /** ε of EpsilonGreedy, 0…1. */
  readonly epsilon: number
  /** Least quality; undefined: any. */
  readonly floor: number | undefined
  /** π_min: the least probability of an arm that may be explored. */
  readonly least: number
  /** Rewards that a new arm is to have before it is left to the algorithm. */
  readonly pulls: number
}

/** What this request may do about exploring. */
export interface Leave {
  /** False: only what is best is asked. */
  readonly explore: boolean
  /** How much dearer than the best arm an explored one may be, in the unit of `cost`. */
  readonly allowance: number
}

/** With which probability each arm is asked, and which is best by what is known. */
export interface Policy {
  /** By the options' own order; they add up to 1. */
  readonly propensities: Float64Array
  /** −1 where there are no options. */
  readonly best: number
  /** Why the strongest is the best: nothing is known well enough yet, or no arm's lower bound reaches the floor. */
  readonly strongest: 'unproven' | 'below_floor' | undefined
}

/** α of LinUCB and v of LinTS: how many standard errors count. */
const ALPHA = 0.3
const SPREAD = 0.15
/** Draws of the posterior that probabilities are counted from. */
const DRAWS = 64
/** The share of all new arms together. */
const FORCED = 0.1

/**
 * The probabilities with which the arms are asked. One is drawn from just these, so that they are exact whatever they were made from: for
 * Thompson sampling the shares of 64 posterior draws (Thompson, Biometrika 25, 1933; Agrawal and Goyal, ICML 2013), for LinUCB the arm with
 * the highest upper bound (Li et al., WWW 2010), for ε-greedy the best with 1 − ε and ε spread evenly; and of what is left of the floor π_min.
 *
 * An arm is trusted once its quality was given or it has had its first rewards; until one is, the strongest is asked, since a router that
 * cannot tell must not be cheap. Explored are arms whose lower bound reaches the quality floor. One whose bounds lie on both sides of it has π_min, and the new ones
 * together a tenth, so that what is unknown, or was bad, can show that it is good; one that is surely below is not asked. None is explored
 * that would cost more than the allowance over the best.
 */
export function policyOf(
  options: readonly Option[],
  how: PolicyOptions,
  { explore, allowance }: Leave,
  random: () => number,
): Policy {
  const { floor, least, pulls, quality } = how
  const propensities = new Float64Array(options.length)
  const reaches = (belief: Belief) => floor === undefined || lowerBound(belief) >= floor
  const trusted = ({ given, count }: Option) => given || count >= pulls
  const safe = indices(options, (option) => trusted(option) && reaches(option.belief))
  const all = options.every(({ count }) => count >= pulls)
  const none = safe.length > 0 || options.length === 0 ? undefined : all ? 'below_floor' : 'unproven'
  const best = none ? strongest(options) : argmax(safe, options, (it) => quality * it.belief.mean + it.offset)
  const asked = options[best]
  if (!asked) return { propensities, best, strongest: none }
  const affordable = ({ cost }: Option) => !(cost - asked.cost > Math.max(0, allowance))
  const open = !explore || none ? [best] : safe.filter((index) => index === best || affordable(options[index] ?? asked))
  const others = (which: (option: Option) => boolean) =>
    explore ? indices(options, (option) => option !== asked && affordable(option) && which(option)) : []
  const fresh = others(({ count }) => count < pulls)
  const unsure = others(
    (it) => it.count >= pulls && floor !== undefined && !reaches(it.belief) && upperBound(it.belief) >= floor,
  )
  for (const index of fresh) propensities[index] = FORCED / fresh.length
  for (const index of unsure) propensities[index] = least
  if (open.length > 1) for (const index of open) propensities[index] = (propensities[index] ?? 0) + least
  const taken = propensities.reduce((sum, part) => sum + part, 0)
  spread(open, options, how, random, Math.max(0, 1 - taken), propensities)
  // Many arms may have more in floors than there is.
  if (taken > 1) for (const [index, part] of propensities.entries()) propensities[index] = part / taken
  return { propensities, best, strongest: none }
}

/** The index that the number `at`, in [0, 1), falls on. */
export function drawn(propensities: Float64Array, at: number): number {
  let sum = 0
  let last = -1
  for (const [index, part] of propensities.entries()) {
    if (part === 0) continue
    last = index
    if (at < (sum += part)) return index
  }
  return last
}

/** Gives `mass` to the open arms as the algorithm has it. */
function spread(
  open: readonly number[],
  options: readonly Option[],
  { algorithm, quality, epsilon }: PolicyOptions,
  random: () => number,
  mass: number,
  to: Float64Array,
): void {
  const give = (index: number, part: number) => (to[index] = (to[index] ?? 0) + mass * part)
  if (open.length === 1) return void give(open[0] ?? 0, 1)
  const score = (value: (belief: Belief) => number) => (option: Option) =>
    quality * value(option.belief) + option.offset
  if (algorithm === 'LinUCB') {
    give(
      argmax(
        open,
        options,
        score(({ mean, width }) => mean + ALPHA * width),
      ),
      1,
    )
  } else if (algorithm === 'EpsilonGreedy') {
    for (const index of open) give(index, epsilon / open.length)
    give(
      argmax(
        open,
        options,
        score(({ mean }) => mean),
      ),
      1 - epsilon,
    )
  } else {
    const draw = algorithm === 'Thompson' ? betaDraw : normalDraw
    const once = score((belief) => draw(belief, random))
    for (let i = 0; i < DRAWS; i++) give(argmax(open, options, once), 1 / DRAWS)
  }
}

const normalDraw = ({ mean, width }: Belief, random: () => number) => mean + SPREAD * width * normal(random)
/** Of the Beta distribution with that mean and 1 / width² answers behind it. */
function betaDraw({ mean, width }: Belief, random: () => number): number {
  const weight = 1 / (width * width)
  const inside = Math.min(0.999, Math.max(0.001, mean))
  return beta(inside * weight, (1 - inside) * weight, random)
}

/** The one of the highest rank; of several, the one that is thought best. */
function strongest(options: readonly Option[]): number {
  return argmax([...options.keys()], options, ({ rank, belief }) => rank + belief.mean / 2)
}

function argmax(among: readonly number[], options: readonly Option[], value: (option: Option) => number): number {
  let [best, most] = [-1, -Infinity]
  for (const index of among) {
    const option = options[index]
    const found = option ? value(option) : -Infinity
    if (found > most) [best, most] = [index, found]
  }
  return best
}

const indices = (options: readonly Option[], which: (option: Option) => boolean): number[] =>
  options.flatMap((option, index) => (which(option) ? [index] : []))
