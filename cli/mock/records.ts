import type { IncomingHttpHeaders } from 'node:http'

/** What is kept of one request. Times are milliseconds since 1970, by the mock's clock. */
export interface MockRecord {
  readonly id: number
  readonly at: number
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The body as text, its first 64 KiB. */
  body: string
  model: string | undefined
  fault: string | undefined
  status: number | undefined
  /** Parts of the body that were handed to the socket: events, for a stream. */
  sent: number
  /** When the client went away before it had the whole answer. */
  aborted: number | undefined
  /** When the exchange was over, by whichever end. */
  ended: number | undefined
}

export interface MockStats {
  readonly name: string
  readonly requests: number
  readonly open: number
  readonly openStreams: number
  readonly connections: number
  readonly aborted: number
  readonly byStatus: Readonly<Record<string, number>>
  readonly byModel: Readonly<Record<string, number>>
  readonly byFault: Readonly<Record<string, number>>
}

/** Counts, and the last `keep` requests. */
export class Records {
  private readonly name: string
  private readonly keep: number
  private last: MockRecord[] = []
  private requests = 0
  private aborted = 0
  private counts: Record<'status' | 'model' | 'fault', Map<string, number>> = {
    status: new Map(),
    model: new Map(),
    fault: new Map(),
  }
  private readonly open = new Set<MockRecord>()
  private readonly streams = new Set<MockRecord>()
  connections = 0

  constructor(name: string, keep: number) {
    this.name = name
    this.keep = keep
  }

  begin(method: string, path: string, headers: IncomingHttpHeaders): MockRecord {
    this.requests += 1
    const record: MockRecord = {
      id: this.requests,
      at: Date.now(),
      method,
      path,
      headers,
      body: '',
      model: undefined,
      fault: undefined,
      status: undefined,
      sent: 0,
      aborted: undefined,
      ended: undefined,
    }
    this.open.add(record)
    this.last.push(record)
    // Trimmed in steps: shifting a long list at every request would cost more than the answer.
    if (this.last.length > this.keep * 2) this.last = this.last.slice(-this.keep)
    return record
  }

  answered(record: MockRecord, status: number, stream: boolean): void {
    record.status = status
    if (stream) this.streams.add(record)
    this.count('status', String(status))
    if (record.model !== undefined) this.count('model', record.model)
  }

  struck(record: MockRecord, fault: string): void {
    record.fault = fault
    this.count('fault', fault)
  }

  end(record: MockRecord, aborted: boolean): void {
    record.ended = Date.now()
    if (aborted) {
      record.aborted = record.ended
      this.aborted += 1
    }
    this.open.delete(record)
    this.streams.delete(record)
  }

  /** The last requests, oldest first. */
  list(count = this.keep): readonly MockRecord[] {
    return this.last.slice(-Math.min(count, this.keep))
  }

  stats(): MockStats {
    return {
      name: this.name,
      requests: this.requests,
      open: this.open.size,
      openStreams: this.streams.size,
      connections: this.connections,
      aborted: this.aborted,
      byStatus: Object.fromEntries(this.counts.status),
      byModel: Object.fromEntries(this.counts.model),
      byFault: Object.fromEntries(this.counts.fault),
    }
  }

  /** Forgets counts and finished requests; open ones stay. */
  reset(): void {
    this.last = [...this.open]
    this.requests = 0
    this.aborted = 0
    this.counts = { status: new Map(), model: new Map(), fault: new Map() }
  }

  private count(kind: 'status' | 'model' | 'fault', key: string): void {
    this.counts[kind].set(key, (this.counts[kind].get(key) ?? 0) + 1)
  }
}
