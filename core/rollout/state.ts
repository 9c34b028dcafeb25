/**
 * Where a rollout can be. Pending: not begun; Progressing: on its way up; Paused: it stays where it is, and guardrails still count;
 * RollingBack: weight 0, and not every sidecar has it; RolledBack; Promoted: weight 100 everywhere.
 */
export const PHASES = ['Pending', 'Progressing', 'Paused', 'RollingBack', 'RolledBack', 'Promoted'] as const
export type Phase = (typeof PHASES)[number]

/** What people may do to a rollout. */
export const VERBS = ['pause', 'resume', 'promote', 'abort', 'retry'] as const
export type Verb = (typeof VERBS)[number]
