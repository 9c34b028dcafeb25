/** How a model of Anthropic's is asked to think. */
export interface Traits {
  /** `thinking: {type: 'enabled', budget_tokens}` is taken. */
  readonly budget: boolean
  /** `thinking: {type: 'adaptive'}` is taken. */
  readonly adaptive: boolean
  /** It thinks where nothing is said. */
  readonly thinks: boolean
  /** What `thinking.type` turns thought off; undefined where it cannot be. */
  readonly off: 'disabled' | 'between_tools' | undefined
  /** Words that `output_config.effort` takes, from least to most; empty where there is no such field. */
  readonly efforts: readonly Effort[]
  /** Temperature, top_p and top_k: taken; taken, but not temperature and top_p together; refused. */
  readonly sampling: 'all' | 'one' | 'none'
  /** `output_config.format` and strict tools. */
  readonly schemas: boolean
  /** A `tool_choice` that forces a call is taken; never together with a budget of thought. */
  readonly forced: boolean
  /** A last message of the assistant is the beginning of the answer. */
  readonly prefill: boolean
  /** The system may speak within the conversation; these models also bind their thoughts to all that came before. */
  readonly systemTurns: boolean
  /** What `max_tokens` is where nobody says: as much as the model gives, up to a bound at which a runaway answer still ends. */
  readonly maxTokens: number
}

export type Effort = 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/** `claude-opus-4-7`, `claude-sonnet-4@20250514`, `anthropic.claude-haiku-4-5-20251001-v1:0`: a version's parts have one or two digits, dates eight. */
const NEW = /claude-(opus|sonnet|haiku|fable|mythos)-(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/
/** `claude-3-5-sonnet-20241022`. */
const OLD = /claude-(\d)(?:[-.](\d))?-(opus|sonnet|haiku)/

/**
 * What the API takes of a model, by its name: https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting and the
 * migration guides of each model. Names that are no Claude belong to servers that speak the dialect: they get it as it was before 4.6.
 */
export function traitsOf(model: string): Traits {
  const { family, version } = nameOf(model)
  // The reasoning families, and those that took after them at 5.5.
  const always = family === 'fable' || family === 'mythos'
  const late = version >= 5.5 && (family === 'opus' || family === 'sonnet')
  return {
    budget: version >= 3.7 && version < 4.7,
    adaptive: version >= 4.6,
    thinks: always || version >= 5,
    off: always || (late && family === 'opus') ? undefined : late ? 'between_tools' : 'disabled',
    efforts: effortsOf(family, version),
    sampling: version >= 4.7 ? 'none' : version >= 4.1 ? 'one' : 'all',
    schemas: version >= 4.5,
    forced: !always && !late,
    prefill: version < 4.6,
    systemTurns: version >= 5.5 || (always && version >= 5.1),
    maxTokens: maxTokensOf(family, version),
  }
}

function nameOf(model: string): { readonly family: string; readonly version: number } {
  const name = model.toLowerCase()
  const now = NEW.exec(name)
  if (now?.[1] !== undefined) return { family: now[1], version: version(now[2], now[3]) }
  const then = OLD.exec(name)
  if (then?.[3] !== undefined) return { family: then[3], version: version(then[1], then[2]) }
  if (name.includes('claude-mythos')) return { family: 'mythos', version: 4.6 }
  return { family: '', version: 4 }
}

const version = (major: string | undefined, minor: string | undefined): number =>
  Number(major) + Number(minor ?? 0) / 10

function effortsOf(family: string, version: number): readonly Effort[] {
  if (version >= 4.7) return ['low', 'medium', 'high', 'xhigh', 'max']
  if (version >= 4.6) return ['low', 'medium', 'high', 'max']
  return version === 4.5 && family === 'opus' ? ['low', 'medium', 'high'] : []
}

/** https://platform.claude.com/docs/en/about-claude/models/overview */
function maxTokensOf(family: string, version: number): number {
  if (family === '') return 8192
  if (version < 3.5) return 4096
  if (version < 3.7) return 8192
  return family === 'opus' && version < 4.5 ? 32_000 : 64_000
}
