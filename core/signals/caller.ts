/** Where a route reads who asks, and what for. */
export interface Caller {
  readonly tier?: {
    /** In lower case. */
    readonly header: string
    /** Of requests without the header, and of those whose value is none of `values`. */
    readonly default: string
    /** Undefined: any value is a tier. */
    readonly values?: readonly string[] | undefined
  }
  /** In lower case. */
  readonly taskHeader: string
  /** The first that matches the text of the last user turn names the task. */
  readonly tasks: readonly TaskRule[]
}

export interface TaskRule {
  readonly name: string
  /** Whether a text is of it. */
  readonly matches: (text: string) => boolean
}

export const TASK_HEADER = 'x-tradewind-task'

/** Of a route that says nothing of its callers. */
export const ANY_CALLER: Caller = { taskHeader: TASK_HEADER, tasks: [] }

/** The caller's tier; empty where there is none. */
export function tierOf(header: (name: string) => string | undefined, { tier }: Caller): string {
  if (!tier) return ''
  const value = header(tier.header)
  if (value === undefined || value === '') return tier.default
  return !tier.values || tier.values.includes(value) ? value : tier.default
}
