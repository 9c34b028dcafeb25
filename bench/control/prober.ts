// Asks a sidecar over and over, as a process of its own, and tells which target answered from when on: `node bench/control/prober.ts PORT`.
// Commands come by IPC, each with an id that its answer carries.
import { connect, type Socket } from 'node:net'
import { encode } from '../load/client.ts'
import { now, request } from '../wire.ts'

export type Command =
  /** `rate` requests a second at even gaps, over as many connections as that takes, up to 256; 0: one after the other on one connection. */
  | { readonly type: 'start'; readonly rate: number }
  | { readonly type: 'stop' }
  /** Answered with when the first answer came, of those asked for after `since`, that is of an endpoint. */
  | { readonly type: 'first'; readonly endpoint: string; readonly since: number }
  /** Answered with when the last request was sent that an endpoint answered; 0 where there was none. */
  | { readonly type: 'last'; readonly endpoint: string }

/** What was asked since `start`. */
export interface Totals {
  readonly requests: number
  readonly failed: number
  /** What the first failures were. */
  readonly failures: readonly string[]
  /** Requests a second, as it came out. */
  readonly rate: number
}

const port = Number(process.argv[2])
const bytes = Buffer.from(encode({ port, headers: {} }, request))
const lastSent = new Map<string, number>()
const waiting = new Set<{ endpoint: string; since: number; tell: (at: number) => void }>()
let running = false
let requests = 0
let failed = 0
let failures: string[] = []
let started = 0
let idle: Caller[] = []
const all = new Set<Caller>()

/** One connection, one request at a time. */
class Caller {
  readonly #socket: Socket
  #sent = 0
  #busy = false
  #text = ''

  constructor() {
    all.add(this)
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (data: Buffer) => this.#read(data))
    this.#socket.on('error', (error) => this.#broke(error.message))
    this.#socket.on('close', () => this.#broke('the connection closed'))
  }

  ask(): void {
    this.#busy = true
    this.#sent = now()
    this.#text = ''
    requests += 1
    this.#socket.write(bytes)
  }

  end(): void {
    all.delete(this)
    this.#socket.removeAllListeners('close').destroy()
  }

  #read(data: Buffer): void {
    this.#text += data.toString('latin1')
    const head = this.#text.indexOf('\r\n\r\n')
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#text)?.[1]
    if (head < 0 || this.#text.length < head + 4 + Number(length)) return
    const status = this.#text.slice(9, 12)
    const [, endpoint = ''] = /\r\nx-tradewind-endpoint: *\S*\/(\S+)/i.exec(this.#text) ?? []
    this.#busy = false
    if (status !== '200' || endpoint === '' || length === undefined) this.#fail(this.#text.slice(0, 500))
    else {
      const at = now()
      lastSent.set(endpoint, Math.max(this.#sent, lastSent.get(endpoint) ?? 0))
      for (const wait of waiting)
        if (wait.endpoint === endpoint && this.#sent >= wait.since) {
          waiting.delete(wait)
          wait.tell(at)
        }
    }
    if (!running) return
    if (gap === 0) this.ask()
    else idle.push(this)
  }

  #broke(why: string): void {
    if (!all.delete(this)) return
    idle = idle.filter((it) => it !== this)
    if (this.#busy) this.#fail(why)
    if (running && gap === 0) new Caller().ask()
  }

  #fail(why: string): void {
    failed += 1
    if (failures.length < 5) failures.push(why)
  }
}

let gap = 0
let due = 0
/** A sidecar that is kept from its core for a moment must not be drowned in connections for the rest of the run. */
const MOST = 256

/** Sends what is due by now, without waiting for answers as long as there are connections. */
function pace(): void {
  if (!running || gap === 0) return
  for (const until = now(); due <= until; due += gap) {
    const caller = idle.pop() ?? (all.size < MOST ? new Caller() : undefined)
    if (!caller) break
    caller.ask()
  }
  setTimeout(pace, 1)
}

function start(rate: number): void {
  requests = 0
  failed = 0
  failures = []
  lastSent.clear()
  running = true
  started = due = now()
  gap = rate === 0 ? 0 : 1000 / rate
  if (gap === 0) new Caller().ask()
  else pace()
}

async function stop(): Promise<Totals> {
  running = false
  const rate = (requests * 1000) / (now() - started)
  // What is under way is to be answered; ten seconds are enough for that.
  await new Promise((resolve) => setTimeout(resolve, 500))
  for (const caller of all) caller.end()
  idle = []
  return { requests, failed, failures, rate }
}

process.on('message', ({ id, command }: { readonly id: number; readonly command: Command }) => {
  const answer = (value: unknown) => process.send?.({ id, value })
  if (command.type === 'start') answer(start(command.rate))
  else if (command.type === 'stop') void stop().then(answer)
  else if (command.type === 'last') answer(lastSent.get(command.endpoint) ?? 0)
  else waiting.add({ endpoint: command.endpoint, since: command.since, tell: answer })
})
process.on('disconnect', () => process.exit())
