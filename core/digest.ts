import { createHash } from 'node:crypto'

/** JSON with the keys of every object in order, so that equal values have equal text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  )
}

/** SHA-256 over the canonical JSON, the first 16 bytes in hex: 128 bits are enough against accidents. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 32)
}

/** The digest of nothing. */
export const EMPTY_DIGEST = '0'.repeat(32)

/**
 * Adds a resource to, or takes it from, the digest of a whole configuration: XOR of the members' hashes, so that it is
 * incremental and does not depend on order (Bellare and Micciancio, 1997; integrity comes from TLS, not from this).
 */
export function toggle(whole: string, key: string, member: string): string {
  const hash = createHash('sha256').update(key).update('\n').update(member).digest()
  const next = Buffer.from(whole, 'hex')
  for (let i = 0; i < next.length; i++) next.writeUInt8(next.readUInt8(i) ^ hash.readUInt8(i), i)
  return next.toString('hex')
}
