import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startChild } from '../helpers/child.ts'
import type { Child } from '../helpers/child.ts'
import { root } from './running.ts'

interface SidecarOptions {
  /** Of traffic, admin and metrics, on the loopback. */
  readonly ports: readonly [traffic: number, admin: number, metrics: number]
  /** The operator's port. */
  readonly operator: number
  readonly tokenFile: string
  readonly log: string
  readonly env?: Readonly<Record<string, string>>
}

/** A sidecar as a process, which ends when the test does. */
export function startSidecar(t: TestContext, { ports, operator, tokenFile, log, env }: SidecarOptions): Child {
  const [traffic, admin, metrics] = ports
  const child = startChild(process.execPath, [join(root, 'sidecar/main.ts')], {
    log,
    env: {
      ...process.env,
      TRADEWIND_LISTEN: `127.0.0.1:${traffic}`,
      TRADEWIND_ADMIN: `127.0.0.1:${admin}`,
      TRADEWIND_METRICS: `127.0.0.1:${metrics}`,
      TRADEWIND_OPERATOR: `ws://127.0.0.1:${operator}`,
      TRADEWIND_TOKEN_FILE: tokenFile,
      TRADEWIND_LOG_LEVEL: 'warn',
      ...env,
    },
  })
  t.after(() => child.stop())
  return child
}
