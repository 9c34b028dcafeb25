import type { Skip } from './skip.ts'

/**
 * Under which names what mirrors find is counted, as arms of a gathering of its own: both of a pair, each under its own name, so that the differences are of
 * the same requests. `marked` and `markedOf` hold those pairs that the judge marked, with the marks as quality; in `pair` quality is agreement.
 */
export const MIRROR_ARMS = {
  pair: 'mirror',
  pairOf: 'mirror-of',
  marked: 'mirror-marked',
  markedOf: 'mirror-marked-of',
  /** Pairs that the judge could have marked, with agreement as quality: those that it has are a random sample of them. */
  markable: 'mirror-markable',
  /** Of those that it has: how much better the candidate's marks are, from 0 (worst) by 0.5 (as good) to 1, apart by whether both answers come to the same. */
  leadAlike: 'mirror-lead-alike',
  leadUnlike: 'mirror-lead-unlike',
  /** `cost` holds what was spent, USD. */
  spent: 'mirror-spent',
} as const

const SKIPPED = 'mirror-skipped '

/** Counts requests that were drawn and not mirrored. */
export const skippedArm = (reason: Skip): string => `${SKIPPED}${reason}`

/** The reason of such an arm; undefined for another one. */
export const skippedBy = (arm: string): string | undefined =>
  arm.startsWith(SKIPPED) ? arm.slice(SKIPPED.length) : undefined
