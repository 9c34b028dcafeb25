import { expectedCost } from '../cost.ts'
import type { Signals } from '../signals/signals.ts'
import type { Target } from '../target.ts'
import { boostOf, excluded } from './adjust.ts'
import type { Adjusted } from './adjust.ts'
import { incapable, limited } from './capable.ts'
import type { Values } from './decide.ts'
import { expectedLength } from './lengths.ts'
import type { Out } from './out.ts'
import type { Warmth } from './warmth.ts'

/** What is considered of a request. */
interface Considered {
  readonly signals: Signals
  readonly body: { readonly length: number }
  /** What the caller put in `model`. */
  readonly model: string
}

/** Why a target cannot, or is not to, take a request; undefined where it may. */
export function ruledOut(target: Target, exchange: Considered, adjusted: Adjusted | undefined): Out | undefined {
  const policy = adjusted && excluded(adjusted, target)
  if (policy) return policy
  const { capabilities } = target.model
  return limited(capabilities) ? incapable(capabilities, exchange.signals, exchange.body.length) : undefined
}

/** Puts off those that are weaker than what feedback asks for; `least`: the rank that it does. */
export function tooWeak({ rank }: Target, least: number | undefined): Out | undefined {
  return least === undefined || rank >= least
    ? undefined
    : { code: 'feedback', detail: `has rank ${rank}, and answers to requests like it were rated badly` }
}

/** Why a target that could take it is better not asked now, for strategies that do not share requests out by weight. */
export function holdBack(target: Target, random: () => number): Out | undefined {
  const part = target.available()
  if (part >= 1) return undefined
  if (part === 0) return { code: 'unavailable', detail: 'is out at the moment' }
  return random() < part
    ? undefined
    : { code: 'ramping', detail: `takes ${Math.round(part * 100)} % of its requests for now` }
}

/** What is expected of every target for a request. `task`: empty where none of them is better at some. `wall`: ms since the epoch. */
export function valuesOf(
  targets: readonly Target[],
  exchange: Considered,
  task: string,
  adjusted: Adjusted | undefined,
  warmth: Warmth | undefined,
  wall: number,
): readonly Values[] {
  const { tokens, maxTokens = Number.POSITIVE_INFINITY } = exchange.signals
  return targets.map((target) => {
    const { model, available } = target
    const { capabilities, quality, state } = model
    const price = model.pricing(model.name === '*' ? exchange.model : model.name, wall)
    const most = Math.min(maxTokens, capabilities.maxOutputTokens ?? Number.POSITIVE_INFINITY)
    const output = Math.round(Math.min(expectedLength(task, state.lengths, targets), most))
    const cached = warmth ? Math.min(tokens, warmth.tokens(target.id)) : 0
    const known = quality && (quality.tasks.get(task) ?? quality.default)
    return {
      quality: known === undefined ? Number.NaN : adjusted ? clamp(known + boostOf(adjusted, target)) : known,
      cost: price ? expectedCost(price, tokens, cached, output) : Number.NaN,
      latency: available() === 0 ? Number.POSITIVE_INFINITY : state.ewma.latency(),
    }
  })
}

/** Puts off those of too little quality. */
export function belowFloor({ quality }: Values, floor: number): Out | undefined {
  if (Number.isNaN(quality)) return { code: 'quality_unknown', detail: 'has no quality in its endpoint’s manifest' }
  return quality >= floor
    ? undefined
    : { code: 'quality', detail: `has quality ${round(quality)}, and ${round(floor)} is asked for` }
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value))
const round = (value: number): number => Math.round(value * 1000) / 1000
