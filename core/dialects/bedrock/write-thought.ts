import type { ChatRequest } from '../../chat.ts'
import { writeThinking } from '../anthropic/write-thinking.ts'
import type { Json } from '../dialect.ts'
import type { BedrockTraits } from './model-traits.ts'
import type { Turn } from './write-messages.ts'

export interface Thought {
  /** Of `additionalModelRequestFields`. */
  readonly fields: Json
  /** Claude thinks, which leaves less of sampling to be told. */
  readonly on: boolean
  readonly dropped: readonly string[]
}

/** What stands against thought: how many tokens the answer may have, and that a call is forced. */
interface Circumstances {
  readonly maxTokens: number
  readonly forced: boolean
}

/** How the model is told to think, each family in words of its own, and what of the wish cannot be said. */
export function writeThought(
  request: ChatRequest,
  traits: BedrockTraits,
  turns: readonly Turn[],
  { maxTokens, forced }: Circumstances,
): Thought {
  if (!traits.claude) return ofOthers(request, traits)
  const prefill = turns.at(-1)?.role === 'assistant'
  const circumstances = { maxTokens, forced, prefill, thoughtless: isThoughtless(turns) }
  const { thinking, effort, on, dropped } = writeThinking(request, traits.model, circumstances)
  return {
    on,
    dropped,
    fields: { ...(thinking ? { thinking } : {}), ...(effort ? { output_config: { effort } } : {}) },
  }
}

/** They are told in three words, never in tokens; that they are to say nothing of it, or not to think, cannot be said to all. */
function ofOthers({ reasoning }: ChatRequest, { effort: write, always }: BedrockTraits): Thought {
  const { effort, budget, include } = reasoning ?? {}
  if (!reasoning || (effort === undefined && budget === undefined)) return { on: false, fields: {}, dropped: [] }
  if (effort === 'none') return { on: false, fields: {}, dropped: always ? ['reasoning.effort'] : [] }
  if (!write) return { on: false, fields: {}, dropped: ['reasoning'] }
  const word =
    effort === 'minimal' || effort === 'low' ? 'low' : effort === undefined || effort === 'medium' ? 'medium' : 'high'
  const dropped = [
    ...(budget === undefined ? [] : ['reasoning.budget']),
    ...(include === false ? ['reasoning.include'] : []),
  ]
  return { on: false, fields: write(word), dropped }
}

/** Whether the last turn brings results of calls without a thought before them: Claude then refuses to begin to think. */
function isThoughtless(turns: readonly Turn[]): boolean {
  const results = turns.at(-1)?.content[0] ?? {}
  return 'toolResult' in results && !('reasoningContent' in (turns.at(-2)?.content[0] ?? {}))
}
