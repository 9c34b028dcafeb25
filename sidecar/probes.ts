import type { Server } from 'node:http'
import { jsonServer } from './json-server.ts'
import { METRICS_TYPE } from './names.ts'

interface Options {
  /** Whether the traffic port listens. */
  readonly started: () => boolean
  /** Why the pod should not be ready, undefined where it should. */
  readonly notReady: () => string | undefined
  /** The text of the metrics. */
  readonly exposed: () => Promise<string>
}

/** The port for the kubelet and Prometheus, on the pod's address: nothing of the configuration is told here. */
export function probeServer({ started, notReady, exposed }: Options): Server {
  return jsonServer({
    'GET /healthz': () => ({ body: 'ok\n' }),
    'GET /startupz': () => (started() ? { body: 'ok\n' } : { status: 503, body: 'not listening yet\n' }),
    'GET /readyz': () => {
      const why = notReady()
      return why === undefined ? { body: 'ok\n' } : { status: 503, body: `${why}\n` }
    },
    'GET /metrics': async () => ({ body: await exposed(), headers: { 'content-type': METRICS_TYPE } }),
  })
}
