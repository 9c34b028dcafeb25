import { createHash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { ArtefactError } from './artefact-error.ts'

/** The format that this code writes and reads; an older or newer one is refused, and so the strongest target is chosen. */
const FORMAT = 1
/** An artefact travels in a ConfigMap, whose limit is 1 MiB with all its names and labels. */
export const MOST_BYTES = 900 * 1024
const MAGIC = Buffer.from('TWRA')
const HASH_AT = 8
const BODY_AT = 40
/** What an artefact may unpack to: a small file must not fill a sidecar's memory. */
const MOST_UNPACKED = 16 * 1024 * 1024

/** What a container holds: a JSON value, and named byte sections. */
export interface Contents {
  readonly header: unknown
  readonly sections: ReadonlyMap<string, Uint8Array>
}

/**
 * Packs contents: magic `TWRA`, format version (u32, little endian), SHA-256 of the rest, then DEFLATE (RFC 1951; without gzip's head, which
 * names the operating system) of the length of the JSON head, the head, and the sections in order. The same contents give the same bytes.
 * Throws `ArtefactError` above 900 KiB.
 */
export function pack({ header, sections }: Contents): Uint8Array {
  const head = Buffer.from(
    JSON.stringify({ header, sections: [...sections].map(([name, { length }]) => ({ name, length })) }),
  )
  const length = Buffer.alloc(4)
  length.writeUInt32LE(head.length)
  const body = deflateRawSync(Buffer.concat([length, head, ...sections.values()]), { level: 9, memLevel: 9 })
  if (BODY_AT + body.length > MOST_BYTES)
    throw new ArtefactError(
      `the artefact is ${Math.ceil((BODY_AT + body.length) / 1024)} KiB, more than the ${MOST_BYTES / 1024} KiB that fit a ConfigMap`,
    )
  const start = Buffer.alloc(BODY_AT)
  MAGIC.copy(start)
  start.writeUInt32LE(FORMAT, 4)
  createHash('sha256').update(body).digest().copy(start, HASH_AT)
  return Buffer.concat([start, body])
}

/** Unpacks what `pack` wrote, and its SHA-256 in hex. Throws `ArtefactError`: not an artefact, cut off, changed, of another format. */
export function unpack(bytes: Uint8Array): Contents & { readonly hash: string } {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (data.length < BODY_AT || !data.subarray(0, 4).equals(MAGIC))
    throw new ArtefactError('this is no artefact of `tradewind train`: it does not begin as one')
  const format = data.readUInt32LE(4)
  if (format !== FORMAT)
    throw new ArtefactError(`the artefact has format ${format}; this version reads format ${FORMAT}: train it again`)
  const hash = data.subarray(HASH_AT, BODY_AT).toString('hex')
  const body = data.subarray(BODY_AT)
  if (createHash('sha256').update(body).digest('hex') !== hash)
    throw new ArtefactError('the artefact is not what was written: its SHA-256 differs, so it is cut off or changed')
  try {
    return { ...parse(inflateRawSync(body, { maxOutputLength: MOST_UNPACKED })), hash }
  } catch (cause) {
    if (cause instanceof ArtefactError) throw cause
    throw new ArtefactError('the artefact does not unpack', { cause })
  }
}

function parse(data: Buffer): Contents {
  const end = 4 + data.readUInt32LE(0)
  // The head is our own JSON; each field that is read of it is looked at before use.
  const head = JSON.parse(data.toString('utf8', 4, end)) as { header?: unknown; sections?: unknown } | null
  if (!Array.isArray(head?.sections)) throw new ArtefactError('the artefact has no list of sections')
  const sections = new Map<string, Uint8Array>()
  let at = end
  for (const section of head.sections as readonly ({ name?: unknown; length?: unknown } | null)[]) {
    const { name, length } = section ?? {}
    if (typeof name !== 'string' || typeof length !== 'number' || !(length >= 0) || at + length > data.length)
      throw new ArtefactError('a section of the artefact is longer than the artefact')
    sections.set(name, Uint8Array.from(data.subarray(at, at + length)))
    at += length
  }
  return { header: head.header, sections }
}
