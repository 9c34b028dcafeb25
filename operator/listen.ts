import { createServer as createPlain, type RequestListener, type Server } from 'node:http'
import { createServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import type { KeyPair } from './certificates.ts'

/** Says nothing of itself in its answers: neither what it is made of nor where it failed. */
export function quiet(app: Express): Express {
  return app.disable('x-powered-by').set('env', 'production')
}

/** Starts a plain server; resolves when it listens. Port 0 takes a free one; without a host it is all addresses of the machine. */
export async function listen(handler: RequestListener, host: string | undefined, port: number): Promise<Server> {
  return started(createPlain(handler), host, port)
}

/** Starts a TLS server, likewise. Its certificate is renewed in place with `renew`. */
export async function listenTls(
  handler: RequestListener,
  pair: KeyPair,
  host: string | undefined,
  port: number,
): Promise<TlsServer> {
  return started(createServer({ cert: pair.certificate, key: pair.key, minVersion: 'TLSv1.2' }, handler), host, port)
}

/** New connections get this certificate; those that are open stay. */
export function renew(server: TlsServer, { certificate, key }: KeyPair): void {
  server.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' })
}

/** The port that a server listens on. */
export function portOf(server: Server | TlsServer): number {
  // A TCP server's address is an object; only a pipe's is a string.
  return (server.address() as AddressInfo).port
}

/** Takes no new connections; resolves when those that are open have ended, at most `grace` ms later. */
export async function stopListening(server: Server | TlsServer, grace: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), grace)
  await closed
  clearTimeout(timer)
}

function started<S extends Server | TlsServer>(server: S, host: string | undefined, port: number): Promise<S> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host ? { host } : {}) }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}
