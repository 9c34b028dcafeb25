import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Answer, bodyOf, json, Refusal } from './answer.ts'
import { deliver, reset, type Tempo } from './deliver.ts'
import { echo, echoWebSockets } from './echo.ts'
import type { Fault } from './faults.ts'
import { draw, type Latency, parseLatency } from './pace.ts'
import { Plan } from './plan.ts'
import { mockProvider } from './providers/index.ts'
import type { MockProvider, MockRequest } from './providers/provider.ts'
import { type MockRecord, type MockStats, Records } from './records.ts'
import { conversations, type Conversation } from './realtime.ts'
import { isRecord } from './text.ts'

/** How fast and how long answers are; times as `50ms` or `50ms±20`. */
interface MockPace {
  /** Before the headers. */
  readonly latency?: string | undefined
  /** From the request to the first event of a stream. */
  readonly ttft?: string | undefined
  readonly tokensPerSecond?: number | undefined
  /** Length of an answer in tokens, where the request asks for no less. */
  readonly tokens?: number | undefined
}

export interface MockOptions extends MockPace {
  readonly name?: string | undefined
  /** Whose API it speaks, of `mockProviders`; `openai` unless given. */
  readonly provider?: string | undefined
  readonly host?: string | undefined
  /** 0 takes a free one. */
  readonly port?: number | undefined
  /** Names that are served; an empty list takes every name. */
  readonly models?: readonly string[] | undefined
  /** Standing faults, see `parseFault`. */
  readonly faults?: readonly string[] | undefined
  /** Requests that do not carry it as the provider has it (OpenAI: `Authorization: Bearer <apiKey>`) are refused. */
  readonly apiKey?: string | undefined
  /** PEM texts; with `ca`, clients must show a certificate that it signed. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string | undefined } | undefined
  /** Every path answers with what came in, and WebSocket messages come back. */
  readonly echo?: boolean | undefined
  /** How many requests `requests()` remembers; 1000 unless given. */
  readonly keep?: number | undefined
  /** Called at the end of each exchange. */
  readonly onRequest?: ((record: MockRecord) => void) | undefined
}

/** A running simulated model server. */
export interface Mock {
  readonly name: string
  /** Without a path: `http://127.0.0.1:4000`; the base URL that an SDK takes is this and `basePath`. */
  readonly url: string
  readonly provider: MockProvider
  readonly port: number
  readonly stats: () => MockStats
  /** The last requests, oldest first. */
  readonly requests: (count?: number) => readonly MockRecord[]
  /** Replaces the standing faults; resolves when a `refuse` has closed, or its absence reopened, the port. */
  readonly setFaults: (faults: readonly string[]) => Promise<void>
  readonly setPace: (pace: MockPace) => void
  /** Forgets counts and finished requests. */
  readonly reset: () => void
  readonly close: () => Promise<void>
}

const maxBody = 64 * 1024 * 1024
const keptBody = 64 * 1024

/** Starts a mock and resolves when it listens. Throws where a fault, a time or the certificate cannot be read, or the port is taken. */
export async function startMock(options: MockOptions = {}): Promise<Mock> {
  const { name = 'mock', host = '127.0.0.1', models = [], tls } = options
  const provider = mockProvider(options.provider ?? 'openai')
  const plan = new Plan(name, provider)
  plan.set(options.faults ?? [])
  const records = new Records(name, options.keep ?? 1000)
  let pace = readPace(options)

  const server: Server = tls
    ? createTlsServer({
        cert: tls.cert,
        key: tls.key,
        ...(tls.ca ? { ca: tls.ca, requestCert: true, rejectUnauthorized: true } : {}),
      })
    : createServer()
  // Longer than any client keeps a connection: the client decides when one ends, not a race with this server.
  server.keepAliveTimeout = 600_000
  server.requestTimeout = 0
  server.on('connection', (socket) => {
    if (plan.refusesConnection()) return reset(socket)
    records.connections += 1
    socket.once('close', () => (records.connections -= 1))
  })
  server.on('request', (req, res) => void serve(req, res))
  const webSockets = options.echo
    ? echoWebSockets(server, records)
    : provider.converse && conversations(server, records, (request) => converse(request))

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const method = req.method ?? 'GET'
    const [path = '/', query = ''] = (req.url ?? '/').split(/\?(.*)/s)
    if (path === '/_mock') return control(method, req, res)
    const record = records.begin(method, path, req.headers)
    const controller = new AbortController()
    let cut = false
    res.once('close', () => {
      const left = !res.writableFinished && !cut
      records.end(record, left)
      controller.abort()
      options.onRequest?.(record)
    })
    try {
      const bytes = await read(req)
      const body = parse(bytes)
      const request = { method, path, query: new URLSearchParams(query), headers: req.headers, body, bytes }
      record.body = bytes.toString('utf8', 0, keptBody)
      const model = provider.modelOf?.(request) ?? (isRecord(body) ? body['model'] : undefined)
      if (typeof model === 'string') record.model = model
      const header = req.headers['x-mock-fault']
      const fault = plan.for(path, record.model, Array.isArray(header) ? header[0] : header)
      if (fault) records.struck(record, fault.name)
      const honest = say(req, request, record, fault)
      const answer = fault ? fault.apply(honest) : honest
      const named = {
        ...answer,
        headers: { ...answer.headers, 'x-mock-name': name, 'x-request-id': `${name}-${record.id}` },
      }
      await deliver(res, named, tempo(record.id), controller.signal, {
        onHeaders: () => records.answered(record, answer.status, answer.stream),
        onPart: () => (record.sent += 1),
        onCut: () => (cut = true),
      })
    } catch (error) {
      // A client that has gone, even in the middle of its body, is in its record already.
      if (controller.signal.aborted || res.destroyed) return
      const answer = refusal(error, provider)
      records.answered(record, answer.status, false)
      res.writeHead(answer.status, answer.headers).end(bodyOf(answer))
    }
  }

  function say(req: IncomingMessage, request: MockRequest, record: MockRecord, fault: Fault | undefined): Answer {
    if (request.path === '/health') return json({ status: 'ok', name })
    if (options.apiKey !== undefined && !provider.authorised(request, options.apiKey))
      return provider.error({ kind: 'unauthorised' })
    if (options.echo) return echo(name, req, request.bytes)
    try {
      const tokens = fault?.name === 'empty' ? 0 : pace.tokens
      const created = Math.floor(record.at / 1000)
      const voice = { name, tokens, created, says: fault?.says, arguments: fault?.arguments }
      return provider.answer(request, { models, voice, key: options.apiKey })
    } catch (error) {
      return refusal(error, provider)
    }
  }

  function converse(request: MockRequest): Conversation {
    if (options.apiKey !== undefined && !provider.authorised(request, options.apiKey))
      throw new Refusal('unauthorised', provider.error({ kind: 'unauthorised' }))
    const voice = { name, tokens: pace.tokens, created: Math.floor(Date.now() / 1000) }
    // Only a provider that has conversations is asked for one.
    return provider.converse?.(request, { models, voice }) ?? { model: '', opening: [], reply: () => [] }
  }

  function tempo(n: number): Tempo {
    return { latency: draw(pace.latency, n), firstToken: draw(pace.ttft, n), gap: pace.gap }
  }

  async function control(method: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const send = (answer: Answer): void => void res.writeHead(answer.status, answer.headers).end(bodyOf(answer))
    const state = (): Answer => json({ ...records.stats(), faults: plan.list(), last: records.list(20) })
    try {
      if (method === 'GET') return send(state())
      const body = method === 'DELETE' ? { fault: [], reset: true } : parse(await read(req))
      const order = readOrder(body)
      if (order.faults) plan.set(order.faults)
      if (plan.refusal?.lasts === Infinity) {
        plan.set([])
        throw new Error('Say how long: a mock that refuses for ever could not be told to stop. Example: refuse,for=2s.')
      }
      if (isRecord(body)) pace = readPace({ ...pace.given, ...order.pace })
      if (order.reset) records.reset()
      send(state())
      res.once('finish', () => void listenOrRefuse())
    } catch (error) {
      send(refusal(error, provider))
    }
  }

  let port = options.port ?? 0
  let reopening: NodeJS.Timeout | undefined
  async function listenOrRefuse(): Promise<void> {
    clearTimeout(reopening)
    const { refusal: fault } = plan
    if (fault) {
      if (server.listening) await new Promise((done) => (server.close(done), server.closeAllConnections()))
      if (fault.lasts !== Infinity)
        reopening = setTimeout(() => {
          plan.set([])
          void listenOrRefuse()
        }, fault.lasts)
    } else if (!server.listening) {
      await new Promise<void>((done, fail) => {
        server.once('error', fail)
        server.listen(port, host, () => (server.off('error', fail), done()))
      })
    }
  }

  const standing = plan.refusal
  if (standing) plan.set([])
  await listenOrRefuse()
  // A TCP server's address is this object, never a pipe's name.
  port = (server.address() as AddressInfo).port
  if (standing) {
    plan.set(options.faults ?? [])
    await listenOrRefuse()
  }

  return {
    name,
    provider,
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    stats: () => records.stats(),
    requests: (count) => records.list(count),
    async setFaults(faults) {
      plan.set(faults)
      await listenOrRefuse()
    },
    setPace: (given) => (pace = readPace({ ...pace.given, ...given })),
    reset: () => records.reset(),
    async close() {
      clearTimeout(reopening)
      webSockets?.close()
      if (server.listening) await new Promise((done) => (server.close(done), server.closeAllConnections()))
    },
  }
}

interface ReadPace {
  readonly given: MockPace
  readonly latency: Latency
  readonly ttft: Latency
  /** Milliseconds between two tokens. */
  readonly gap: number
  readonly tokens: number
}

function readPace({ latency, ttft, tokensPerSecond, tokens = 16 }: MockPace): ReadPace {
  if (tokensPerSecond !== undefined && !(tokensPerSecond > 0)) throw new Error('tokens per second must be more than 0')
  if (!Number.isInteger(tokens) || tokens < 1) throw new Error('tokens must be a whole number of at least 1')
  return {
    given: { latency, ttft, tokensPerSecond, tokens },
    latency: parseLatency(latency ?? '0'),
    ttft: parseLatency(ttft ?? '0'),
    gap: tokensPerSecond === undefined ? 0 : 1000 / tokensPerSecond,
    tokens,
  }
}

interface Order {
  readonly faults: readonly string[] | undefined
  readonly pace: MockPace
  readonly reset: boolean
}

/** Reads `{fault?: string | string[] | null, latency?, ttft?, tokensPerSecond?, tokens?, reset?}`; throws for anything else. */
function readOrder(body: unknown): Order {
  if (!isRecord(body)) throw new Error('Send a JSON object such as {"fault":"status=500,percent=10"}.')
  const { fault: faults, latency, ttft, tokensPerSecond, tokens, reset: forget, ...rest } = body
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined)
    throw new Error(`There is no "${unknown}"; there are fault, latency, ttft, tokensPerSecond, tokens, reset.`)
  const text = (key: string, value: unknown): string => {
    if (typeof value !== 'string') throw new Error(`"${key}" must be text.`)
    return value
  }
  const number = (key: string, value: unknown): number => {
    if (typeof value !== 'number') throw new Error(`"${key}" must be a number.`)
    return value
  }
  const several: readonly unknown[] = faults === null ? [] : Array.isArray(faults) ? faults : [faults]
  const set = {
    ...(latency === undefined ? {} : { latency: text('latency', latency) }),
    ...(ttft === undefined ? {} : { ttft: text('ttft', ttft) }),
    ...(tokensPerSecond === undefined ? {} : { tokensPerSecond: number('tokensPerSecond', tokensPerSecond) }),
    ...(tokens === undefined ? {} : { tokens: number('tokens', tokens) }),
  }
  const list = faults === undefined ? undefined : several.map((it) => text('fault', it))
  return { faults: list, pace: set, reset: forget === true }
}

/** What was thrown on the way to an answer: a refusal has one, all else is the request's own fault, such as a fault that cannot be read. */
function refusal(error: unknown, provider: MockProvider): Answer {
  if (error instanceof Refusal) return error.answer
  const message = error instanceof Error ? error.message : String(error)
  return provider.error({ kind: 'invalid', status: error instanceof TooLarge ? 413 : 400, message })
}

class TooLarge extends Error {}

async function read(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req) {
    // Without an encoding set, a request's chunks are buffers.
    const bytes = chunk as Buffer
    size += bytes.length
    if (size > maxBody) throw new TooLarge('Request body too large.')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

/** The parsed body; undefined where it is no JSON, which the surface that needs one reports. */
function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
