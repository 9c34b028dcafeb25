import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from './child.ts'
import type { Child } from './child.ts'
import type { ApiServer } from './envtest.ts'
import { podToken, trustedRoots } from './operators.ts'
import { freePorts } from './ports.ts'

export interface SidecarProcess {
  /** Where requests go. */
  readonly url: string
  readonly admin: string
  /** With what it has saved, as often as it has been stopped. */
  readonly start: () => Child
}

/** A real sidecar of a pod, to be connected to the operator at that port, with a token and roots of the API server. */
export async function sidecarProcess(
  server: ApiServer,
  namespace: string,
  pod: string,
  operator: () => number,
): Promise<SidecarProcess> {
  const directory = join(server.directory, 'sidecar')
  mkdirSync(join(directory, 'state'), { recursive: true })
  writeFileSync(join(directory, 'token'), await podToken(server, namespace, pod))
  writeFileSync(join(directory, 'ca.crt'), await trustedRoots(server, namespace))
  const [traffic, admin, metrics] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`)
  const start = () =>
    startChild(process.execPath, [join(import.meta.dirname, '../../sidecar/main.ts')], {
      log: join(directory, 'log'),
      env: {
        ...process.env,
        TRADEWIND_OPERATOR: `wss://localhost:${operator()}`,
        TRADEWIND_TOKEN_FILE: join(directory, 'token'),
        TRADEWIND_CA_FILE: join(directory, 'ca.crt'),
        TRADEWIND_STATE_DIR: join(directory, 'state'),
        TRADEWIND_LISTEN: traffic,
        TRADEWIND_ADMIN: admin,
        TRADEWIND_METRICS: metrics,
        TRADEWIND_LOG_LEVEL: 'warn',
      },
    })
  return { url: `http://${traffic}`, admin: `http://${admin}`, start }
}
