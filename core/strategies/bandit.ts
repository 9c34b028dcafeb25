import { formOf } from '../bandits/form.ts'
import { Memory } from '../bandits/memory.ts'
import { algorithms, drawn, policyOf } from '../bandits/policy.ts'
import type { Algorithm } from '../bandits/policy.ts'
import { score } from '../decide/decide.ts'
import type { Json } from '../dialects/dialect.ts'
import { array, choice, integer, object, optional, string } from '../schema.ts'
import { floorOf, objective, objectiveRules, termsOf } from './least-cost.ts'
import type { Answered, Preference, Strategy } from './strategy.ts'

/** Settings as the schema has them, defaults filled in. */
interface Settings {
  readonly algorithm: Algorithm
  readonly halfLife: number
  readonly explore: {
    readonly spendPercent: number
    readonly leastPercent: number
    readonly epsilonPercent: number
    readonly firstRewards: number
    readonly exceptTiers?: readonly string[]
  }
}

/**
 * Learns which target is good enough from the rewards of its answers, and asks the best of them; now and then another, so that it learns.
 * Only quality is learnt: cost and latency come from prices and clocks, so that a new price counts from the next request on.
 */
export const bandit = {
  type: 'Bandit',
  picks: 'best known',
  settings: {
    name: 'bandit',
    required: true,
    schema: object(
      {
        algorithm: choice(algorithms, {
          default: 'LinTS',
          description:
            'How the target is drawn. LinTS and LinUCB learn what the quality of each target depends on, by features of the prompt; Thompson and EpsilonGreedy learn one quality for each target. LinTS and Thompson ask a target as often as it is likely to be the best; LinUCB the one that may be the best by far; EpsilonGreedy the best, and now and then any.',
        }),
        ...objective,
        halfLife: integer({
          minimum: 20,
          maximum: 1_000_000,
          default: 350,
          description:
            'After so many rewards of a target an old one counts half; while other targets have the rewards, twenty times as many. Another value begins anew.',
        }),
        explore: object(
          {
            spendPercent: integer({
              minimum: 0,
              maximum: 100,
              default: 2,
              description:
                'What asking dearer targets than the best may cost, in percent of what is spent anyway. Cheaper ones are bounded by the floor alone.',
            }),
            leastPercent: integer({
              minimum: 0,
              maximum: 5,
              default: 1,
              description:
                'Every target that reaches the floor is asked at least so often, in percent of the requests, so that what is learnt can be told from chance.',
            }),
            epsilonPercent: integer({
              minimum: 0,
              maximum: 50,
              default: 5,
              description: 'Of algorithm EpsilonGreedy: how often any target is asked, in percent of the requests.',
            }),
            firstRewards: integer({
              minimum: 0,
              maximum: 1000,
              default: 50,
              description:
                'A new target has a tenth of the requests, together with other new ones, until it has had so many rewards; unless its endpoint says what its quality is, it is trusted no sooner.',
            }),
            exceptTiers: optional(
              array(string({ maxLength: 63, minLength: 1, description: 'A tier, as spec.caller.tier reads it.' }), {
                minItems: 1,
                maxItems: 16,
                set: true,
                description: 'Callers for whom nothing is explored: they have the best that is known.',
              }),
            ),
          },
          { default: {}, description: 'How much is tried.' },
        ),
      },
      {
        description: 'Of strategy Bandit.',
        rules: [
          ...objectiveRules,
          {
            rule: 'has(self.lambda) || has(self.floor)',
            message: 'lambda or floor is needed: without them the cheapest is always the best.',
          },
        ],
      },
    ),
  },
  weighs: () => true,
  memory: (settings) => formBy(settings),
  make: ({ targets, settings, random, memory = new Memory(formBy(settings), () => '') }) => {
    const { algorithm, explore } = filled(settings)
    const terms = termsOf(settings)
    const how = {
      algorithm,
      quality: terms.quality,
      epsilon: explore.epsilonPercent / 100,
      least: explore.leastPercent / 100,
      pulls: explore.firstRewards,
    }
    const except = new Set(explore.exceptTiers)
    const own = floorOf(settings)

    return ({ outs, values, signals, adjusted }): Preference<(typeof targets)[number]> => {
      const open = targets.flatMap((target, index) => (outs?.[index] ? [] : [{ target, index }]))
      const weighed = adjusted?.lambda === undefined ? terms : { ...terms, quality: 1, lambda: adjusted.lambda }
      const boost = (index: number) => adjusted?.boosts[index] ?? 0
      const x = memory.context(signals?.readable ? signals.text : '')
      const arms = open.map(({ target, index }) => ({
        id: target.id,
        rank: target.rank,
        prior: (values?.[index]?.quality ?? Number.NaN) - boost(index),
      }))
      const believed = memory.believe(arms, x, how.pulls)
      const blank = open.map(({ index }) => ({
        quality: 0,
        cost: values?.[index]?.cost ?? Number.NaN,
        latency: values?.[index]?.latency ?? 0,
      }))
      const offsets = score(arms, blank, weighed, undefined)
      const options = believed.map((arm, at) => ({
        ...arm,
        given: !Number.isNaN(arm.prior),
        offset: (offsets[at]?.[1] ?? 0) + weighed.quality * boost(open[at]?.index ?? 0),
        cost: blank[at]?.cost ?? Number.NaN,
      }))
      const floor = adjusted?.floor ?? own
      const leave = { explore: !except.has(signals?.tier ?? ''), allowance: memory.purse.allowance }
      const policy = policyOf(options, { ...how, quality: weighed.quality, floor }, leave, random)
      const chosen = drawn(policy.propensities, random())
      const first = open[chosen]?.target
      const cost = options[chosen]?.cost ?? Number.NaN
      memory.purse.take(options[policy.best]?.cost ?? Number.NaN, cost)
      const learn = remember(memory, believed, x)
      const all = (of: (at: number) => number, none: number) => {
        const list = targets.map(() => none)
        for (const [at, { index }] of open.entries()) list[index] = of(at)
        return list
      }
      return {
        reason: chosen === policy.best ? (policy.strongest ?? 'best_known') : 'explored',
        first,
        exempt: true,
        terms,
        floor: own,
        quality: all((at) => believed[at]?.belief.mean ?? Number.NaN, Number.NaN),
        propensities: () => all((at) => policy.propensities[at] ?? 0, 0),
        version: `${memory.epoch}.${memory.learner.seen}`,
        answered: (came) => {
          memory.purse.earn(cost, explore.spendPercent / 100)
          learn(came)
        },
      }
    }
  },
} as const satisfies Strategy

/** What came of a request: judged answers are learnt from at once, and the one that was given waits for more. */
function remember(
  memory: Memory,
  believed: ReturnType<Memory['believe']>,
  x: Float64Array,
): (answered: Answered) => void {
  const kept = x.slice()
  return ({ decision, target, judged, now }) => {
    const prior = (id: string) => believed.find((arm) => arm.id === id)?.prior
    for (const { target: id, reward } of judged) {
      const expected = prior(id)
      if (id !== target && expected !== undefined) memory.observe(id, kept, expected, reward)
    }
    const expected = prior(target)
    if (expected === undefined) return
    memory.await(decision, target, kept, expected, now)
    const own = judged.findLast(({ target: id }) => id === target)
    if (own) memory.reward(decision, own.reward, now)
  }
}

const filled = (settings: Json): Settings => settings as unknown as Settings // the schema has checked it, and filled in what was left out

const formBy = (settings: Json) => {
  const { algorithm, halfLife } = filled(settings)
  return formOf(algorithm, halfLife)
}
