import type { Sums } from '../statistics/sums.ts'
import { LAST, Sketch } from './sketch.ts'
import type { Sketched } from './sketch.ts'
import type { Tally } from './tally.ts'

/** Count, sum, sum of squares. */
type WireSums = readonly number[]
/** For each bucket with something in it: how far it is from the one before, how many. */
export type WireSketch = readonly number[]

/** A tally as it travels. */
export interface WireTally {
  readonly n: number
  readonly errors: number
  readonly truncations: number
  readonly refusals: number
  readonly escalations: number
  readonly cost: WireSums
  readonly quality: WireSums
  readonly size: WireSums
  readonly latency: WireSketch
  readonly firstToken: WireSketch
}

export const writeTally = (tally: Tally): WireTally => ({
  n: tally.n,
  errors: tally.errors,
  truncations: tally.truncations,
  refusals: tally.refusals,
  escalations: tally.escalations,
  cost: writeSums(tally.cost),
  quality: writeSums(tally.quality),
  size: writeSums(tally.size),
  latency: writeSketch(tally.latency),
  firstToken: writeSketch(tally.firstToken),
})

/** Reads what `writeTally` wrote; undefined where that is not what it is. */
export function readTally(wire: WireTally): Tally | undefined {
  const { n, errors, truncations, refusals, escalations } = wire
  const [cost, quality, size] = [readSums(wire.cost), readSums(wire.quality), readSums(wire.size)]
  const [latency, firstToken] = [readSketch(wire.latency), readSketch(wire.firstToken)]
  if (![n, errors, truncations, refusals, escalations].every(isCount)) return undefined
  if (!cost || !quality || !size || !latency || !firstToken) return undefined
  return { n, errors, truncations, refusals, escalations, cost, quality, size, latency, firstToken }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0

const writeSums = ({ n, sum, squares }: Sums): WireSums => [n, sum, squares]

function readSums(wire: WireSums): Sums | undefined {
  if (!Array.isArray(wire) || !wire.every(Number.isFinite)) return undefined
  const [n, sum = 0, squares = 0] = wire
  return n !== undefined && isCount(n) ? { n, sum, squares } : undefined
}

/** A sketch as it travels. */
export function writeSketch(sketch: Sketched): WireSketch {
  let last = 0
  return sketch.buckets().flatMap(([bucket, count]) => {
    const step = bucket - last
    last = bucket
    return [step, count]
  })
}

/** Reads what `writeSketch` wrote; undefined where that is not what it is. */
function readSketch(wire: WireSketch): Sketch | undefined {
  if (!Array.isArray(wire) || wire.length % 2 !== 0 || !wire.every(isCount)) return undefined
  const counts: [number, number][] = []
  let bucket = 0
  for (let at = 0; at < wire.length; at += 2) {
    const step = Number(wire[at])
    if (at > 0 && step === 0) return undefined
    bucket += step
    if (bucket > LAST) return undefined
    counts.push([bucket, Number(wire[at + 1])])
  }
  return new Sketch(counts)
}

/** The tally of an arm as it travels. */
export type WireArm = WireTally & { readonly arm: string }

/** A base as it travels. */
export interface WireBase {
  readonly version: number
  readonly covers: readonly (readonly [place: string, seq: number])[]
  readonly arms: readonly WireArm[]
}

export const writeArms = (arms: ReadonlyMap<string, Tally>): WireArm[] =>
  [...arms].map(([arm, tally]) => ({ arm, ...writeTally(tally) }))

/** Reads what `writeArms` wrote; undefined where one of them is no tally. */
export function readArms(wire: readonly WireArm[]): ReadonlyMap<string, Tally> | undefined {
  const arms = new Map<string, Tally>()
  for (const { arm, ...rest } of wire) {
    const tally = readTally(rest)
    if (!tally) return undefined
    arms.set(arm, tally)
  }
  return arms
}
