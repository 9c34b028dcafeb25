import { lookup as resolve } from 'node:dns'
import type { LookupAddress } from 'node:dns'
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect as connectTcp, isIP } from 'node:net'
import type { LookupFunction, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ForbiddenAddress, isForbidden } from './forbidden.ts'

/** All that decides how a connection is made. Two endpoints with equal ones may share connections. */
export interface Destination {
  readonly host: string
  readonly port: number
  /** PEM certificates that are trusted instead of the system's, and the certificate that is shown. */
  readonly tls:
    | {
        readonly serverName: string
        readonly ca: string | undefined
        readonly cert: string | undefined
        readonly key: string | undefined
      }
    | undefined
  /** URL of a proxy that takes CONNECT. */
  readonly proxy: string | undefined
}

/** `reads`: what comes is handed to `read`, where the socket can; else the caller listens to it. */
type Done = (error: Error | null, socket: Socket | null, reads: boolean) => void

/** Where what comes is put, and who hears of it: false pauses the socket, as `onread` of node:net has it. */
interface Read {
  readonly buffer: Buffer
  readonly callback: (size: number) => boolean
}

/**
 * Opens a connection, TLS included, ready for HTTP/1.1. Calls back once. The returned function gives it up, at any stage; a connection
 * that comes nevertheless is closed.
 */
export function connect(to: Destination, done: Done, read?: Read): () => void {
  let socket: Socket | undefined
  let over = false
  const finish: Done = (error, ready, reads) => {
    if (over) return
    over = true
    if (error) socket?.destroy()
    done(error, ready, reads)
  }
  const secure = (raw: Socket | undefined) => {
    const { tls } = to
    if (!tls) return
    const secured = connectTls({
      // Through a proxy too there must be a name to hold the certificate against.
      ...(raw ? { socket: raw, host: tls.serverName } : { host: to.host, port: to.port, lookup }),
      ...(isIP(tls.serverName) ? {} : { servername: tls.serverName }),
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert, key: tls.key }),
      ALPNProtocols: ['http/1.1'],
    })
    socket = secured
    secured
      .on('error', (error) => finish(error, null, false))
      .once('secureConnect', () => finish(null, ready(secured), false))
  }
  if (isForbidden(to.host)) queueMicrotask(() => finish(new ForbiddenAddress(`${to.host} is forbidden`), null, false))
  else if (to.proxy !== undefined) {
    const tunnel = openTunnel(to, to.proxy, (error, raw) => {
      if (error || !raw) return finish(error, null, false)
      if (over) return raw.destroy()
      socket = raw
      if (to.tls) secure(raw)
      else finish(null, ready(raw), false)
    })
    return () => {
      over = true
      tunnel()
      socket?.destroy()
    }
  } else if (to.tls) secure(undefined)
  else {
    const raw = connectTcp({ host: to.host, port: to.port, lookup, ...(read ? { onread: { ...read } } : {}) })
    socket = raw
    raw
      .on('error', (error) => finish(error, null, false))
      .once('connect', () => finish(null, ready(raw), read !== undefined))
  }
  return () => {
    over = true
    socket?.destroy()
  }
}

/** The caller of `connect` hears errors from now on; what was needed for connecting must not keep them. */
function ready(socket: Socket): Socket {
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 60_000)
  return socket
}

/** CONNECT (RFC 9110, section 9.3.6). */
function openTunnel(to: Destination, proxy: string, done: Done): () => void {
  const { protocol, hostname, port, username, password } = new URL(proxy)
  const authority = `${isIP(to.host) === 6 ? `[${to.host}]` : to.host}:${to.port}`
  const outgoing = (protocol === 'https:' ? requestTls : request)({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port || (protocol === 'https:' ? 443 : 80),
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...(username ? { 'proxy-authorization': basic(username, password) } : {}) },
    agent: false,
  })
  outgoing
    .once('connect', ({ statusCode = 0 }, socket, head) => {
      if (head.length) socket.unshift(head)
      if (statusCode >= 200 && statusCode < 300) done(null, socket, false)
      else {
        socket.destroy()
        done(new Error(`the proxy answered CONNECT with ${statusCode}`), null, false)
      }
    })
    .once('response', ({ statusCode }) => {
      outgoing.destroy()
      done(new Error(`the proxy answered CONNECT with ${statusCode}`), null, false)
    })
    .on('error', (error) => done(error, null, false))
    .end()
  return () => outgoing.destroy()
}

/** RFC 7617; the proxy's URL in the environment may carry a user, percent-encoded. */
const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`

/** Name resolution that leaves out forbidden addresses, so that a name cannot lead where a literal may not. */
const lookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error) return callback(error, [])
    const allowed = found.filter(({ address }) => !isForbidden(address))
    const [first] = allowed
    if (!first) return callback(new ForbiddenAddress(`${hostname} resolves to a forbidden address only`), [])
    if (options.all) callback(null, allowed)
    else callback(null, first.address, first.family)
  })
}
