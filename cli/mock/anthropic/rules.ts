/** What the API takes of a model, by its name: https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting */
export interface Rules {
  /** `thinking: {type: 'enabled'}` and sampling are refused. */
  readonly late: boolean
  readonly adaptive: boolean
  readonly prefill: boolean
  readonly forced: boolean
  /** Thought cannot be turned off. */
  readonly always: boolean
  readonly schemas: boolean
  /** The system may speak within the conversation. */
  readonly systemTurns: boolean
  /** Temperature and top_p exclude each other. */
  readonly one: boolean
}

/** Of a name that is no Claude nothing is refused. */
export function rulesOf(model: string): Rules {
  const always = /claude-(fable|mythos)-|claude-opus-5-5/.test(model)
  const late = always || /claude-\w+-(4-[789]|5)\b/.test(model)
  const middle = /claude-\w+-4-6/.test(model)
  return {
    late,
    adaptive: late || middle || !model.includes('claude'),
    prefill: !late && !middle,
    systemTurns: /claude-\w+-5-[1-9]/.test(model),
    forced: !always && !/claude-sonnet-5-5/.test(model),
    always,
    schemas: late || middle || /claude-\w+-4-5/.test(model) || !model.includes('claude'),
    one: middle || /claude-\w+-4-[1-5]\b/.test(model),
  }
}
