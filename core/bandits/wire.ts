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
    // Of the machine's own order, which is little-endian on all that images are made for.
    const numbers = new Float32Array(matrix.length + vector.length)
    numbers.set(matrix)
    numbers.set(vector, matrix.length)
    return { arm, count, weight, clock, numbers: Buffer.from(numbers.buffer).toString('base64') }
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
    // Small buffers are parts of a larger one, at any place.
    const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    if (!all.every(Number.isFinite) || ![count, weight, clock].every(Number.isFinite)) return undefined
    const matrix = Float64Array.from(all.subarray(0, triangle(size)))
    const evidence = { count, weight, matrix, vector: Float64Array.from(all.subarray(triangle(size))) }
    found.set(arm, { evidence, clock })
  }
  return found
}
