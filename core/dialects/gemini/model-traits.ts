import type { Effort } from '../../chat.ts'

/** What a model of Google's takes, as far as its name says. */
export interface Traits {
  /** It refuses a function call in the conversation without a signature. */
  readonly signs: boolean
  /** It takes JSON Schema as it is; older ones know only their own subset of OpenAPI's. */
  readonly jsonSchema: boolean
  /** Calls can be held to their schemas with mode VALIDATED. */
  readonly validates: boolean
  /** Functions and an answer in JSON go together. */
  readonly toolsWithJson: boolean
  /** Results of functions may hold images, and an image its own resolution. */
  readonly media: boolean
  /** How it is told to think; undefined: it does not. */
  readonly thinking: 'level' | 'budget' | undefined
  /** Thought can be turned off. */
  readonly quiet: boolean
  /** The levels of thought that it has, from least to most. */
  readonly levels: readonly Level[]
}

export type Level = 'minimal' | 'low' | 'medium' | 'high'

/** `gemini-2.5-flash`, `gemini-3.1-pro-preview`, `google/gemini-3-pro`. */
const VERSIONED = /gemini-(\d+(?:\.\d+)?)/
/** `gemini-flash-latest` is whatever is newest. */
const LATEST = /gemini-[a-z-]*latest/

/**
 * https://ai.google.dev/gemini-api/docs/thinking, …/thought-signatures, …/structured-output and …/function-calling. A name without a
 * version (a tuned model, another family) gets what every model since 2.5 takes, but is not asked to think.
 */
export function traitsOf(model: string): Traits {
  const name = model.toLowerCase()
  const version = versionOf(name)
  const pictures = name.includes('-image')
  const speech = name.includes('-tts')
  const thinks = version !== undefined && version >= 2.5 && !speech && !(pictures && version < 3)
  const late = version !== undefined && version >= 3
  return {
    signs: late && !pictures,
    jsonSchema: version === undefined || version >= 2.5,
    validates: version === undefined || version >= 2.5,
    toolsWithJson: late,
    media: late,
    thinking: thinks ? (late ? 'level' : 'budget') : undefined,
    quiet: thinks && !late && !name.includes('pro'),
    levels: name.includes('pro') ? ['low', 'medium', 'high'] : ['minimal', 'low', 'medium', 'high'],
  }
}

function versionOf(name: string): number | undefined {
  const found = VERSIONED.exec(name)?.[1]
  if (found !== undefined) return Number(found)
  return LATEST.test(name) ? 3 : undefined
}

/** The tokens that stand for an effort where thought is measured in tokens: https://ai.google.dev/gemini-api/docs/openai#thinking */
export const budgets: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
}
