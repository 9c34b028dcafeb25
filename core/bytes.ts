/** Bytes up to this many are looked at as one string, which nothing is read faster than. */
const WHOLE = 64 * 1024
/** Of longer ones, this much at a time. */
const WINDOW = 4096

/** One character a byte, so that offsets are the same in both. */
export type Characters = string | Window

/**
 * Bytes in the pieces in which they came off a connection. A prompt of hundreds of KB is looked at and passed on where it lies: each copy of it
 * would cost as much as all the rest that is done about it.
 */
export class Bytes {
  readonly pieces: readonly Buffer[]
  readonly length: number

  constructor(pieces: readonly Buffer[]) {
    this.pieces = pieces
    let length = 0
    for (const piece of pieces) length += piece.length
    this.length = length
  }

  characters(): Characters {
    const [only] = this.pieces
    if (!only) return ''
    return this.pieces.length === 1 && only.length <= WHOLE ? only.toString('latin1') : new Window(this.pieces)
  }

  /** Those from `start` to `end` in one piece: a copy only where they lie in several. */
  slice(start: number, end: number): Buffer {
    const found = this.between(start, end)
    return found.length === 1 && found[0] ? found[0] : Buffer.concat(found)
  }

  /** Where the needle begins, from there on; -1 where it is nowhere. It may lie across pieces. */
  find(needle: Buffer, from: number): number {
    const [only] = this.pieces
    if (only && this.pieces.length === 1) return only.indexOf(needle, from)
    const reach = needle.length - 1
    // What came last before the piece that is looked at, as far as a needle could begin in it.
    let carried: Buffer = NOTHING
    let start = 0
    for (const piece of this.pieces) {
      const end = start + piece.length
      if (end > from) {
        const seam = start - carried.length
        const across = Buffer.concat([carried, piece.subarray(0, reach)]).indexOf(needle, Math.max(0, from - seam))
        if (across >= 0) return seam + across
        const within = piece.indexOf(needle, Math.max(0, from - start))
        if (within >= 0) return start + within
      }
      carried =
        piece.length >= reach ? piece.subarray(piece.length - reach) : last(Buffer.concat([carried, piece]), reach)
      start = end
    }
    return -1
  }

  /** Those from `start` to `end` as they lie. */
  between(start: number, end: number): Buffer[] {
    const found: Buffer[] = []
    let from = 0
    for (const piece of this.pieces) {
      const to = from + piece.length
      if (to > start && from < end) found.push(piece.subarray(Math.max(0, start - from), Math.min(to, end) - from))
      from = to
    }
    return found
  }
}

const NOTHING = Buffer.alloc(0)

/** A request without a body. */
export const NO_BYTES = new Bytes([])

const last = (bytes: Buffer, count: number): Buffer => bytes.subarray(Math.max(0, bytes.length - count))

/** The characters of many bytes, of which only a small part is a string at a time; long searches go through the bytes. */
export class Window {
  readonly length: number
  /** The part that is a string, and where it begins and ends. */
  text = ''
  from = 0
  to = 0
  private readonly pieces: readonly Buffer[]
  // The piece that was looked at last, and where it begins.
  private index = -1
  private piece: Buffer = NOTHING
  private start = 0

  constructor(pieces: readonly Buffer[]) {
    this.pieces = pieces
    let length = 0
    for (const piece of pieces) length += piece.length
    this.length = length
  }

  /** NaN where there is none. */
  charCodeAt(at: number): number {
    this.show(at)
    return this.text.charCodeAt(at - this.from)
  }

  /** Of a single character; -1 where it is nowhere from there on. */
  indexOf(character: string, from: number): number {
    this.show(from)
    const near = this.text.indexOf(character, from - this.from)
    if (near >= 0) return this.from + near
    for (let at = this.to; this.seek(at); at = this.start + this.piece.length) {
      const found = this.piece.indexOf(character, at - this.start, 'latin1')
      if (found >= 0) return this.start + found
    }
    return -1
  }

  /** Makes the part at that place the one that is a string; the empty one where there is nothing. */
  show(at: number): void {
    if (at >= this.from && at < this.to) return
    const there = this.seek(at)
    const from = at - this.start
    this.text = there ? this.piece.toString('latin1', from, Math.min(from + WINDOW, this.piece.length)) : ''
    this.from = at
    this.to = at + this.text.length
  }

  /** Goes to the piece with that place; false where there is none. */
  private seek(at: number): boolean {
    if (at < 0 || at >= this.length) return false
    if (at < this.start) {
      this.index = -1
      this.start = 0
      this.piece = NOTHING
    }
    while (at >= this.start + this.piece.length) {
      this.start += this.piece.length
      this.piece = this.pieces[++this.index] ?? NOTHING
    }
    return true
  }
}
