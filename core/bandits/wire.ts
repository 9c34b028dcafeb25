import type { Dated } from './share.ts'
import { triangle } from './symmetric.ts'

/** Evidence of one arm as it travels. Numbers are 32-bit floats, little-endian, base64: the matrix's lower triangle, then the vector. */
export interface WireArm {
  readonly arm: string
  readonly count: number
  readonly weight: number
  readonly clock: number
  readonly numbers: string
}

export function writeArms(arms: ReadonlyMap<string, Dated>): WireArm[] {
  return [...arms].map(([arm, { evidence, clock }]) => {
    const { count, weight, matrix, vector } = evidence
    const bytes = Buffer.alloc(4 * (matrix.length + vector.length))
    for (let at = 0; at < matrix.length; at++) bytes.writeFloatLE(matrix[at] ?? 0, 4 * at)
    for (let at = 0; at < vector.length; at++) bytes.writeFloatLE(vector[at] ?? 0, 4 * (matrix.length + at))
    return { arm, count, weight, clock, numbers: bytes.toString('base64') }
  })
}

/** A base as it travels. */
export interface WireBase {
  readonly version: number
  readonly covers: readonly (readonly [place: string, seq: number])[]
  readonly arms: readonly WireArm[]
}

/** Reads what `writeArms` wrote for contexts of that size; undefined where it is of another size, or has what is no number. */
export function readArms(arms: readonly WireArm[], size: number): ReadonlyMap<string, Dated> | undefined {
  const found = new Map<string, Dated>()
  for (const { arm, count, weight, clock, numbers } of arms) {
    const bytes = Buffer.from(numbers, 'base64')
    if (bytes.length !== 4 * (triangle(size) + size)) return undefined
    const all = Float64Array.from({ length: triangle(size) + size }, (_, at) => bytes.readFloatLE(4 * at))
    if (![count, weight, clock, ...all].every(Number.isFinite)) return undefined
    const evidence = { count, weight, matrix: all.slice(0, triangle(size)), vector: all.slice(triangle(size)) }
    found.set(arm, { evidence, clock })
  }
  return found
}
