import type { Signals } from './signals.ts'

/** The fields of a request that segments can be named by. */
export const SEGMENT_FIELDS = ['task', 'tier'] as const

/** What a request has in the field that segments are named by; empty where it is no field of a request. */
export function segmentOf(field: string, signals: Signals): string {
  if (field === 'task') return signals.task
  return field === 'tier' ? signals.tier : ''
}
