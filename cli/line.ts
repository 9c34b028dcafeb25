import { connect } from 'node:net'
import { duplexPair } from 'node:stream'
import type { Duplex } from 'node:stream'
import { PortForward } from '@kubernetes/client-node'
import type { KubeConfig } from '@kubernetes/client-node'
import { Failure } from './failure.ts'

/** A connection to a port somewhere. */
export interface Line {
  readonly stream: Duplex
  readonly close: () => void
}

/** Connects to a pod's port through the API server, as `kubectl port-forward` does; its loopback ports are reached too. */
export async function forward(config: KubeConfig, namespace: string, pod: string, port: number): Promise<Line> {
  const [near, far] = duplexPair()
  const webSocket = await new PortForward(config).portForward(namespace, pod, [port], far, null, far)
  return {
    stream: near,
    close: () => {
      if ('close' in webSocket) webSocket.close()
      near.destroy()
    },
  }
}

/** Connects to `host:port`; the name is what the certificate there must be for. */
export function dial(address: string): { readonly line: Line; readonly names: readonly string[] } {
  const url = URL.canParse(`https://${address}`) ? new URL(`https://${address}`) : undefined
  if (!url) throw new Failure(`${address} is no address of an operator; give one such as localhost:8443`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const stream = connect({ host, port: Number(url.port || 443) })
  return { line: { stream, close: () => stream.destroy() }, names: [host] }
}
