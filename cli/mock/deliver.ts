import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { type Answer, bodyOf, bytesOf } from './answer.ts'

/** The times of one answer, milliseconds: before its headers, before its first event (from the request on), between two tokens. */
export interface Tempo {
  readonly latency: number
  readonly firstToken: number
  readonly gap: number
}

/** Ends a connection with RST where TCP is plain; a TLS socket can only be closed. */
export function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}

/**
 * Sends the answer as its delivery says. `onPart` hears of each part that was written, `onCut` before the mock itself ends the connection.
 * Resolves when all was sent, or rejects with the signal's reason when the client left first.
 */
export async function deliver(
  res: ServerResponse,
  answer: Answer,
  tempo: Tempo,
  signal: AbortSignal,
  hooks: { readonly onHeaders: () => void; readonly onPart: () => void; readonly onCut: () => void },
): Promise<void> {
  const asked = performance.now()
  const { delivery, parts, stream } = answer
  const { socket } = res
  if (!socket) return
  await pause(tempo.latency + delivery.holdHeaders + (stream ? 0 : tempo.gap * answer.tokens), signal)
  const end = async (how: 'reset' | 'hang-up'): Promise<void> => {
    hooks.onCut()
    if (how === 'hang-up') return socket.destroySoon() // what was written goes out first
    await setImmediate() // what was written is corked until the end of this turn, and RST would discard it
    reset(socket)
  }
  if (delivery.connection !== 'keep' && delivery.cutAt === Infinity) return end(delivery.connection)

  hooks.onHeaders()
  const length = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0)
  const sized = !stream || delivery.lengthLie !== 0
  res.writeHead(answer.status, {
    ...answer.headers,
    ...(sized ? { 'content-length': length + delivery.lengthLie } : {}),
  })
  const plain =
    delivery.stallAfter === Infinity &&
    delivery.cutAt === Infinity &&
    delivery.pieceBytes === Infinity &&
    delivery.lengthLie === 0
  if (!stream && plain) {
    parts.forEach(hooks.onPart)
    res.end(bodyOf(answer))
    return
  }

  res.flushHeaders()
  let sent = 0
  // Parts have a schedule and not pauses between them, so that a rate of thousands a second holds.
  let start = performance.now() + Math.max(0, tempo.firstToken - (performance.now() - asked))
  for (const [i, part] of parts.entries()) {
    if (i === delivery.stallAfter) {
      await pause(delivery.stallFor, signal)
      start += delivery.stallFor
    }
    if (stream) await pause(start + tempo.gap * i - performance.now(), signal)
    const bytes = bytesOf(part)
    for (let at = 0; at < bytes.length; at += delivery.pieceBytes) {
      const piece = bytes.subarray(at, Math.min(at + delivery.pieceBytes, at + delivery.cutAt - sent))
      sent += piece.length
      await write(res, piece, signal)
      if (sent >= delivery.cutAt) return end(delivery.connection === 'reset' ? 'reset' : 'hang-up')
      await pause(delivery.pieceEvery, signal)
    }
    hooks.onPart()
  }
  // A length that was never reached leaves the connection without a boundary: it is closed, as a server that crashed would.
  if (delivery.lengthLie > 0) await end('hang-up')
  else res.end()
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (milliseconds === Infinity)
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  // Timers have a grain of 1 ms; what is due sooner goes out now, and the schedule is absolute, so that rates hold.
  else if (milliseconds >= 1) await sleep(milliseconds, undefined, { signal })
}

async function write(res: ServerResponse, piece: Buffer, signal: AbortSignal): Promise<void> {
  if (piece.length === 0 || res.write(piece)) return
  await new Promise<void>((resolve, reject) => {
    const left = (): void => reject(signal.reason)
    signal.addEventListener('abort', left, { once: true })
    res.once('drain', () => {
      signal.removeEventListener('abort', left)
      resolve()
    })
  })
}
