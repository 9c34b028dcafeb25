import type { Deps } from '../deps.ts'
import { MIRROR_ARMS, skippedArm } from './arms.ts'
import type { MirrorRecord } from './record.ts'

/** Picodollars. */
const USD = 1e12

/** Tells telemetry what came of a request that was drawn, and counts it with the evidence under the mirror's version. */
export function tell(
  record: MirrorRecord,
  version: string,
  { telemetry, evidence }: Pick<Deps, 'telemetry' | 'evidence'>,
): void {
  telemetry.mirrored?.(record)
  if (!evidence) return
  const { route, rule, id, outcome, pair, spent } = record
  const add = (arm: string, sample: Parameters<typeof evidence.add>[4], quality?: number): void => {
    const named = quality === undefined ? undefined : `${arm} ${id}`
    evidence.add(route, rule, version, arm, sample, named)
    if (named !== undefined && quality !== undefined) evidence.rate(named, quality)
  }
  if (spent > 0) add(MIRROR_ARMS.spent, { cost: spent / USD })
  if (!pair) {
    if (outcome !== 'answered' && outcome !== 'failed') add(skippedArm(outcome), {})
    return
  }
  const { candidate, own, alike, markable, marks } = pair
  add(MIRROR_ARMS.pair, candidate, alike)
  add(MIRROR_ARMS.pairOf, own)
  if (markable && alike !== undefined) add(MIRROR_ARMS.markable, {}, alike)
  if (!marks) return
  add(MIRROR_ARMS.marked, {}, marks.candidate)
  add(MIRROR_ARMS.markedOf, {}, marks.current)
  if (alike !== undefined)
    add(alike === 1 ? MIRROR_ARMS.leadAlike : MIRROR_ARMS.leadUnlike, {}, (1 + marks.candidate - marks.current) / 2)
}
