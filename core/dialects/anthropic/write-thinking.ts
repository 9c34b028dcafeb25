import type { ChatRequest, Effort as Asked } from '../../chat.ts'
import type { Json } from '../dialect.ts'
import type { Effort, Traits } from './model-traits.ts'

export interface Thinking {
  readonly thinking?: Json
  readonly effort?: Effort
  /** Thought is asked for: sampling has to be left alone. */
  readonly on: boolean
  readonly dropped: readonly string[]
}

/** What stands against a budget of thought: https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
export interface Circumstances {
  readonly maxTokens: number
  /** A call of a tool is forced. */
  readonly forced: boolean
  /** The conversation ends with the beginning of an answer. */
  readonly prefill: boolean
  /** It ends with results of calls that no thought of this provider came before. */
  readonly thoughtless: boolean
}

/** Tokens of thought for models that are told in tokens, as the clients of the field map them. */
const budgets: Readonly<Record<Exclude<Asked, 'none'>, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
}
const LEAST = 1024

/** How the model is told to think: by effort where it decides itself how long, else by a budget; and what of the wish cannot be said. */
export function writeThinking({ reasoning }: ChatRequest, traits: Traits, circumstances: Circumstances): Thinking {
  if (!reasoning) return { on: false, dropped: [] }
  const { effort, budget, include } = reasoning
  if (effort === 'none') {
    if (!traits.thinks) return { on: false, dropped: [] }
    if (traits.off) return { on: false, thinking: { type: traits.off }, dropped: [] }
    return { on: true, effort: 'low', dropped: ['reasoning.effort'] }
  }
  if (traits.adaptive && !(traits.budget && budget !== undefined)) {
    const wanted = effort ?? (budget === undefined ? undefined : effortOf(budget))
    return {
      on: true,
      thinking: { type: 'adaptive', ...(include === undefined ? {} : { display: include ? 'summarized' : 'omitted' }) },
      ...(wanted === undefined ? {} : { effort: nearest(wanted, traits.efforts) }),
      dropped: [],
    }
  }
  const { maxTokens, forced, prefill, thoughtless } = circumstances
  // Some of the tokens are for the answer itself.
  const most = maxTokens - Math.max(1, Math.min(4096, Math.floor(maxTokens / 4)))
  if (!traits.budget || forced || prefill || thoughtless || most < LEAST) return { on: false, dropped: ['reasoning'] }
  const wanted = Math.max(LEAST, budget ?? budgets[effort ?? 'medium'])
  return {
    on: true,
    thinking: { type: 'enabled', budget_tokens: Math.min(wanted, most) },
    dropped: [
      ...(budget !== undefined && budget > most ? ['reasoning.budget'] : []),
      ...(include === false ? ['reasoning.include'] : []),
    ],
  }
}

/** The effort whose budget is the nearest from below. */
function effortOf(budget: number): Asked {
  if (budget >= budgets.xhigh) return 'xhigh'
  return budget >= budgets.high ? 'high' : budget >= budgets.medium ? 'medium' : 'low'
}

function nearest(wanted: Exclude<Asked, 'none'> | 'none', efforts: readonly Effort[]): Effort {
  const word: Effort = wanted === 'minimal' || wanted === 'none' ? 'low' : wanted
  // Models without `xhigh` have `max` above `high`.
  return efforts.includes(word) ? word : efforts.includes('max') ? 'max' : 'high'
}
