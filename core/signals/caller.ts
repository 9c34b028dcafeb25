/** Where a route reads who asks, and what for. */
export interface Caller {
  readonly tier?: {
    /** In lower case. */
    readonly header: string
    /** Of requests without the header, and of those whose value is none of `values`, or no name for one. */
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

/** What tiers and tasks may be called, as in the schema: callers must not fill logs with other words. */
const LABEL = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

/** What the caller says that the request is for; undefined where it says nothing, or nothing that a task could be called. */
export function saidTask(
  header: (name: string) => string | undefined,
  { taskHeader }: Pick<Caller, 'taskHeader'>,
): string | undefined {
  const said = header(taskHeader)
  return said !== undefined && LABEL.test(said) ? said : undefined
}

/** The caller's tier; empty where there is none. */
export function tierOf(header: (name: string) => string | undefined, { tier }: Caller): string {
  if (!tier) return ''
  const value = header(tier.header)
  if (value === undefined) return tier.default
  return (tier.values ? tier.values.includes(value) : LABEL.test(value)) ? value : tier.default
}
