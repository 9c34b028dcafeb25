/** One connection to a sidecar, whatever carries it: a WebSocket, or a pair of functions in one process. Messages are whole texts. */
export interface Channel {
  send(text: string): void
  /** Codes are those of RFC 6455; 4000–4999 are ours (`CLOSE`). */
  close(code: number, reason: string): void
  /** Bytes that were sent and have not left yet. */
  buffered(): number
  onMessage(listener: (text: string) => void): void
  onClose(listener: (code: number, reason: string) => void): void
}

/** Who is at the other end, as the API server knows it; never what the sidecar says of itself. */
export interface Identity {
  readonly namespace: string
  readonly pod: string
  readonly uid: string
  readonly labels: Readonly<Record<string, string>>
  readonly serviceAccount: string
}

/** Why a connection was closed by the operator. */
export const CLOSE = {
  shutdown: 1001,
  protocol: 4400,
  unauthorized: 4401,
  slow: 4408,
  replaced: 4409,
  resync: 4410,
} as const
