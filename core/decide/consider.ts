import { costOf } from '../cost.ts'
import type { Exchange } from '../exchange.ts'
import type { Target } from '../target.ts'
import { NO_USAGE } from '../usage.ts'
import { boostOf, excluded } from './adjust.ts'
import type { Adjusted } from './adjust.ts'
import { incapable, limited } from './capable.ts'
import type { Values } from './decide.ts'
import { expectedLength } from './lengths.ts'
import type { Out } from './out.ts'
import type { Warmth } from './warmth.ts'

/** Why a target cannot, or is not to, take a request; undefined where it may. */
export function ruledOut(target: Target, exchange: Exchange, adjusted: Adjusted | undefined): Out | undefined {
  const policy = adjusted && excluded(adjusted, target)
  if (policy) return policy
  const { capabilities } = target.model
  return limited(capabilities) ? incapable(capabilities, exchange.signals, exchange.body.length) : undefined
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

/** What is expected of every target for a request. `wall`: ms since the epoch. */
export function valuesOf(
  targets: readonly Target[],
  exchange: Exchange,
  adjusted: Adjusted | undefined,
  warmth: Warmth | undefined,
  wall: number,
): readonly Values[] {
  const { signals } = exchange
  const { task, tokens, maxTokens = Number.POSITIVE_INFINITY } = signals
  const lengths = targets.map(({ model }) => model.state.lengths)
  return targets.map((target) => {
    const { model, available } = target
    const price = model.pricing(model.name === '*' ? exchange.model : model.name, wall)
    const most = Math.min(maxTokens, model.capabilities.maxOutputTokens ?? Number.POSITIVE_INFINITY)
    const output = Math.round(Math.min(expectedLength(task, model.state.lengths, lengths), most))
    const cached = Math.min(tokens, warmth?.tokens(target.id) ?? 0)
    const known = model.quality?.tasks.get(task) ?? model.quality?.default
    return {
      quality: known === undefined ? Number.NaN : clamp(known + (adjusted ? boostOf(adjusted, target) : 0)),
      cost: price ? (costOf({ ...NO_USAGE, input: tokens, cached, output }, price) ?? Number.NaN) : Number.NaN,
      latency: available() === 0 ? Number.POSITIVE_INFINITY : model.state.ewma.latency(),
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
