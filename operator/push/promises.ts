import type { Report } from '../../api/protocol.ts'
import type { ObservedPromise } from '../fleet.ts'

/** What the audits of some sidecars come to, each told by its last report. */
export function promisesOf(reports: Iterable<Report>): readonly ObservedPromise[] {
  const parts = [...reports].flatMap(({ promises = [] }) => promises)
  return sumOf(parts.map(({ alarm, ...rest }) => ({ ...rest, told: 1, alarmed: alarm ? 1 : 0, worst: alarm })))
}

/** Adds up what is said of the same promise; of alarms the one with the most evidence stands. */
export function sumOf(parts: readonly ObservedPromise[]): readonly ObservedPromise[] {
  const sums = new Map<string, ObservedPromise>()
  for (const part of parts) {
    const key = JSON.stringify([part.route, part.rule, part.segment])
    const other = sums.get(key)
    const both = other && [other.worst, part.worst].filter((it) => it !== undefined)
    sums.set(
      key,
      other
        ? {
            ...other,
            audits: other.audits + part.audits,
            told: other.told + part.told,
            alarmed: other.alarmed + part.alarmed,
            worst: both?.toSorted((a, b) => b.evidence - a.evidence)[0],
          }
        : part,
    )
  }
  return [...sums.values()]
}
