import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Deps } from '../core/deps.ts'
import type { Exchange, Reply } from '../core/exchange.ts'
import { routeByModel } from '../core/layers/route.ts'
import { around } from '../core/pipeline.ts'
import type { Handler, Prepared } from '../core/pipeline.ts'
import { Carrier } from './carrier.ts'
import { Passage } from './passage.ts'
import type { Door } from './passage.ts'
import { answerRaw } from './raw-answer.ts'
import type { Runtime } from './runtime.ts'
import type { PassThrough } from './server.ts'

/**
 * Opaque pass-through, HTTP and WebSocket, and the WebSockets of models: the rule's own layers choose the target, wait and account as for any request, and
 * `http-proxy` moves the bytes. A target that cannot be connected to is passed over for the next; once the request's body is on its way
 * there is no second try, since it is nowhere else.
 */
export class PassThroughProxy implements PassThrough {
  private readonly deps: Deps
  private readonly handlers = new WeakMap<Prepared, Handler>()
  private readonly doors = new WeakMap<Exchange, Door>()
  private carrier: Promise<Carrier> | undefined

  constructor(deps: Deps) {
    this.deps = deps
  }

  request(runtime: Runtime, exchange: Exchange, request: IncomingMessage, response: ServerResponse): void {
    response.once('close', () => {
      if (!response.writableFinished) exchange.end('client_closed')
    })
    this.pass(runtime, exchange, { request, response }, (reply) => {
      // What is left of the body is read and thrown away: with a reset the client might never see the answer.
      request.unpipe()
      request.resume()
      answer(response, reply)
    })
  }

  upgrade(runtime: Runtime, exchange: Exchange, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.once('close', () => exchange.end('client_closed'))
    // A client that vanishes is heard of by 'close'.
    socket.on('error', () => {})
    this.pass(runtime, exchange, { request, socket, head }, (reply) => answerRaw(socket, reply))
  }

  private pass(runtime: Runtime, exchange: Exchange, door: Door, refuse: (reply: Reply) => void): void {
    this.doors.set(exchange, door)
    const find: Handler = (asked) => {
      // A WebSocket of a model goes where the model is.
      if (asked.surface.operation !== 'opaque') return this.handlerOf(routeByModel(runtime.table, asked))(asked)
      const { route, rule } = runtime.table.passThrough(asked)
      asked.facts.route = route.name
      return this.handlerOf(rule.entry)(asked)
    }
    const handle = around(this.deps, async (asked) => find(asked))
    handle(exchange).then(
      (reply) => {
        // What was passed through is on its way already.
        if (Buffer.isBuffer(reply.body)) refuse(reply)
      },
      () => door.request.destroy(), // the errors layer answers all there are; this is for what nobody foresaw
    )
  }

  private handlerOf(entry: Prepared): Handler {
    let handler = this.handlers.get(entry)
    if (!handler) {
      handler = entry.through(async (exchange) => {
        const door = this.doors.get(exchange)
        if (!door) throw new Error('the exchange has no door')
        this.carrier ??= Carrier.load()
        return new Passage(exchange, door, await this.carrier, this.deps).start()
      })
      this.handlers.set(entry, handler)
    }
    return handler
  }
}

function answer(response: ServerResponse, { status, headers, body }: Reply): void {
  if (response.headersSent || !Buffer.isBuffer(body)) return void response.destroy()
  headers.push('content-length', String(body.length))
  response.writeHead(status, headers)
  response.end(body)
}
