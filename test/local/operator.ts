import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { WebSocketServer } from 'ws'
import { CONFIG_PATH } from '../../api/protocol.ts'
import type { Channel } from '../../operator/channel.ts'
import { Push } from '../../operator/push.ts'
import type { TestWorld } from './fleet.ts'

export interface Running {
  readonly port: number
  readonly push: Push
  /** Sizes of the operator's updates. */
  readonly pushed: number[]
  /** The tokens of connections, and those renewed on an open one. */
  readonly tokens: string[]
  readonly renewed: string[]
  /** As `kill -9` has it: nothing is said, sockets just end. */
  kill(): Promise<void>
}

/** The operator's end on a real port, which lets anybody in as pod `ai/p`. */
export async function operator(
  t: TestContext,
  world: TestWorld,
  { port = 0, tls }: { readonly port?: number; readonly tls?: { readonly cert: string; readonly key: string } } = {},
): Promise<Running> {
  const [pushed, tokens, renewed]: [number[], string[], string[]] = [[], [], []]
  const push = new Push(
    { now: () => performance.now() },
    { pushed: (bytes) => void pushed.push(bytes), token: (_, token) => void renewed.push(token) },
  )
  const { port: own, kill } = await serve(
    t,
    (channel, { authorization = '' }) => {
      tokens.push(authorization)
      push.attach(channel, { namespace: 'ai', pod: 'p', uid: 'p', labels: {}, serviceAccount: 'default' })
    },
    { port, tls, ended: () => push.close() },
  )
  push.publish(world.compiler.compile(world))
  return { port: own, push, pushed, tokens, renewed, kill }
}

interface Serving {
  readonly port?: number
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** What is to be done when it has been killed. */
  readonly ended: () => void | Promise<void>
}

/** Listens for sidecars, until the test ends or it is killed: sockets just end then. `attach` gets each, with the headers of its request. */
export async function serve(
  t: TestContext,
  attach: (channel: Channel, headers: IncomingMessage['headers']) => void,
  { port = 0, tls, ended }: Serving,
): Promise<{ readonly port: number; readonly kill: () => Promise<void> }> {
  const server: Server = tls ? createTlsServer(tls) : createServer()
  const sockets = new WebSocketServer({ server, path: CONFIG_PATH })
  sockets.on('connection', (socket, { headers }: IncomingMessage) =>
    attach(
      {
        send: (text) => socket.send(text),
        close: (code, reason) => socket.close(code, reason),
        buffered: () => socket.bufferedAmount,
        onMessage: (listener) => socket.on('message', (data: Buffer) => listener(data.toString())),
        onClose: (listener) => socket.on('close', (code, reason) => listener(code, String(reason))),
      },
      headers,
    ),
  )
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const kill = async () => {
    for (const socket of sockets.clients) socket.terminate()
    sockets.close()
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
    await ended()
  }
  t.after(kill)
  return { port: (server.address() as AddressInfo).port, kill } // it listens on a port
}
