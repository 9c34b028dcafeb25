import { Agent } from 'node:http'
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ProxyServer } from 'http-proxy'

/** What is told of a request that is being carried. */
export interface Carried {
  /** The call of an upgrade is about to be made. */
  asking(outgoing: ClientRequest): void
  /** The answer has begun; its headers may still be changed. */
  answered(answer: IncomingMessage): void
  failed(error: Error): void
}

/** Carries bytes between a caller and a connection that was made for it. Loaded when first needed: most pods never need it. */
export class Carrier {
  private readonly proxy: ProxyServer
  private readonly underWay = new WeakMap<IncomingMessage, Carried>()

  private constructor(proxy: ProxyServer) {
    this.proxy = proxy
    proxy.on('proxyReqWs', (outgoing, request) => this.underWay.get(request)?.asking(outgoing))
    proxy.on('proxyRes', (answer, request) => this.underWay.get(request)?.answered(answer))
    // Whoever asked hears of what fails; this is for sockets that fail before or after.
    proxy.on('error', () => {})
  }

  static async load(): Promise<Carrier> {
    const { createProxyServer } = (await import('http-proxy')).default
    return new Carrier(createProxyServer({ toProxy: true }))
  }

  web(request: IncomingMessage, response: ServerResponse, connection: Socket, carried: Carried): void {
    this.underWay.set(request, carried)
    this.proxy.web(request, response, over(connection), (error: Error) => carried.failed(error))
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, connection: Socket, carried: Carried): void {
    this.underWay.set(request, carried)
    this.proxy.ws(request, socket, head, over(connection), (error: Error) => carried.failed(error))
  }
}

/** TLS and proxies are the connection's matter: what goes over it is plain HTTP, and names no host but that of its headers. */
const over = (connection: Socket) => ({ target: { host: 'unused', port: 80 }, agent: new Given(connection) })

/** Gives a request the connection that was made for it. */
class Given extends Agent {
  private readonly connection: Socket

  constructor(connection: Socket) {
    super({ keepAlive: false })
    this.connection = connection
  }

  override createConnection(): Socket {
    return this.connection
  }
}
