import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, startChild } from '../../test/helpers/child.ts'
import { eventually } from '../../test/helpers/eventually.ts'
import { freePorts } from '../../test/helpers/ports.ts'
import { sidecarEnvironment } from '../../tool/images.ts'
import type { Destination } from '../load/client.ts'
import { program } from '../systems/tradewind.ts'

export interface SidecarProcess extends Destination {
  readonly child: Child
  /** A metric's value, summed over its labels. */
  metric(name: string): Promise<number>
}

export interface SidecarOptions {
  /** For its files. */
  readonly directory: string
  readonly operatorPort: number
  readonly token: string
  /** The operator's roots, PEM. */
  readonly ca: string
  /** The core that it is kept on; undefined: any. */
  readonly core?: number
}

/** Starts the sidecar that ships, and resolves when it serves a configuration. */
export async function startSidecar({
  directory,
  operatorPort,
  token,
  ca,
  core,
}: SidecarOptions): Promise<SidecarProcess> {
  mkdirSync(join(directory, 'state'), { recursive: true })
  writeFileSync(join(directory, 'token'), token)
  writeFileSync(join(directory, 'ca.crt'), ca)
  const [port = 0, admin, metrics] = await freePorts(3)
  const [command, args] =
    core === undefined
      ? [process.execPath, [program]]
      : ['taskset', ['--cpu-list', String(core), process.execPath, program]]
  const child = startChild(command, args, {
    log: join(directory, 'log'),
    env: {
      ...process.env,
      NODE_ENV: 'production',
      ...sidecarEnvironment,
      TRADEWIND_OPERATOR: `wss://localhost:${operatorPort}`,
      TRADEWIND_TOKEN_FILE: join(directory, 'token'),
      TRADEWIND_CA_FILE: join(directory, 'ca.crt'),
      TRADEWIND_STATE_DIR: join(directory, 'state'),
      TRADEWIND_LISTEN: `127.0.0.1:${port}`,
      TRADEWIND_ADMIN: `127.0.0.1:${admin}`,
      TRADEWIND_METRICS: `127.0.0.1:${metrics}`,
    },
  })
  await eventually(
    async () => {
      const { ok } = await fetch(`http://127.0.0.1:${metrics}/readyz`)
      if (!ok) throw new Error(`the sidecar is not ready:\n${child.log()}`)
    },
    { within: 60_000, every: 50 },
  )
  return {
    child,
    port,
    headers: {},
    async metric(name) {
      const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
      const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      if (lines.length === 0) throw new Error(`there is no metric ${name}`)
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
  }
}
